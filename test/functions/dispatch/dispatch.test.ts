import { randomUUID } from "node:crypto";
import { BatchWriteCommand, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDispatch } from "../../../functions/dispatch/dispatch.ts";
import { createSweepPlanning } from "../../../functions/dispatch/sweeps.ts";
import { createTimers } from "../../../functions/dispatch/timers.ts";
import { createPlanner } from "../../../functions/dispatch/wiring.ts";
import type { PlannedJob } from "../../../shared/jobs.ts";
import { chunksOf } from "../../../shared/rules/plan.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { dueBucket, lookBucket, monitorKey, shardKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { startTables } from "../../support/tables.ts";

const NOW = 1_800_000_000;
let tables: Awaited<ReturnType<typeof startTables>>;
let now = NOW;
const clock = () => new Date(now * 1000);
/** Called at each write; and what is not answered. */
let onWrite = () => {};
let refuse: (body: string) => boolean = () => false;
beforeEach(async () => {
  [now, onWrite, refuse] = [NOW, () => {}, () => false];
  tables = await startTables({
    intercept: ({ operation, body }) => {
      if (operation === "UpdateItem") onWrite();
      return refuse(JSON.stringify(body)) ? "fail-before" : "proceed";
    },
  });
});
afterEach(() => tables.stop());

describe("planning", () => {
  const setUp = async (locations: string[], lane: 10 | 60 = 10, seats = 1) => {
    const shards = createShardStore(tables.client, tables.tables.monitors);
    for (let left = seats; left > 0; ) left -= (await shards.place(lane, locations, left)).count;
    const planning = createPlanningStore(tables.client, tables.tables.monitors);
    const sent: PlannedJob[] = [];
    const broken = new Set<string>();
    const dispatch = createDispatch({
      planning,
      sweeps: createSweepPlanning({ views: createViewStore(tables.client, tables.tables.monitors), kinds: {} }),
      locations,
      now: clock,
      sleep: async () => {},
      sendJobs: async (jobs) => {
        const failed = new Set(jobs.filter(({ location }) => broken.has(location)));
        sent.push(...jobs.filter((job) => !failed.has(job)));
        return failed;
      },
    });
    const ticks = (location: string) =>
      sent.flatMap(({ location: at, job }) => (at === location && job.kind === "tick" ? [job.tick] : []));
    return { shards, planning, dispatch, sent, broken, ticks };
  };

  test("one heartbeat and every tick of the next minutes, once, however often it runs", async () => {
    const { dispatch, sent, ticks } = await setUp(["a"]);
    await dispatch.all();
    await dispatch.all();
    now += 60;
    await dispatch.all();
    expect(sent.filter(({ job }) => job.kind === "heartbeat")).toHaveLength(3);
    expect(ticks("a")).toEqual(ticks("a").toSorted((x, y) => x - y));
    expect(new Set(ticks("a")).size).toBe(24);
    expect(ticks("a")).toHaveLength(24);
    for (const { job, dueAtSeconds } of sent) expect(dueAtSeconds).toBe(job.kind === "tick" ? job.tick : dueAtSeconds);
  });

  test("a location whose queue fails is caught up alone", async () => {
    const { dispatch, broken, ticks } = await setUp(["a", "b"]);
    broken.add("b");
    expect((await dispatch.all()).failed).toBeGreaterThan(0);
    expect(ticks("a")).toHaveLength(18);
    broken.clear();
    await dispatch.all();
    expect(ticks("a")).toHaveLength(18);
    expect(ticks("b")).toEqual(ticks("a"));
  });

  test("a crash after sending repeats jobs; a concurrent plan moves the watermark once", async () => {
    const { planning, dispatch, ticks } = await setUp(["a"]);
    const stale = (await planning.shard("10#0"))!;
    await dispatch.one("10#0");
    expect(ticks("a")).toHaveLength(18);
    expect(await planning.advance(stale, NOW + 999, stale)).toBe(false);
    expect(await dispatch.one("10#7")).toEqual({ jobs: 0, failed: 0 });
  });

  test("two shards of a minute's lane are due together and share a job; one that lags behind has its own", async () => {
    const { planning, dispatch, sent } = await setUp(["a", "b"], 60, 3 * 250);
    await planning.advance((await planning.shard("60#1"))!, NOW + 119, { planned: { a: NOW + 119 }, plannedSince: {} });
    await dispatch.all();
    const jobs = sent.flatMap(({ location, job }) => (job.kind === "tick" ? [{ location, ...job }] : []));
    const ticks = (location: string, shards: string[]) =>
      jobs.filter((job) => job.location === location && job.shards.join() === shards.join()).map(({ tick }) => tick);
    expect(ticks("b", ["60#0", "60#1"])).toHaveLength(3);
    expect(ticks("b", ["60#2"])).toHaveLength(3);
    expect(ticks("a", ["60#0"])).toEqual(ticks("b", ["60#0", "60#1"]).slice(0, 2));
    expect(ticks("a", ["60#0", "60#1"])).toEqual(ticks("b", ["60#0", "60#1"]).slice(2));
    expect(jobs).toHaveLength(3 + 3 + 2 + 1 + 3);
  });

  test("a shared job that could not be sent is sent again for each of its shards", async () => {
    const { planning, dispatch, sent, broken } = await setUp(["a"], 60, 2 * 250);
    broken.add("a");
    await dispatch.all();
    expect((await planning.shard("60#1"))?.plannedUntil).toBeUndefined();
    broken.clear();
    await dispatch.all();
    expect(sent.flatMap(({ job }) => (job.kind === "tick" ? [job.shards] : []))).toEqual(
      Array(3).fill(["60#0", "60#1"]),
    );
  });

  test("a location that is new to a shard is told of, by a new seat and by a change, until it is planned", async () => {
    const { shards, dispatch, ticks } = await setUp(["a", "b", "c"]);
    await tables.client.send(
      new UpdateCommand({
        TableName: tables.tables.monitors,
        Key: shardKey("10#0"),
        UpdateExpression: "DELETE locations :new",
        ExpressionAttributeValues: { ":new": new Set(["b", "c"]) },
      }),
    );
    await dispatch.all();
    expect(await shards.settingsChanged("10#0", ["a"])).toEqual({ isUnplanned: false });
    expect(await shards.place(10, ["a"])).toMatchObject({ shard: "10#0", isUnplanned: false });
    expect(await shards.settingsChanged("10#0", ["a", "b"])).toEqual({ isUnplanned: true });
    expect(await shards.place(10, ["c"])).toMatchObject({ shard: "10#0", isUnplanned: true });
    await dispatch.one("10#0");
    expect(ticks("b")).toEqual(ticks("a"));
    expect(ticks("c")).toEqual(ticks("a"));
    expect(await shards.settingsChanged("10#0", ["a", "b", "c"])).toEqual({ isUnplanned: false });
  });

  test("a watermark of a clock that was an hour ahead is not believed: ticks go on from now", async () => {
    const { dispatch, ticks } = await setUp(["a"]);
    now += 3600;
    await dispatch.all();
    now -= 3600;
    const before = ticks("a").length;
    await dispatch.all();
    await dispatch.all();
    expect(ticks("a").slice(before)).toEqual(
      ticks("a")
        .slice(0, before)
        .map((tick) => tick - 3600),
    );
  });

  test("the number of settings changes grows with each", async () => {
    const { shards, planning } = await setUp(["a"]);
    const before = await planning.settingsRevision("10#0");
    await shards.settingsChanged("10#0", ["a", "b"]);
    expect(await planning.settingsRevision("10#0")).toBe(before + 1);
    expect((await planning.shard("10#0"))?.locations).toEqual(["a", "b"]);
  });
});

