/** Which steps of sweeps get jobs, and that sweeps and ticks do not wait for each other. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { createPlanner } from "../../../functions/dispatch/wiring.ts";
import type { PlannedJob, SweepJob } from "../../../shared/jobs.ts";
import type { Monitor } from "../../../shared/model.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const LANE = 3_600;
const ASKED = { settingsVersion: 1, seconds: 115 };
let tables: Awaited<ReturnType<typeof startTables>>;
let now: number;
let sent: PlannedJob[];
let isBroken: boolean;
beforeEach(async () => {
  tables = await startTables();
  [now, sent, isBroken] = [1_800_000_000, [], false];
});
afterEach(() => tables.stop());

const shards = () => createShardStore(tables.client, tables.tables.monitors);
const planner = () =>
  createPlanner({
    client: tables.client,
    tables: tables.tables,
    locations: ["a"],
    kinds: { a: "public" },
    queues: async (jobs) => {
      if (isBroken) return { rejected: new Set(jobs), errors: new Map([["a", new Error("the queue is down")]]) };
      sent.push(...jobs);
      return { rejected: new Set(), errors: new Map() };
    },
    now: () => new Date(now * 1000),
    sleep: async () => {},
    newId: () => "run",
    log: () => {},
  });

/** A monitor that sweeps, in a shard for itself. @returns the second of its next tick */
const put = async (id: string, ports: string, more: Partial<Monitor> = {}) => {
  const { shard } = await shards().place(LANE, ["a"], 1, true);
  const placements = [{ shard, fromTick: 0, toTick: null }];
  const swept = {
    protocol: "ports",
    host: "93.184.216.5",
    port: 0,
    settings: { ports },
    intervalSeconds: LANE,
  } as const;
  await putMonitor(tables, monitorOf({ id, ...swept, shard, placements, ...more }));
  return shard;
};
/** Runs dispatch every minute, from one moment to another. */
const runMinutes = async (seconds: number) => {
  const one = planner();
  for (const end = now + seconds; now < end; now += 60) await one.everyMinute();
};
const sweeps = () =>
  sent.flatMap(({ job, dueAtSeconds }) =>
    job.kind === "sweep" ? job.sweeps.map((sweep) => ({ ...sweep, dueAtSeconds })) : [],
  );
const steps = (some: readonly (SweepJob & { dueAtSeconds: number })[]) =>
  some.map(({ step, tick, dueAtSeconds }) => [step, dueAtSeconds - tick]);

test("each slice, the end and the last look get one job each, when they are due", async () => {
  await put("m1", "1-15000"); // three slices at 100 a second
  await runMinutes(LANE);
  expect(steps(sweeps())).toEqual([
    [0, 0],
    [1, 60],
    [2, 120],
    [3, 178],
    [4, 180],
    [5, 300],
  ]);
  expect(sweeps().every(({ slices, isAsked }) => slices === 3 && !isAsked)).toBe(true);
  expect(sent.every(({ job }) => job.kind !== "tick")).toBe(true);
});

test("a sweep that is asked for begins at once, and once, beside that of the interval", async () => {
  const shard = await put("m1", "1-1000");
  await shards().askSweep(shard, now, ASKED);
  await planner().planShard(shard);
  await runMinutes(600);
  const asked = sweeps().filter(({ isAsked }) => isAsked);
  expect(steps(asked)).toEqual([
    [0, 0],
    [1, 18],
    [2, 60],
    [3, 180],
  ]);
});

test("slices of several monitors that are due together share a job", async () => {
  for (let at = 0; at < 8; at++) await shards().askSweep(await put(`m${at}`, "1-100"), now, ASKED);
  await runMinutes(60);
  const first = sent.filter(({ job, dueAtSeconds }) => job.kind === "sweep" && dueAtSeconds === now - 60);
  expect(first.map(({ job }) => job.kind === "sweep" && job.sweeps.length)).toEqual([6, 2]);
});

test("what a queue did not take is sent a minute later; what was missed longer is lost", async () => {
  const shard = await put("m1", "1-1000");
  await shards().askSweep(shard, now + 30, ASKED);
  isBroken = true;
  await runMinutes(60);
  isBroken = false;
  await runMinutes(60);
  expect(steps(sweeps().filter(({ isAsked }) => isAsked))[0]).toEqual([0, 0]);
});

test("a sweep that cannot be planned, here for its settings, keeps neither ticks nor other sweeps from it", async () => {
  const broken = await put("m0", "no ports");
  const whole = await put("m1", "1-1000");
  await shards().place(60, ["a"]);
  for (const shard of [broken, whole]) await shards().askSweep(shard, now, ASKED);
  await expect(planner().everyMinute()).rejects.toThrow("1 sweeps could not be planned");
  expect(new Set(sweeps().map(({ id }) => id))).toEqual(new Set(["m1"]));
  expect(sent.some(({ job }) => job.kind === "tick")).toBe(true);
});

test.each([
  ["paused", { paused: true }],
  ["deleted", { deletedAt: "2026-11-27T10:00:00.000Z" }],
  ["checked again, by another protocol", { protocol: "tcp", port: 22, settings: {} }],
])("a monitor that is %s is not swept", async (_what, more) => {
  await put("m1", "1-1000", more);
  await runMinutes(LANE);
  expect(sweeps()).toEqual([]);
});
