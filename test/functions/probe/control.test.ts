import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createControl } from "../../../functions/probe/control.ts";
import { createEngine, type Engine } from "../../../shared/engine/run.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { refusedPort, serve } from "../../support/servers.ts";

/** Control targets over a network that a test takes away; `asked` are the moments of the questions. */
const startControl = (targets: readonly string[] = ["192.0.2.1:443", "192.0.2.2:443"]) => {
  const state = { now: 10_000, isOnline: true, asked: [] as number[] };
  const runOne = (async () => {
    state.asked.push(state.now);
    return state.isOnline ? { state: "open" } : { state: "filtered" };
  }) as unknown as Engine["runOne"];
  const engine: Engine = { runOne, runBatch: () => Promise.reject(new Error("not asked for")) };
  const pass = async (ms: number) => {
    state.now += ms;
  };
  return { state, control: createControl(engine, targets, () => state.now, pass) };
};

test("an answer is shared for a second, but never with whoever needs a later one", async () => {
  const { state, control } = startControl(["192.0.2.1:443"]);
  expect(await control()).toBe("online");
  state.isOnline = false;
  state.now += 900;
  expect(await control()).toBe("online");
  expect(await control(state.now)).toBe("offline");
  expect(state.asked).toEqual([10_000, 10_900]);
  state.isOnline = true;
  state.now += 1_000;
  expect(await control()).toBe("online");
});

test("questions of many at once begin apart, each after whoever shares it asked", async () => {
  const asked: number[] = [];
  const runOne = (async () => {
    asked.push(performance.now());
    return { state: "open" };
  }) as unknown as Engine["runOne"];
  const engine: Engine = { runOne, runBatch: () => Promise.reject(new Error("not asked for")) };
  const control = createControl(engine, ["192.0.2.1:443"], () => performance.now(), sleep);
  const answers = [];
  for (let n = 0; n < 60; n++) {
    const at = performance.now();
    answers.push(control(at).then(() => asked.at(-1)! >= at));
    await sleep(2);
  }
  expect(new Set(await Promise.all(answers))).toEqual(new Set([true]));
  expect(asked.length).toBeLessThan(10);
});

test("an answer of a clock that was ahead is not shared", async () => {
  const { state, control } = startControl(["192.0.2.1:443"]);
  await control();
  state.isOnline = false;
  state.now -= 60_000;
  expect(await control()).toBe("offline");
});

test("one target that answers, or refuses, is enough; without targets nobody asks", async () => {
  await using server = await serve(() => {});
  const { port: refused } = await refusedPort();
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols });
  const ask = (...targets: string[]) => createControl(engine, targets, Date.now, sleep)();
  expect(await ask(`127.0.0.1:${server.port}`, "name.invalid:1")).toBe("online");
  expect(await ask(`127.0.0.1:${refused}`)).toBe("online");
  expect(await ask("name.invalid:1")).toBe("offline");
  expect(await ask()).toBe("online");
});
