import { expect, test } from "vitest";
import { Clock, chanceOf, draw } from "./clock.ts";

test("events come in the order of their time, then of asking, and microtasks end before the next one", async () => {
  const clock = new Clock(1_000);
  const seen: string[] = [];
  clock.at(1_300, () => seen.push(`late ${clock.now()}`));
  clock.at(1_200, () => void Promise.resolve().then(() => Promise.resolve().then(() => seen.push("its microtasks"))));
  clock.at(1_200, () => seen.push(`second ${clock.now()}`));
  clock.at(0, () => seen.push(`past ${clock.now()}`));
  clock.at(1_250, () => seen.push("never"))();
  clock.at(1_301, () => seen.push("beyond"));
  await clock.run(1_300);
  expect(seen).toEqual(["past 1000", "its microtasks", "second 1200", "late 1300"]);
  expect(clock.now()).toBe(1_300);
});

test("sleeping code goes on in virtual time, and the trace is that of the events", async () => {
  const traces = [];
  for (const pause of [100, 100, 101]) {
    const clock = new Clock(0);
    const moments: number[] = [];
    const work = async () => {
      for (let n = 0; n < 3; n++) {
        await clock.sleep(pause);
        moments.push(clock.now());
      }
    };
    void work();
    await clock.run(1_000);
    expect(moments).toEqual([pause, 2 * pause, 3 * pause]);
    traces.push(clock.trace);
  }
  expect(traces[0]).toBe(traces[1]);
  expect(traces[0]).not.toBe(traces[2]);
});

test("what is drawn belongs to a seed and a name, and is spread evenly", () => {
  expect(draw("1", "a")).toBe(draw("1", "a"));
  expect(new Set([draw("1", "a"), draw("1", "b"), draw("2", "a")]).size).toBe(3);
  const all = Array.from({ length: 10_000 }, (_, n) => draw("seed", `call#${n}`));
  for (const strength of [0.01, 0.1, 0.5]) {
    const share = all.filter((drawn) => drawn < strength).length / all.length;
    expect(Math.abs(share - strength)).toBeLessThan(0.02);
  }
  const [one, other] = [chanceOf("x"), chanceOf("x")];
  expect(Array.from({ length: 5 }, () => one.int(100))).toEqual(Array.from({ length: 5 }, () => other.int(100)));
});
