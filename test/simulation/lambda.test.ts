/** Processes and calls: the product's stores on simulated processes, each fault by itself. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import type { Token } from "../../shared/store/tokens.ts";
import { createTokenStore } from "../../shared/store/tokens.ts";
import { tableDefinitions } from "../support/schema.ts";
import { Clock } from "./clock.ts";
import { createDatabase } from "./database.ts";
import { createFaults, type Occasion, type Strike } from "./faults.ts";
import { createAccount, createFunction, type Ended, Process } from "./lambda.ts";

const { monitors } = tableDefinitions();
const START = 1_000_000_000;
const TOKEN: Token = {
  id: "t1",
  secretHash: "hash",
  previous: null,
  name: "token",
  scopes: [],
  monitorTags: null,
  createdAt: "2026",
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
};

/** The first call of the process below: a write, whose first attempt has this name. */
const PUT = `api/ Put ${monitors.name} TOKEN t1#0`;
type Planned = Pick<Strike, "fault" | "amount"> & { readonly occasion?: string };

/** An account in which exactly these faults strike; by default at the first attempt of the put. */
function start(planned: readonly Planned[] = [], maxSkewMs = 0) {
  const clock = new Clock(START);
  const calls: Occasion[] = [];
  const faults = createFaults({
    seed: "1",
    now: clock.now,
    windows: [],
    replay: planned.map((fault) => ({ occasion: `${PUT}.1`, ...fault })),
    onCall: (occasion) => calls.push(occasion),
  });
  const account = createAccount({ clock, faults, seed: "1", maxSkewMs });
  const writes: number[] = [];
  const { tables, service } = createDatabase(account, [monitors], () => writes.push(clock.now() - START));
  const tokensOf = (process: Process) =>
    createTokenStore(process.connect<DynamoDBDocumentClient>(service), monitors.name);
  const stored = () => tables.table(monitors.name).peek("TOKEN", "t1");

  /** What becomes of one put, and when. */
  const put = async () => {
    const process = new Process(account, "api");
    const outcome: { ended: string; atMs?: number } = { ended: "never" };
    const end = (ended: string) => Object.assign(outcome, { ended, atMs: clock.now() - START });
    tokensOf(process)
      .put(TOKEN)
      .then(
        () => end("done"),
        (error: Error) => end(error.name),
      );
    await clock.run(START + 120_000);
    return { ...outcome, isDead: process.isDead, isStored: stored() !== undefined, attempts: calls.length };
  };
  return { clock, account, calls, writes, tokensOf, put };
}

test("a call takes a few ms each way", async () => {
  const { put, writes } = start();
  const { atMs, ...outcome } = await put();
  expect(outcome).toEqual({ ended: "done", isDead: false, isStored: true, attempts: 1 });
  expect(atMs).toBeGreaterThan(2);
  expect(atMs).toBeLessThan(8);
  expect(writes[0]).toBeLessThan(atMs!);
});

test.each<[string, Planned[], object]>([
  ["throttled, then taken", [{ fault: "throttle", amount: 1 }], { ended: "done", attempts: 2 }],
  [
    "throttled three times",
    [1, 2, 3].map((n) => ({ fault: "throttle", amount: 1, occasion: `${PUT}.${n}` })),
    { ended: "ThrottlingException", attempts: 3, isStored: false },
  ],
  ["its answer lost", [{ fault: "lost", amount: 30 }], { ended: "done", attempts: 2 }],
  [
    "refused for good",
    [{ fault: "refuse-for-good", amount: 1 }],
    { ended: "InvalidParameter", attempts: 1, isStored: false },
  ],
  ["killed before", [{ fault: "kill-before", amount: 1 }], { ended: "never", isDead: true, isStored: false }],
  ["killed after", [{ fault: "kill-after", amount: 1 }], { ended: "never", isDead: true, isStored: true }],
  ["slow to arrive", [{ fault: "delay", amount: 2_000 }], { ended: "done", attempts: 1 }],
  ["slow to answer beyond the client's patience", [{ fault: "stall", amount: 12_000 }], { ended: "done", attempts: 2 }],
  ["frozen for a while", [{ fault: "freeze", amount: 20_000 }], { ended: "done", attempts: 1, isStored: true }],
])("a call is %s", async (_, planned, expected) => {
  expect(await start(planned).put()).toMatchObject(expected);
});

test("a call that hangs fails in the client after three seconds, and takes effect all the same later", async () => {
  const delays: Planned[] = [1, 2, 3].map((n) => ({ fault: "delay", amount: 12_000 + n, occasion: `${PUT}.${n}` }));
  const { put, writes } = start(delays);
  const { ended, atMs } = await put();
  expect(ended).toBe("TimeoutError");
  expect(atMs).toBeGreaterThan(9_000);
  expect(atMs).toBeLessThan(10_000);
  expect(writes).toHaveLength(1); // three times the same
  expect(writes[0]).toBeGreaterThan(12_000);
});

