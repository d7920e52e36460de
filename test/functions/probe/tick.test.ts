import { setTimeout as sleep } from "node:timers/promises";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createJob } from "../../../functions/probe/job.ts";
import { createMembers } from "../../../functions/probe/members.ts";
import { createSpot } from "../../../functions/probe/spot.ts";
import { createTick } from "../../../functions/probe/tick.ts";
import type { Intercept } from "../../../infra/local/dynamo.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import type { Job, Monitor } from "../../../shared/model.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { dueBucket, monitorKey } from "../../../shared/store/keys.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { refusedPort, serve, serveUdp } from "../../support/servers.ts";
import { startTables } from "../../support/tables.ts";

const SHARD = "10#0";

/** One location's probe on real tables and real sockets; its clock is set to half a second after the tick that runs. */
async function startProbe(intercept?: Intercept) {
  const tables = await startTables(intercept ? { intercept } : {});
  const { monitors, history: historyTable } = tables.tables;
  const views = createViewStore(tables.client, monitors);
  const history = createHistoryStore(tables.client, historyTable, { now: () => now() });
  const planning = createPlanningStore(tables.client, monitors);
  const shards = createShardStore(tables.client, monitors);
  const due = createDueStore(tables.client, monitors);
  await shards.place(10, ["a"]);
  const first = 1_800_000_000;
  let offsetMs = 0;
  const setTo = (seconds: number) => {
    offsetMs = seconds * 1000 - Date.now();
  };
  setTo(first);
  const now = () => Date.now() + offsetMs;
  const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, now });
  const state = { online: true, wentOffline: [] as string[], results: [] as string[], asked: 0 };
  const members = createMembers(views, planning, now);
  const control = async () => {
    state.asked += 1;
    return state.online ? ("online" as const) : ("offline" as const);
  };
  const tick = createTick({
    location: "a",
    engine,
    members,
    views,
    history,
    control,
    wentOffline: async (since) => void state.wentOffline.push(since),
    blockSeconds: 1000,
    now,
    sleep: async () => {},
  });
  return {
    ...tables,
    views,
    history,
    shards,
    state,
    /** Runs the n-th tick, so many seconds after it was due. */
    tick: (n: number, lag = 0.5) => {
      setTo(first + n * 10 + lag);
      return tick(SHARD, first + n * 10);
    },
    at: (n: number) => first + n * 10,
    job: createJob({
      tick,
      spot: async () => {},
      heartbeat: async () => {},
      touch: (timer) => due.touch(timer, now()),
      nudge: (key) => due.nudge(key, now()),
      checked: ({ result }) => state.results.push(result),
    }),
    spot: createSpot({ location: "a", engine, views, control, now }),
    view: async (id = "m1") => (await views.views([id], "a")).get(id),
    block: async (n: number) => {
      const block = await history.latestBlock(SHARD, "a", first + n * 10);
      return block?.tick === first + n * 10 ? block : undefined;
    },
    setTimer: (id: string, dueAt: string) =>
      tables.client.send(
        new UpdateCommand({
          TableName: monitors,
          Key: monitorKey(id),
          UpdateExpression: "SET nextEvaluationAt = :at, dueBucket = :bucket",
          ExpressionAttributeValues: { ":at": dueAt, ":bucket": dueBucket(monitorKey(id).pk) },
        }),
      ),
    put: (more: Partial<Monitor>) => putMonitor(tables, monitorOf(more)),
  };
}

