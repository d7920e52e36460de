import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDispatch, type PlannedJob } from "../../../functions/dispatch/dispatch.ts";
import { createLocationWatch } from "../../../functions/dispatch/locations.ts";
import { createTimers, type QueuedTimer } from "../../../functions/dispatch/timers.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { locationStateKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const NOW = 1_800_000_000;
let tables: Awaited<ReturnType<typeof startTables>>;
let now = NOW;
const clock = () => new Date(now * 1000);
beforeEach(async () => {
  tables = await startTables();
  now = NOW;
});
afterEach(() => tables.stop());

describe("planning", () => {
  const setUp = async (locations: string[]) => {
    const shards = createShardStore(tables.client, tables.tables.monitors);
    await shards.place(10, locations);
    const planning = createPlanningStore(tables.client, tables.tables.monitors);
    const sent: PlannedJob[] = [];
    const broken = new Set<string>();
    const dispatch = createDispatch({
      planning,
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
    for (const { job, delaySeconds } of sent) if (job.kind === "tick") expect(delaySeconds).toBeGreaterThanOrEqual(0);
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
    expect(await planning.advance(stale, NOW + 999, {})).toBe(false);
    expect(await dispatch.one("10#7")).toEqual({ jobs: 0, failed: 0 });
  });

  test("the number of settings changes grows with each", async () => {
    const { shards, planning } = await setUp(["a"]);
    const before = await planning.settingsRevision("10#0");
    await shards.settingsChanged("10#0", ["a", "b"]);
    expect(await planning.settingsRevision("10#0")).toBe(before + 1);
    expect((await planning.shard("10#0"))?.locations).toEqual(["a", "b"]);
  });
});

test("timers that ring before the next run but one are queued with their delay", async () => {
  const at = (seconds: number) => new Date((NOW + seconds) * 1000).toISOString();
  const due = createDueStore(tables.client, tables.tables.monitors);
  const { PutCommand } = await import("@aws-sdk/lib-dynamodb");
  for (const [id, seconds] of [
    ["late", -50],
    ["soon", 30],
    ["far", 500],
  ] as const)
    await tables.client.send(
      new PutCommand({
        TableName: tables.tables.monitors,
        Item: { pk: `MONITOR#${id}`, sk: "MONITOR", dueBucket: "DUE#3", nextEvaluationAt: at(seconds) },
      }),
    );
  const queued: QueuedTimer[] = [];
  await createTimers(due, async (timers) => void queued.push(...timers), clock)();
  expect(queued).toEqual([
    { key: { pk: "MONITOR#late", sk: "MONITOR" }, delaySeconds: 0 },
    { key: { pk: "MONITOR#soon", sk: "MONITOR" }, delaySeconds: 30 },
  ]);
});

describe("watching locations", () => {
  test("a location that falls silent has its monitors decided again, and is told once; so is its return", async () => {
    const { client } = tables;
    const name = tables.tables.monitors;
    const store = createLocationStore(client, name);
    const views = createViewStore(client, name);
    await createShardStore(client, name).place(10, ["a", "b"]);
    await putMonitor(tables, monitorOf({ id: "ma", locations: ["a"] }));
    await putMonitor(tables, monitorOf({ id: "mb", locations: ["b"] }));
    const watch = createLocationWatch({
      locations: ["a", "b"],
      store,
      planning: createPlanningStore(client, name),
      views,
      due: createDueStore(client, name),
      now: clock,
    });
    const revisions = async () => {
      const read = async (id: string) => ((await views.member(id)) as unknown as { revision: number }).revision;
      return [await read("ma"), await read("mb")];
    };
    const told = async () => {
      const { Item } = await client.send(new GetCommand({ TableName: name, Key: locationStateKey("a") }));
      return Object.values(Item?.pendingAlerts ?? {}).map(
        (entry) => (entry as { content: { subject: string } }).content.subject,
      );
    };
    await watch(); // asked for the first time: nothing to tell
    expect(await told()).toEqual([]);
    now += 60;
    await store.beat("a", clock().toISOString());
    await store.beat("b", clock().toISOString());
    await watch();
    expect(await told()).toEqual([]);
    const before = await revisions();
    for (let minute = 0; minute < 4; minute++) {
      now += 60;
      await store.beat("b", clock().toISOString());
      await watch();
    }
    expect(await told()).toEqual(["Location a: silent"]);
    expect(await revisions()).toEqual([before[0]! + 1, before[1]]);
    await store.beat("a", clock().toISOString());
    await watch();
    expect(await told()).toEqual(["Location a: working"]);
    await store.setOffline("a", clock().toISOString());
    await watch();
    expect(await told()).toEqual(["Location a: offline"]);
  });

  test("after the whole installation stood still, nobody is silent until asked for three minutes", async () => {
    const store = createLocationStore(tables.client, tables.tables.monitors);
    const askedAt = async () => (await store.get("a"))?.askingSince;
    await store.ask("a", clock(), 180);
    const first = await askedAt();
    now += 60;
    await store.ask("a", clock(), 180);
    expect(await askedAt()).toBe(first);
    now += 3600;
    await store.ask("a", clock(), 180);
    expect(await askedAt()).toBe(clock().toISOString());
  });

  test("a heartbeat never moves backwards", async () => {
    const store = createLocationStore(tables.client, tables.tables.monitors);
    await store.beat("a", "2026-11-23T10:00:00.000Z");
    await store.beat("a", "2026-11-23T09:00:00.000Z");
    expect(await store.get("a")).toMatchObject({ name: "a", lastHeartbeatAt: "2026-11-23T10:00:00.000Z" });
  });
});
