import { GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAftermath } from "../../../functions/dispatch/aftermath.ts";
import { createLocationWatch } from "../../../functions/dispatch/locations.ts";
import { createStallWatch } from "../../../functions/dispatch/stalls.ts";
import { createHeartbeat } from "../../../functions/probe/heartbeat.ts";
import type { PendingAlert, Status } from "../../../shared/model.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { createFreshness } from "../../../shared/store/freshness.ts";
import { blockKey, locationKey, locationStateKey, monitorKey } from "../../../shared/store/keys.ts";
import { createLocationStore } from "../../../shared/store/locations.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createStandingReader } from "../../../shared/store/standing.ts";
import { createViewStore } from "../../../shared/store/views.ts";
import { monitorOf, putMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

const NOW = 1_800_000_000;
const MINUTE = 60;
const HOUR = 3_600;

/** Dispatch's parts that watch locations, on real tables; what the probes would write, tests write. */
async function startWatch(locations: readonly string[]) {
  let now = NOW;
  let ids = 0;
  const refused = { update: (_key: string): boolean => false };
  const tables = await startTables({
    intercept: ({ operation, body }) =>
      operation === "UpdateItem" && refused.update(JSON.stringify(body)) ? "fail-before" : "proceed",
  });
  const { client } = tables;
  const { monitors: table, history } = tables.tables;
  const clock = () => new Date(now * 1000);
  const store = createLocationStore(client, table);
  const planning = createPlanningStore(client, table);
  const views = createViewStore(client, table);
  const standing = createStandingReader(client, table);
  const due = createDueStore(client, table);
  const newId = () => String(++ids);
  const outside = { locations, store, planning, views, standing, due, now: clock, newId };
  const watchWith = (names: readonly string[]) => createLocationWatch({ ...outside, locations: names })();
  const goOn = createAftermath(outside);
  const stalls = createStallWatch({ ...outside, freshness: createFreshness(client, history) });
  const item = async (key: { pk: string; sk: string }) =>
    (await client.send(new GetCommand({ TableName: table, Key: key }))).Item ?? {};
  const outbox = async (name: string) =>
    Object.values(((await item(locationStateKey(name))).pendingAlerts ?? {}) as Record<string, PendingAlert>);
  return {
    ...tables,
    store,
    planning,
    shards: createShardStore(client, table),
    clock,
    refused,
    watchWith,
    watch: () => watchWith(locations),
    stalls: async () => stalls((await Array.fromAsync(planning.shards())).flat(), await store.all()),
    goOn: async (hasTime = () => true) =>
      goOn(
        (await store.all()).map(({ name }) => name),
        hasTime,
      ),
    item,
    outbox,
    pass: (seconds: number) => {
      now += seconds;
    },
    set: (seconds: number) => {
      now = seconds;
    },
    beat: (...names: string[]) => Promise.all(names.map((name) => store.beat(name, clock(), clock()))),
    told: async (name: string) =>
      (await outbox(name)).map(({ content }) => (content.kind === "system" ? content.subject : "")),
    put: (id: string, location: string, more: object = {}) =>
      putMonitor(tables, { ...monitorOf({ id, name: id, locations: [location] }), ...more }),
    revision: async (id: string) => (await item(monitorKey(id))).revision as number,
    judge: (id: string, status: Status) =>
      client.send(
        new UpdateCommand({
          TableName: table,
          Key: monitorKey(id),
          UpdateExpression: "SET #status = :status",
          ExpressionAttributeNames: { "#status": "status" },
          ExpressionAttributeValues: { ":status": status },
        }),
      ),
    block: (shard: string, location: string, tick: number, isDone = true) =>
      client.send(
        new PutCommand({
          TableName: history,
          Item: { ...blockKey(shard, location, tick), ...(isDone && { data: new Uint8Array(9) }) },
        }),
      ),
  };
}

let w: Awaited<ReturnType<typeof startWatch>>;
afterEach(() => w.stop());

describe("a location's news", () => {
  beforeEach(async () => {
    w = await startWatch(["a", "b"]);
    await w.shards.place(10, ["a", "b"]);
    await w.put("ma", "a");
    await w.put("mb", "b");
  });

  const silence = async () => {
    await w.watch();
    await w.beat("a", "b");
    await w.watch();
    for (let minute = 0; minute < 4; minute++) {
      w.pass(MINUTE);
      await w.beat("b");
      await w.watch();
    }
  };

  test("is its return also where heartbeats of the silence waited in a queue, and are worked off in order", async () => {
    await silence();
    const at = (secondsAgo: number) => new Date(w.clock().getTime() - secondsAgo * 1000);
    for (const ago of [240, 180, 120, 60, 0]) await w.store.beat("a", at(ago), w.clock());
    const [a, b] = await w.store.all();
    expect(Date.parse(a!.backSince ?? "")).toBeGreaterThan(at(240).getTime());
    expect(b!.backSince).toBeNull();
  });

  test("of silence and return is told once each, and its monitors are decided again", async () => {
    await silence();
    await w.goOn();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
    expect(await w.told("b")).toEqual([]);
    expect([await w.revision("ma"), await w.revision("mb")]).toEqual([2, 1]);
    expect(await w.item(monitorKey("ma"))).toHaveProperty("lookBy");
    await w.beat("a");
    await w.watch();
    await w.goOn();
    await w.goOn();
    // What was not delivered yet stands beside it, in the order in which it was said.
    const said = (await w.outbox("a")).toSorted((x, y) => x.sequence! - y.sequence!);
    expect(said.map(({ content }) => (content.kind === "system" ? content.subject : ""))).toEqual([
      "Location a: silent",
      "Location a: working",
    ]);
    expect(await w.revision("ma")).toBe(3);
    await w.store.setOffline("a", w.clock().toISOString());
    await w.watch();
    expect(await w.told("a")).toContain("Location a: offline");
  });

  test("is told first, however many monitors it has and whatever becomes of them", async () => {
    w.refused.update = (body) => body.includes("MONITOR#ma");
    await silence();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
    await expect(w.goOn()).rejects.toThrow("injected fault");
    expect((await w.store.state("a")).toNudge).toEqual(["10#0"]);
    w.refused.update = () => false;
    await w.goOn();
    expect(await w.revision("ma")).toBe(2);
    expect((await w.store.state("a")).toNudge).toEqual([]);
  });

  test("goes on in the next run where the time of this one ended", async () => {
    await w.shards.place(20, ["a"]);
    await w.put("mc", "a", { shard: "20#0" });
    await silence();
    let left = 2;
    await w.goOn(() => left-- > 0);
    expect((await w.store.state("a")).toNudge).toEqual(["20#0"]);
    expect(await w.revision("ma")).toBe(2);
    await w.goOn();
    expect((await w.store.state("a")).toNudge).toEqual([]);
    expect([await w.revision("ma"), await w.revision("mc")]).toEqual([2, 2]);
  });

  test("that comes while its monitors are brought up has them brought up again", async () => {
    await silence();
    const before = await w.store.state("a");
    await w.store.announce(await w.store.state("a"), { condition: "working", toNudge: ["10#0"] }, w.clock());
    expect(await w.store.nudged(before, "10#0")).toBe(false);
    expect((await w.store.state("a")).toNudge).toEqual(["10#0"]);
  });

  test("says once, after six minutes, how many monitors cannot be judged because of it", async () => {
    for (let n = 0; n < 6; n++) {
      await w.put(`x${n}`, "a");
      await w.judge(`x${n}`, "unknown");
    }
    await w.put("other", "b");
    await w.judge("other", "unknown");
    await silence();
    await w.goOn();
    w.pass(5 * MINUTE);
    await w.goOn();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
    w.pass(MINUTE);
    await w.goOn();
    await w.goOn();
    expect((await w.told("a")).toSorted()).toEqual([
      "Location a: monitors that cannot be judged: 6",
      "Location a: silent",
    ]);
    const { content } = (await w.outbox("a")).find((entry) => JSON.stringify(entry).includes("judged"))!;
    expect(content).toMatchObject({ message: expect.stringContaining("(x0, x1, x2, x3, x4, …). It is silent") });
  });

  test("says nothing of monitors where all can be judged", async () => {
    await silence();
    await w.goOn();
    w.pass(6 * MINUTE);
    await w.goOn();
    expect(await w.told("a")).toEqual(["Location a: silent"]);
  });

  test("that it is configured no more is told as long as monitors name it, and that it is back", async () => {
    await w.beat("a", "b", "c");
    await w.watchWith(["a", "b", "c"]);
    await w.watchWith(["a"]);
    expect((await w.outbox("b")).map(({ content }) => content)).toMatchObject([
      {
        subject: "Location b: removed",
        message: expect.stringMatching(/not configured any more. Monitors that still name it.*: 1\./),
      },
    ]);
    expect(await w.told("c")).toEqual([]);
    await w.watchWith(["a"]);
    expect((await w.store.state("b")).condition).toBe("removed");
    await w.watchWith(["a", "b"]);
    expect(await w.told("b")).toContain("Location b: working");
  });
});

describe("a heartbeat", () => {
  beforeEach(async () => {
    w = await startWatch(["a"]);
  });
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const at = (seconds: number) => new Date(seconds * 1000);

  test("never moves backwards, unless the one before lies in the future", async () => {
    await w.store.beat("a", at(NOW), at(NOW));
    await w.store.beat("a", at(NOW - 60), at(NOW));
    expect(await w.store.get("a")).toMatchObject({ lastHeartbeatAt: iso(NOW), backSince: null });
    await w.store.beat("a", at(NOW + HOUR), at(NOW + HOUR)); // by a clock that is an hour ahead
    await w.store.beat("a", at(NOW + 60), at(NOW + 60));
    expect((await w.store.get("a"))?.lastHeartbeatAt).toBe(iso(NOW + 60));
  });

  test("that was asked for by a clock that is ahead counts as of now", async () => {
    await w.store.beat("a", at(NOW + HOUR), at(NOW));
    expect((await w.store.get("a"))?.lastHeartbeatAt).toBe(iso(NOW));
  });

  test("after silence says since when the location is back; one in time does not", async () => {
    await w.store.beat("a", at(NOW), at(NOW));
    await w.store.beat("a", at(NOW + 180), at(NOW + 180));
    expect((await w.store.get("a"))?.backSince).toBeNull();
    await w.store.beat("a", at(NOW + 361), at(NOW + 365));
    await w.store.beat("a", at(NOW + 420), at(NOW + 421));
    expect(await w.store.get("a")).toMatchObject({ backSince: iso(NOW + 361), lastHeartbeatAt: iso(NOW + 420) });
  });

  test("puts right since when the location is back, where a clock that was ahead had said so", async () => {
    await w.store.beat("a", at(NOW - HOUR), at(NOW - HOUR));
    await w.store.beat("a", at(NOW + HOUR), at(NOW + HOUR));
    expect(await w.store.get("a")).toMatchObject({ backSince: iso(NOW + HOUR) });
    await w.store.beat("a", at(NOW), at(NOW));
    expect(await w.store.get("a")).toMatchObject({ backSince: iso(NOW), lastHeartbeatAt: iso(NOW) });
  });

  test("ends being offline when control targets answer, and the location is back since that moment", async () => {
    let online = false;
    let now = NOW;
    const heartbeat = createHeartbeat({
      location: "a",
      locations: w.store,
      control: async () => (online ? "online" : "offline"),
      now: () => now * 1000,
    });
    await w.store.setOffline("a", iso(NOW - 5));
    await heartbeat(NOW);
    expect(await w.store.get("a")).toMatchObject({ offlineSince: iso(NOW - 5), backSince: null });
    [online, now] = [true, NOW + 63];
    await heartbeat(NOW + 60);
    expect(await w.store.get("a")).toMatchObject({
      offlineSince: null,
      backSince: iso(NOW + 63),
      lastHeartbeatAt: iso(NOW + 60),
    });
  });

  test("is asked for anew after a standstill, and after a clock that was ahead", async () => {
    const asked = async () => (await w.store.get("a"))?.askingSince;
    await w.store.ask("a", at(NOW), 180);
    await w.store.ask("a", at(NOW + 60), 180);
    expect(await asked()).toBe(iso(NOW));
    await w.store.ask("a", at(NOW + HOUR), 180);
    expect(await asked()).toBe(iso(NOW + HOUR));
    await w.store.ask("a", at(NOW + 120), 180);
    expect(await asked()).toBe(iso(NOW + 120));
  });
});

describe("shards that are not checked", () => {
  const START = NOW; // a multiple of 60
  beforeEach(async () => {
    w = await startWatch(["a", "b"]);
    for (let left = 3 * 250; left > 0; ) left -= (await w.shards.place(60, ["a", "b"], left)).count;
    for (const n of [0, 1, 2]) {
      await w.put(`ma${n}`, "a", { shard: `60#${n}`, intervalSeconds: 60, placements: placed(`60#${n}`) });
      await w.put(`mb${n}`, "b", { shard: `60#${n}`, intervalSeconds: 60, placements: placed(`60#${n}`) });
    }
    w.set(START);
  });
  const placed = (shard: string) => [{ shard, fromTick: 0, toTick: null }];
  const SHARDS = ["60#0", "60#1", "60#2"];

  /** Minutes of planning, heartbeats and blocks. @param checks which shards' checks come to a block at a location */
  const run = async (
    minutes: number,
    checks: (shard: string, location: string) => boolean,
    heartbeats = ["a", "b"],
  ) => {
    for (let minute = 0; minute < minutes; minute++) {
      w.pass(MINUTE);
      const second = w.clock().getTime() / 1000;
      for (const name of ["a", "b"]) await w.store.ask(name, w.clock(), 180);
      await w.beat(...heartbeats);
      for (const name of SHARDS) {
        const shard = (await w.planning.shard(name))!;
        const [planned, since] = [second + 179, shard.plannedSince.a ?? second];
        await w.planning.advance(shard, planned, {
          planned: { a: planned, b: planned },
          plannedSince: { a: since, b: since },
        });
        for (const location of heartbeats)
          if (checks(name, location)) await w.block(name, location, second - 30);
          else if (minute % 2 === 0) await w.block(name, location, second - 30, false); // a run that died
      }
      await w.stalls();
      await w.goOn();
    }
  };
  const stalled = async (name: string) => (await w.store.get(name))!.stalled;

  test("are found within minutes, told once with their monitors, and these are decided again; so is their return", async () => {
    await run(6, () => true);
    expect(await stalled("a")).toEqual({});
    const before = await w.revision("ma0");
    await run(9, (_shard, location) => location === "b");
    expect(Object.keys(await stalled("a")).toSorted()).toEqual(SHARDS);
    expect(Object.values(await stalled("a"))[0]).toEqual({ since: expect.any(String), backSince: null });
    expect(await stalled("b")).toEqual({});
    expect(await w.told("a")).toEqual(["Location a: checks stand still"]);
    expect((await w.outbox("a"))[0]!.content).toMatchObject({
      message: expect.stringContaining("3 of its 3 shards with 3 monitors stored no outcomes"),
    });
    expect([await w.revision("ma0"), await w.revision("mb0")]).toEqual([before + 1, before]);
    await run(4, () => true);
    expect((await w.told("a")).toSorted()).toEqual(["Location a: checks run again", "Location a: checks stand still"]);
    const { backSince } = (await stalled("a"))["60#0"]!;
    expect(Date.parse(backSince!) / 1000).toBeGreaterThanOrEqual(START + 15 * MINUTE);
    expect(await w.revision("ma0")).toBe(before + 2);
    w.pass(2 * HOUR);
    await run(4, () => true);
    expect(await stalled("a")).toEqual({});
  });

  test("of one location alone are told with their number", async () => {
    await run(10, (shard, location) => location === "b" || shard !== "60#1");
    expect(Object.keys(await stalled("a"))).toEqual(["60#1"]);
    expect((await w.outbox("a"))[0]!.content).toMatchObject({
      message: expect.stringContaining("1 of its 3 shards with 1 monitors"),
    });
  });

  test("are no news while the location is silent, nor right after it", async () => {
    await run(6, () => true);
    await run(6, () => false, ["b"]);
    await run(2, () => false);
    expect(await stalled("a")).toEqual({});
  });

  test("are no news where nobody is checked: paused, new or changed moments ago, moved away", async () => {
    const recent = { updatedAt: new Date((START + 9 * MINUTE) * 1000).toISOString() };
    await w.put("ma0", "a", { shard: "60#0", intervalSeconds: 60, placements: placed("60#0"), paused: true });
    await w.put("ma1", "a", { shard: "60#1", intervalSeconds: 60, placements: placed("60#1"), ...recent });
    await w.put("ma2", "b", { shard: "60#2", intervalSeconds: 60, placements: placed("60#2") });
    await run(9, (_shard, location) => location === "b");
    expect(await stalled("a")).toEqual({});
    expect(await w.told("a")).toEqual([]);
  });

  test("are no news before there was time for a block", async () => {
    await run(2, () => false);
    expect(await stalled("a")).toEqual({});
  });

  test("keep their entry apart from heartbeats", async () => {
    await run(9, (_shard, location) => location === "b");
    expect((await w.item(locationKey("a"))).lastHeartbeatAt).toBe(w.clock().toISOString());
    expect(Object.keys(await stalled("a"))).toHaveLength(3);
  });
});