describe("a tick", () => {
  let p: Awaited<ReturnType<typeof startProbe>>;
  beforeEach(async () => {
    p = await startProbe();
  });
  afterEach(() => p.stop());

  test("stores views that changed, then one block; the next quiet tick writes the block alone", async () => {
    await using server = await serve(() => {});
    const { port: dead } = await refusedPort();
    await p.put({ id: "m1", port: server.port });
    await p.put({ id: "m2", port: dead });
    await p.put({ id: "m3", port: dead, paused: true });
    expect(await p.tick(0)).toMatchObject({ result: "checked", offline: false, late: 0 });
    expect(await p.view("m1")).toMatchObject({ health: "up", state: "open", tick: p.at(0) });
    expect(await p.view("m2")).toMatchObject({ health: "down", state: "closed", reason: "connection-refused" });
    const block = await p.block(0);
    expect(block?.entries.map(({ state, view, bits, bitCount }) => [state, view, bits, bitCount])).toEqual([
      ["open", "up", 1, 1],
      ["closed", "down", 0, 1],
      ["unmeasured", null, 0, 0],
    ]);
    expect(await p.history.roster(block!.roster)).toEqual(["m1", "m2", "m3"]);

    p.database.usage.reset();
    await p.tick(1);
    const writes = p.database.usage.rows().filter(({ operation }) => /^(Put|Update)/.test(operation));
    expect((await p.block(1))?.entries.map(({ bits, bitCount }) => [bits, bitCount])).toEqual([
      [3, 2],
      [0, 2],
      [0, 0],
    ]);
    expect((await p.view("m1"))?.tick).toBe(p.at(0));
    expect(writes).toMatchObject([{ operation: "PutItem", requests: 1, units: 1 }]);
  });

  test("a UDP target known to be silent is waited for two seconds, and for its whole timeout every tenth tick", async () => {
    await using server = await serveUdp(() => {});
    const settings = { send: "ping", silence: "down" };
    await p.put({ protocol: "udp", port: server.port, settings, timeoutMs: 2_200 });
    const waited = [];
    for (const n of [9, 11, 20])
      waited.push(/within \d+ ms/.exec((await p.tick(n)).outcomes.get("m1")?.message ?? "")?.[0]);
    expect(waited).toEqual(["within 2200 ms", "within 2000 ms", "within 2200 ms"]);
  });

  test("running it twice changes nothing", async () => {
    await using server = await serve(() => {});
    await p.put({ port: server.port });
    expect((await p.tick(0)).result).toBe("checked");
    expect((await p.tick(0)).result).toBe("done");
  });

  test("a job that comes after its tick's time is late and leaves a gap", async () => {
    await p.put({});
    expect((await p.tick(0, 8.9)).result).toBe("late");
    expect(await p.block(0)).toBeUndefined();
  });

  test("thresholds count across ticks, from the block before", async () => {
    const { port: dead } = await refusedPort();
    await p.put({ port: dead, failureThreshold: 3 });
    const seen = [];
    for (const n of [0, 1, 2]) {
      await p.tick(n);
      seen.push((await p.view())?.health);
    }
    expect(seen).toEqual([undefined, undefined, "down"]);
  });

  test("when the control targets fail, nobody is down: the location is offline, and the block says so", async () => {
    const server = await serve(() => {});
    await p.put({ port: server.port });
    await p.tick(0);
    await server[Symbol.asyncDispose]();
    p.state.online = false;
    expect(await p.tick(1)).toMatchObject({ result: "checked", offline: true });
    expect((await p.view())?.health).toBe("up");
    expect(await p.block(1)).toMatchObject({
      offline: true,
      entries: [{ health: "down", view: "up", bits: 1, bitCount: 1 }],
    });
    expect(p.state.wentOffline).toEqual([new Date(p.at(1) * 1000).toISOString()]);
    p.state.online = true;
    await p.tick(2);
    expect((await p.view())?.health).toBe("down");
  });

  test("a change of what is checked begins a new history, and an outcome of the old settings is not stored", async () => {
    const { port: dead } = await refusedPort();
    await using server = await serve(() => {});
    await p.put({ port: dead });
    await p.tick(0);
    await p.put({ port: server.port, settingsVersion: 2, views: {} });
    await p.shards.settingsChanged(SHARD, ["a"]);
    await p.tick(1);
    expect(await p.view()).toMatchObject({ health: "up" });
    expect((await p.block(1))?.entries).toMatchObject([{ settingsByte: 2, bits: 1, bitCount: 1 }]);
    // A probe that still remembers version 1 writes nothing.
    expect(await p.views.save("m1", 1, "a", { ...(await p.view())!, health: "down", tick: p.at(9) })).toBe(false);
  });

  test("targets known to be silent start before the others, whose checks fit into the wait", async () => {
    const order: string[] = [];
    const listener = (name: string) => serve(() => void order.push(name));
    await using quick = await listener("quick");
    await using silent = await listener("silent");
    await p.put({ id: "m1", port: quick.port });
    const settings = { steps: [{ expect: { contains: "hello" } }] };
    await p.put({ id: "m2", port: silent.port, settings, timeoutMs: 300 });
    await p.tick(0);
    expect(await p.view("m2")).toMatchObject({ health: "down", reason: "no-answer" });
    expect(order).toEqual(["quick", "silent"]);
    await p.tick(1);
    expect(order).toEqual(["quick", "silent", "silent", "quick"]);
  });

  test("members are remembered until the shard says that something changed", async () => {
    await using server = await serve(() => {});
    await p.put({ port: server.port });
    let clock = Date.now();
    const planning = createPlanningStore(p.client, p.tables.monitors);
    const reads: string[] = [];
    const members = createMembers(
      {
        ...p.views,
        members: (shard: string) => {
          reads.push(shard);
          return p.views.members(shard);
        },
      },
      planning,
      () => clock,
    );
    const readsAfter = async (seconds: number) => {
      clock += seconds * 1000;
      await members(SHARD);
      return reads.length;
    };
    expect(await readsAfter(0)).toBe(1);
    expect(await readsAfter(10)).toBe(2); // just changed, as far as it knows: the index may have lagged
    expect(await readsAfter(25)).toBe(3);
    expect(await readsAfter(10)).toBe(3);
    await p.shards.settingsChanged(SHARD, ["a"]);
    expect(await readsAfter(1)).toBe(4);
    expect(await readsAfter(10)).toBe(5);
    expect(await readsAfter(20)).toBe(6);
    expect(await readsAfter(300)).toBe(6);
    expect(await readsAfter(300)).toBe(7); // ten minutes at most
  });
});