test("a lost answer turns one's own success into a refused condition", async () => {
  const name = `api/ Update ${monitors.name} TOKEN t1#0.1`;
  const { account, clock, tokensOf } = start([{ fault: "lost", amount: 5, occasion: name }]);
  const tokens = tokensOf(new Process(account, "api"));
  let revoked: boolean | undefined;
  void tokens.put(TOKEN).then(async () => {
    revoked = await tokens.revoke("t1", new Date(0));
  });
  await clock.run(START + 10_000);
  expect(revoked).toBe(false);
});

test("a frozen process goes on later, with its clock where it should be", async () => {
  const { account, clock } = start();
  const process = new Process(account, "api");
  const moments: number[] = [];
  void process.sleep(100).then(() => moments.push(process.now() - START));
  clock.after(50, () => process.freeze(5_000));
  await clock.run(START + 10_000);
  expect(moments).toEqual([5_050]);
});

test("processes differ in their clocks", () => {
  const { account } = start([], 2_000);
  const skews = Array.from({ length: 20 }, () => new Process(account, "api").now() - START);
  expect(new Set(skews).size).toBeGreaterThan(10);
  expect(Math.max(...skews.map(Math.abs))).toBeLessThanOrEqual(2_000);
});

test("a function reuses warm processes, starts cold ones beside busy ones, and is stopped by its time limit", async () => {
  const { account, clock } = start();
  let processes = 0;
  const { invoke } = createFunction<number, string>(account, {
    name: "f",
    timeoutMs: 1_000,
    start: (process) => {
      const number = processes++;
      return async (ms) => {
        await process.sleep(ms);
        if (ms === 13) throw new TypeError("unlucky");
        return `process ${number}`;
      };
    },
  });
  const ends: Record<string, Ended<string>> = {};
  const call = (name: string, ms: number, atMs: number) =>
    clock.at(START + atMs, () => void invoke(ms).then((ended) => Object.assign(ends, { [name]: ended })));
  call("first", 10, 0);
  call("warm", 10, 5_000);
  call("beside", 500, 5_001);
  call("failed", 13, 10_000);
  call("endless", 60_000, 15_000);
  await clock.run(START + 60_000);
  expect(ends).toMatchObject({
    first: { how: "answered", value: "process 0" },
    warm: { how: "answered", value: "process 0" },
    beside: { how: "answered", value: "process 1" },
    failed: { how: "failed" },
    endless: { how: "killed" },
  });
});

test("a deployment replaces the code, but not under those who are at work; a dead process is never used", async () => {
  const { account, clock } = start();
  const version = (number: number) => (process: Process) => async (ms: number) => {
    await process.sleep(ms);
    if (ms === 13) clock.after(100, () => process.kill());
    return number;
  };
  const { invoke, deploy } = createFunction(account, { name: "f", timeoutMs: 60_000, start: version(1) });
  const answers: unknown[] = [];
  const call = (ms: number, atMs: number) =>
    clock.at(
      START + atMs,
      () => void invoke(ms).then((ended) => answers.push(ended.how === "answered" && ended.value)),
    );
  call(5_000, 0); // old code, ends after the deployment
  clock.at(START + 3_000, () => deploy(version(2)));
  call(10, 8_000);
  call(13, 10_000); // dies while idle
  call(10, 11_000);
  await clock.run(START + 60_000);
  expect(answers).toEqual([1, 2, 2, 2]);
});

test("the same seed gives the same run", async () => {
  const traces = [];
  for (const seed of ["1", "1", "2"]) {
    const clock = new Clock(START);
    const windows = (["lost", "throttle", "stall", "delay", "stale", "kill-after"] as const).map((fault) => ({
      fault,
      strength: 0.1,
      fromMs: 0,
      toMs: Number.POSITIVE_INFINITY,
    }));
    const account = createAccount({
      clock,
      faults: createFaults({ seed, now: clock.now, windows }),
      seed,
      maxSkewMs: 500,
    });
    const { service } = createDatabase(account, [monitors], ({ key, after }) =>
      clock.note(JSON.stringify([key, after])),
    );
    const { invoke } = createFunction(account, {
      name: "api",
      timeoutMs: 20_000,
      start: (process) => {
        const tokens = createTokenStore(process.connect<DynamoDBDocumentClient>(service), monitors.name);
        return async (id: string) => {
          await tokens.put({ ...TOKEN, id, createdAt: process.date().toISOString() });
          return tokens.spend(id, 2, process.date());
        };
      },
    });
    for (let n = 0; n < 200; n++) clock.at(START + n * 100, () => void invoke(`t${n % 7}`));
    await clock.run(START + 120_000);
    traces.push(clock.trace);
  }
  expect(traces[0]).toBe(traces[1]);
  expect(traces[0]).not.toBe(traces[2]);
});
