import { expect, test } from "vitest";
import { createFaults, type FaultWindow } from "./faults.ts";

const at = (name: string) => ({ name, caller: "probe", operation: "Update", item: "MONITOR#1 MONITOR" });

test("a fault strikes in its window, at its occasions, as often as its strength says", () => {
  let now = 0;
  const windows: FaultWindow[] = [
    {
      fault: "lost",
      strength: 0.3,
      fromMs: 100,
      toMs: 200,
      only: { caller: "probe", operations: ["Update"], item: "MONITOR#" },
    },
  ];
  const faults = createFaults({ seed: "1", now: () => now, windows });
  const share = () =>
    Array.from({ length: 1_000 }, (_, n) => faults.strike("lost", at(`call#${n}`))).filter((ms) => ms !== undefined)
      .length / 1_000;
  expect(share()).toBe(0);
  now = 100;
  expect(share()).toBeGreaterThan(0.25);
  expect(faults.strike("lost", { ...at("x"), caller: "api" })).toBeUndefined();
  expect(faults.counts()).toMatchObject({ lost: faults.struck.length, throttle: 0 });
  now = 200;
  expect(share()).toBe(0);
});

test("what struck replays from its list, less whatever is taken out", () => {
  const windows: FaultWindow[] = [
    { fault: "stall", strength: 0.2, fromMs: 0, toMs: 100 },
    { fault: "outage", strength: 1, fromMs: 0, toMs: 100, only: { caller: "api" } },
  ];
  const options = { seed: "1", now: () => 50, windows };
  const play = (faults: ReturnType<typeof createFaults>) => {
    for (let n = 0; n < 50; n++) faults.strike("stall", at(`call#${n}`));
    return faults.struck;
  };
  const struck = play(createFaults(options));
  expect(struck.length).toBeGreaterThan(3);
  expect(play(createFaults({ ...options, replay: struck }))).toEqual(struck);
  const replayed = createFaults({ ...options, replay: struck.slice(1) });
  expect(play(replayed)).toEqual(struck.slice(1));
  // A state is no chance: it stays.
  expect(replayed.strike("outage", { name: "other", caller: "api" })).toBeDefined();
});