describe("timers", () => {
  const at = (seconds: number) => new Date((NOW + seconds) * 1000).toISOString();
  const setUp = async (dueIn: Readonly<Record<string, number>>, locations: string[], kind: "own" | "look" = "own") => {
    const due = createDueStore(tables.client, tables.tables.monitors);
    const timerOf = (pk: string, dueAt: string) =>
      kind === "own"
        ? { dueBucket: dueBucket(pk), nextEvaluationAt: dueAt }
        : { lookBucket: lookBucket(pk), lookBy: dueAt };
    const items = Object.entries(dueIn).map(([id, seconds]) => ({
      ...monitorKey(id),
      ...timerOf(monitorKey(id).pk, at(seconds)),
      revision: 1,
    }));
    for (const some of chunksOf(items, 25))
      await tables.client.send(
        new BatchWriteCommand({
          RequestItems: { [tables.tables.monitors]: some.map((Item) => ({ PutRequest: { Item } })) },
        }),
      );
    const sent: PlannedJob[] = [];
    const queueTimers = createTimers({
      due,
      locations,
      sendJobs: async (jobs) => void sent.push(...jobs),
      now: clock,
      touchesPerRun: 80,
    });
    const revision = async (id: string) => {
      const { Item } = await tables.client.send(
        new GetCommand({ TableName: tables.tables.monitors, Key: { pk: `MONITOR#${id}`, sk: "MONITOR" } }),
      );
      return Item?.revision;
    };
    const touched = async () => (await Promise.all(Object.keys(dueIn).map(revision))).map((is) => is - 1);
    return { sent, queueTimers, revision, touched };
  };
  const many = (count: number, from: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`m${n}`, from + n / 1000]));
  const timer = (id: string, seconds: number) => ({ ...monitorKey(id), dueAt: at(seconds) });

  test("those that ring before the next run but one wait in a queue, what rings together in one job", async () => {
    const { sent, queueTimers, revision } = await setUp({ late: -20, far: 500, soon: 30, same: 30 }, ["a"]);
    await queueTimers();
    expect(sent).toEqual([
      { location: "a", job: { kind: "touch", timers: [timer("late", -20)] }, dueAtSeconds: NOW },
      {
        location: "a",
        job: { kind: "touch", timers: expect.arrayContaining([timer("same", 30), timer("soon", 30)]) },
        dueAtSeconds: NOW + 30,
      },
    ]);
    expect(await revision("late")).toBe(1);
  });

  test("the queues of two locations carry them, each minute others, so that one that is not served holds none up", async () => {
    const { sent, queueTimers } = await setUp({ soon: 90 }, ["a", "b", "c"]);
    await queueTimers();
    const carriers = sent.splice(0).map(({ location, dueAtSeconds }) => [location, dueAtSeconds - NOW]);
    now += 60;
    await queueTimers();
    const next = sent.map(({ location, dueAtSeconds }) => [location, dueAtSeconds - NOW]);
    expect([carriers, next]).toEqual([
      [
        ["a", 90],
        ["b", 90],
      ],
      [
        ["b", 90],
        ["c", 90],
      ],
    ]);
  });

  test("one that no queue brought is touched without, and stands in no queue", async () => {
    const { sent, queueTimers, revision } = await setUp({ forgotten: -40, late: -20 }, ["a"]);
    await queueTimers();
    expect([await revision("forgotten"), await revision("late")]).toEqual([2, 1]);
    expect(sent.map(({ job }) => job)).toEqual([{ kind: "touch", timers: [timer("late", -20)] }]);
  });

  test("a change that nobody looked at is touched, once until its next moment", async () => {
    const { sent, queueTimers, revision } = await setUp({ missed: -1, waiting: 30 }, ["a"], "look");
    await queueTimers();
    await queueTimers();
    expect([await revision("missed"), await revision("waiting")]).toEqual([2, 1]);
    expect(sent).toEqual([]);
    now += 91;
    await queueTimers();
    expect([await revision("missed"), await revision("waiting")]).toEqual([3, 2]);
  });

  test("a backlog is touched over several runs, each timer once", async () => {
    const { queueTimers, touched } = await setUp(many(100, -200), ["a"], "look");
    await queueTimers();
    expect((await touched()).toSorted()).toEqual([...Array(20).fill(0), ...Array(80).fill(1)]);
    await queueTimers();
    await queueTimers();
    expect(await touched()).toEqual(Array(100).fill(1));
  });

  test("touching ends after 20 s, however much is left", async () => {
    const { queueTimers, touched } = await setUp(many(60, -200), ["a"], "look");
    onWrite = () => {
      now += 1;
    };
    await queueTimers();
    const sum = (await touched()).reduce((total, one) => total + one);
    expect(sum).toBeGreaterThanOrEqual(20);
    expect(sum).toBeLessThanOrEqual(20 + 16);
  });

  test("a bucket that cannot be read holds up no other", async () => {
    const { sent, queueTimers } = await setUp(many(40, 30), ["a"]);
    refuse = (body) => /DUE#3"/.test(body);
    await expect(queueTimers()).rejects.toThrow("injected fault");
    const queued = sent.flatMap(({ job }) => (job.kind === "touch" ? job.timers : []));
    expect(queued.length).toBeGreaterThan(20);
    expect(queued.some(({ pk }) => dueBucket(pk) === "DUE#3")).toBe(false);
  });
});

test("a part of the run that fails leaves the others alone, and fails the run", async () => {
  const { client, tables: names } = tables;
  await createShardStore(client, names.monitors).place(10, ["a"]);
  const sent: PlannedJob[] = [];
  const planner = createPlanner({
    client,
    tables: names,
    locations: ["a"],
    queues: async (jobs) => {
      sent.push(...jobs);
      return { rejected: new Set(), errors: new Map() };
    },
    now: clock,
    sleep: async () => {},
    newId: randomUUID,
    log: () => {},
  });
  refuse = (body) => body.includes("LOOK#") || body.includes("DUE#");
  await expect(planner.everyMinute()).rejects.toThrow("injected fault");
  expect(new Set(sent.map(({ job }) => job.kind))).toEqual(new Set(["heartbeat", "tick"]));
  expect(await createLocationStore(client, names.monitors).get("a")).toMatchObject({
    askingSince: clock().toISOString(),
  });
  refuse = (body) => body.includes('"SHARD"');
  now += 60;
  await expect(planner.everyMinute()).rejects.toThrow("injected fault");
  expect(sent.filter(({ job }) => job.kind === "heartbeat")).toHaveLength(2);
});