describe("a spot check", () => {
  let p: Awaited<ReturnType<typeof startProbe>>;
  beforeEach(async () => {
    p = await startProbe();
  });
  afterEach(() => p.stop());

  test("fills an empty view at once, and never replaces one", async () => {
    await using server = await serve(() => {});
    await p.put({ port: server.port });
    await p.spot([{ id: "m1", settingsVersion: 1 }]);
    const view = await p.view();
    expect(view?.health).toBe("up");
    expect(await p.block(0)).toBeUndefined();
    await server[Symbol.asyncDispose]();
    await p.spot([{ id: "m1", settingsVersion: 1 }]);
    await p.spot([
      { id: "m1", settingsVersion: 7 },
      { id: "nobody", settingsVersion: 1 },
    ]);
    expect(await p.view()).toEqual(view);
  });

  test("of many monitors waits with nobody's view for the slowest, and asks once whether the location is offline", async () => {
    await using quick = await serve(() => {});
    await using silent = await serve(() => {});
    const { port: dead } = await refusedPort();
    const settings = { steps: [{ expect: { contains: "hello" } }] };
    await p.put({ id: "m1", port: quick.port });
    await p.put({ id: "m2", port: silent.port, settings, timeoutMs: 1500 });
    await p.put({ id: "m3", port: dead });
    const all = ["m1", "m2", "m3"].map((id) => ({ id, settingsVersion: 1 }));
    p.state.online = false;
    const spot = p.spot(all);
    while (!(await p.view("m1"))) await sleep(10);
    expect(await p.view("m2")).toBeUndefined();
    await spot;
    expect([await p.view("m2"), await p.view("m3")]).toEqual([undefined, undefined]);
    expect(p.state.asked).toBe(1);
    p.state.online = true;
    await p.spot(all);
    expect([(await p.view("m2"))?.reason, (await p.view("m3"))?.reason]).toEqual(["no-answer", "connection-refused"]);
  });
});

describe("a job", () => {
  test("of several shards: one that fails is repeated with the job, the others are done by then", async () => {
    let broken = "SHARD#10#1#a";
    await using p = await startProbe(({ operation, body }) =>
      operation === "PutItem" && (body as { Item: { pk: { S: string } } }).Item.pk.S === broken
        ? "fail-before"
        : "proceed",
    );
    await using server = await serve(() => {});
    const shards = ["10#0", "10#1"];
    for (const [i, shard] of shards.entries())
      await p.put({ id: `m${i}`, port: server.port, shard, placements: [{ shard, fromTick: 0, toTick: null }] });
    await expect(p.job({ kind: "tick", shards, tick: p.at(0) })).rejects.toThrow();
    expect(p.state.results).toEqual(["checked"]);
    broken = "";
    await p.job({ kind: "tick", shards, tick: p.at(0) });
    expect(p.state.results.toSorted()).toEqual(["checked", "checked", "done"]);
    for (const shard of shards) expect((await p.history.latestBlock(shard, "a", p.at(0)))?.tick).toBe(p.at(0));
    expect((await p.view("m1"))?.health).toBe("up");
  });

  test("of timers touches those that have not changed since, and none twice", async () => {
    await using p = await startProbe();
    const dueAt = "2027-01-01T00:00:00.000Z";
    await p.put({});
    await p.setTimer("m1", dueAt);
    const timers = ["m1", "gone"].map((id) => ({ ...monitorKey(id), dueAt }));
    await p.job({ kind: "touch", timers });
    await p.job({ kind: "touch", timers });
    const [touched, ...others] = await p.views.membersById(["m1", "gone"]);
    expect(touched).toMatchObject({ revision: 2, lookBy: expect.any(String) });
    expect(touched).not.toHaveProperty("nextEvaluationAt");
    expect(others).toEqual([]);
  });

  test("of keys, as the version before queued it, brings up what is there", async () => {
    await using p = await startProbe();
    await p.put({});
    const former = { kind: "touch", keys: [monitorKey("m1"), monitorKey("gone")] } as unknown as Job;
    await p.job(former);
    expect(await p.views.membersById(["m1", "gone"])).toMatchObject([{ revision: 2, lookBy: expect.any(String) }]);
  });
});
