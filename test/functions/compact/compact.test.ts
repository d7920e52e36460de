import { QueryCommand, ScanCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "vitest";
import { decodeChunk } from "../../../shared/history/chunk.ts";
import { tallyOf } from "../../../shared/history/day.ts";
import type { PastOutcome } from "../../../shared/history/outcome.ts";
import { tallySteps } from "../../../shared/history/stats.ts";
import type { LANES } from "../../../shared/model.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import { shardKey } from "../../../shared/store/keys.ts";
import { type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";
import { DAY, HOUR, MIDNIGHT, monitorOf, startHistory } from "./fixture.ts";

type Started = Awaited<ReturnType<typeof startHistory>>;

const seat = (started: Started, shard: string, members = 1, locations = ["eu"]) =>
  started.shards.place(Number(shard.split("#")[0]) as (typeof LANES)[number], locations, members);

const itemsOf = async ({ client, tables }: Started, pk: string) =>
  (
    await client.send(
      new QueryCommand({
        TableName: tables.history,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk },
      }),
    )
  ).Items ?? [];

/** Everything compact writes, or all that begins with a prefix, as it stands: keys, bytes, expiry. */
const archiveOf = async ({ client, tables }: Started, prefix = "") => {
  const items: string[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName: tables.history, ExclusiveStartKey: from }));
    for (const { pk, sk, data, expiresAtSeconds, ...rest } of page.Items ?? []) {
      if (prefix ? !pk.startsWith(prefix) : /^(SHARD|ROSTER)#/.test(pk)) continue;
      const sets = Object.entries(rest).map(([name, value]) => [
        name,
        value instanceof Set ? [...value].sort() : value,
      ]);
      items.push(JSON.stringify([pk, sk, data && Buffer.from(data).toString("hex"), expiresAtSeconds, sets.sort()]));
    }
    from = page.LastEvaluatedKey;
  } while (from);
  return items.sort();
};

test("a window becomes one chunk per monitor once it is over and settled, and not before", async () => {
  await using started = await startHistory();
  const { clock, compact } = started;
  await seat(started, "60#0", 2);
  const plain: Plain = new Map();
  const members = new Map(["a", "b"].map((id, i) => [id, noisyTarget(i)]));
  await runShard(
    started,
    {
      shard: "60#0",
      locations: ["eu"],
      from: MIDNIGHT,
      to: MIDNIGHT + 7 * HOUR,
      phase: 7,
      isMissing: (tick) => tick % 3 !== 1 && tick % 300 > 60,
      members,
    },
    plain,
  );

  clock.now = MIDNIGHT + 6 * HOUR + 60 + 119;
  await compact();
  expect(await itemsOf(started, "MONITOR#a#eu")).toEqual([]);
  clock.now += 1;
  expect(await compact()).toMatchObject({ lagDays: 0 });
  for (const id of ["a", "b"]) {
    const [chunk, ...more] = await itemsOf(started, `MONITOR#${id}#eu`);
    expect(more).toEqual([]);
    expect(chunk).toMatchObject({ sk: `00${MIDNIGHT + 7}#60#0` });
    const expected = plain.get(`${id} eu`)!.filter(({ tick }) => tick < MIDNIGHT + 6 * HOUR);
    expect(decodeChunk(chunk!.data, MIDNIGHT + 7)).toEqual(expected);
    expect(chunk!.expiresAtSeconds).toBe(expected.at(-1)!.tick + 400 * DAY);
  }
});

test("a finished day becomes one day item per monitor", async () => {
  await using started = await startHistory();
  const { history, clock, compact } = started;
  await seat(started, "900#0");
  const placements = [{ shard: "900#0", fromTick: 0, toTick: null }];
  await started.create(monitorOf("a", { intervalSeconds: 900, shard: "900#0", placements }));
  const plain: Plain = new Map();
  const members = new Map([["a", noisyTarget(4)]]);
  await runShard(
    started,
    { shard: "900#0", locations: ["eu"], from: MIDNIGHT - DAY, to: MIDNIGHT + DAY, phase: 40, members },
    plain,
  );
  clock.now = MIDNIGHT + 900 + 120;
  await compact();
  const days = await history.days("a", "eu", MIDNIGHT - 2 * DAY, MIDNIGHT + DAY);
  expect([...days.keys()]).toEqual([MIDNIGHT - DAY]);
  expect(days.get(MIDNIGHT - DAY)).toEqual(tallyOf(plain.get("a eu")!, MIDNIGHT - DAY, MIDNIGHT));
  clock.now += DAY;
  await compact();
  const both = await history.days("a", "eu", MIDNIGHT - 2 * DAY, MIDNIGHT + DAY);
  // The last outcome before midnight speaks for the first 40 seconds.
  expect(both.get(MIDNIGHT)).toEqual(tallyOf(plain.get("a eu")!, MIDNIGHT, MIDNIGHT + DAY));
  expect(Object.values(both.get(MIDNIGHT)!.seconds).reduce((a, b) => a + b)).toBe(DAY);
});

test("after days of not running it catches up, and what a block cannot say is left out", async () => {
  await using started = await startHistory();
  const { history, clock, compact, client, tables, unreadable } = started;
  await seat(started, "1800#0");
  const plain: Plain = new Map();
  const members = new Map([["a", noisyTarget(9)]]);
  await runShard(
    started,
    { shard: "1800#0", locations: ["eu"], from: MIDNIGHT, to: MIDNIGHT + 5 * DAY, members },
    plain,
  );
  const broken = MIDNIGHT + 2 * DAY + 1800;
  await client.send(
    new UpdateCommand({
      TableName: tables.history,
      Key: { pk: "SHARD#1800#0#eu", sk: `00${broken}` },
      UpdateExpression: "SET #data = :junk",
      ExpressionAttributeNames: { "#data": "data" },
      ExpressionAttributeValues: { ":junk": Buffer.from("not a block") },
    }),
  );
  clock.now = MIDNIGHT + 5 * DAY + HOUR;
  await compact();
  expect(unreadable.map(({ message }) => message)).toEqual([expect.stringContaining(`block 1800#0 eu ${broken}`)]);
  const kept: PastOutcome[] = [];
  for await (const { outcomes } of history.chunks("a", "eu", MIDNIGHT, MIDNIGHT + 5 * DAY)) kept.push(...outcomes);
  expect(kept).toEqual(plain.get("a eu")!.filter(({ tick }) => tick !== broken));
  expect((await history.days("a", "eu", MIDNIGHT, MIDNIGHT + 5 * DAY)).size).toBe(5);
});

test("a run whose time is over leaves the rest to the next, and says how far behind it is", async () => {
  await using started = await startHistory();
  const { history, clock, compact } = started;
  await seat(started, "600#0");
  const members = new Map([["a", noisyTarget(9)]]);
  await runShard(started, { shard: "600#0", locations: ["eu"], from: MIDNIGHT, to: MIDNIGHT + 3 * DAY, members });
  clock.now = MIDNIGHT + 3 * DAY + HOUR;
  let looks = 0;
  const { lagDays } = await compact("schedule", () => looks++ < 1);
  expect(lagDays).toBeCloseTo(2 + 1 / 24, 5);
  const first = await archiveOf(started);
  expect(await compact()).toMatchObject({ lagDays: 0 });
  const then = await archiveOf(started);
  expect(then).toEqual(expect.arrayContaining(first.filter((item) => !item.includes("COMPACTION"))));
  expect((await history.days("a", "eu", MIDNIGHT, MIDNIGHT + 3 * DAY)).size).toBe(3);
});

/** Puts junk in the place of what an item holds. */
const spoil = ({ client, tables }: Started, pk: string, sk: string) =>
  client.send(
    new UpdateCommand({
      TableName: tables.history,
      Key: { pk, sk },
      UpdateExpression: "SET #data = :junk",
      ConditionExpression: "attribute_exists(pk)",
      ExpressionAttributeNames: { "#data": "data" },
      ExpressionAttributeValues: { ":junk": Buffer.from("not what it was") },
    }),
  );

test("a monitor that was placed by a clock an hour ahead has its results at once", async () => {
  await using started = await startHistory();
  const plain: Plain = new Map();
  const shard = "60#0";
  const to = MIDNIGHT + HOUR / 2;
  const monitor = monitorOf("a", { placements: [{ shard, fromTick: to + HOUR, toTick: null }] });
  await seat(started, shard);
  const members = new Map([["a", noisyTarget(9)]]);
  await runShard(started, { shard, locations: ["eu"], from: MIDNIGHT, to, members }, plain);
  const reader = createHistoryReader(started.history, ["eu"], () => new Date(to * 1_000));
  expect(await reader.outcomesFrom(monitor, "eu", MIDNIGHT, to)).toEqual(plain.get("a eu"));
});

test("blocks, rosters, chunks and days that cannot be read are left out by readers, and told", async () => {
  await using started = await startHistory();
  const { history, clock, compact, unreadable } = started;
  const plain: Plain = new Map();
  const members = new Map([["a", noisyTarget(9)]]);
  const monitor = monitorOf("a", { placements: [{ shard: "3600#0", fromTick: 0, toTick: null }] });
  await seat(started, "3600#0");
  await runShard(
    started,
    { shard: "3600#0", locations: ["eu"], from: MIDNIGHT, to: MIDNIGHT + 3 * DAY, members },
    plain,
  );
  const expected = plain.get("a eu")!;
  const read = () => createHistoryReader(history, ["eu"]).outcomesFrom(monitor, "eu", MIDNIGHT, MIDNIGHT + 3 * DAY);
  clock.now = MIDNIGHT + 3 * DAY;
  const broken = MIDNIGHT + DAY + 5 * HOUR;
  await spoil(started, "SHARD#3600#0#eu", `00${broken}`);
  const withoutBlock = expected.filter(({ tick }) => tick !== broken);
  expect(await read()).toEqual(withoutBlock);
  expect(unreadable.map(({ message }) => message)).toEqual([expect.stringContaining(`block 3600#0 eu ${broken}`)]);

  clock.now = MIDNIGHT + 2 * DAY + 2 * HOUR;
  await compact();
  await spoil(started, "MONITOR#a#eu", `00${MIDNIGHT}#3600#0`);
  await spoil(started, "MONITOR#a#eu", "DAY#2026-11-20");
  clock.now = MIDNIGHT + 3 * DAY;
  unreadable.length = 0;
  expect(await read()).toEqual(withoutBlock.filter(({ tick }) => tick >= MIDNIGHT + DAY));
  expect([...(await history.days("a", "eu", MIDNIGHT, MIDNIGHT + 3 * DAY)).keys()]).toEqual([MIDNIGHT + DAY]);
  expect(unreadable.map(({ message }) => message)).toEqual([
    expect.stringContaining("chunk MONITOR#a#eu"),
    expect.stringContaining("day MONITOR#a#eu"),
  ]);

  const [roster] = (await archiveOf(started, "ROSTER#")) as [string];
  await spoil(started, JSON.parse(roster)[0], "ROSTER");
  const fresh = createHistoryStore(started.client, started.tables.history, {
    now: () => clock.now * 1000,
    unreadable: (error) => void unreadable.push(error),
  });
  const last = createHistoryReader(fresh, ["eu"]);
  expect(await last.outcomesFrom(monitor, "eu", MIDNIGHT + 2 * DAY, MIDNIGHT + 3 * DAY)).toEqual([]);
});

test("compaction goes on past a chunk that cannot be read, and past a block of a shard that lags", async () => {
  await using started = await startHistory();
  const { history, clock, compact } = started;
  for (const id of ["a", "b"]) await started.create(monitorOf(id, { shard: "3600#0" }));
  await seat(started, "3600#0", 2);
  await seat(started, "21600#0");
  const observe = noisyTarget(9);
  const run = (shard: string, ids: string[], from: number, to: number) =>
    runShard(started, { shard, locations: ["eu"], from, to, members: new Map(ids.map((id) => [id, observe])) });
  await run("3600#0", ["a", "b"], MIDNIGHT, MIDNIGHT + DAY);
  clock.now = MIDNIGHT + DAY + 2 * HOUR;
  await compact("schedule", () => true);
  await spoil(started, "MONITOR#a#eu", `00${MIDNIGHT}#3600#0`);
  await run("3600#0", ["a", "b"], MIDNIGHT + DAY, MIDNIGHT + 2 * DAY);
  // Six hours behind the others when their day is over.
  await run("21600#0", ["c"], MIDNIGHT + DAY, MIDNIGHT + 2 * DAY);
  await spoil(started, "SHARD#21600#0#eu", `00${MIDNIGHT + DAY + 6 * HOUR}`);
  clock.now = MIDNIGHT + 2 * DAY + 2 * HOUR;
  await compact();
  for (const id of ["a", "b"])
    expect([...(await history.days(id, "eu", MIDNIGHT, MIDNIGHT + 2 * DAY)).keys()]).toContain(MIDNIGHT + DAY);
});

describe("a clock that was ahead", () => {
  const SHARD = "120#0";
  const placements = [{ shard: SHARD, fromTick: MIDNIGHT - 400 * DAY, toTick: null }];
  const monitor = monitorOf("a", { placements });

  test.each([
    ["three days, over a whole day", 5 * HOUR, 3 * DAY],
    ["a month: what there is seems to have expired", 20 * HOUR, 30 * DAY],
    ["an hour, until the next run has nearly come", 11 * HOUR + 1800, HOUR],
  ])("by %s, while compact ran: nothing is lost, and nothing is read twice", async (_how, stepAt, aheadSeconds) => {
    await using started = await startHistory();
    const { history, clock, compact } = started;
    await seat(started, SHARD);
    await started.create(monitor);
    const plain: Plain = new Map();
    const members = new Map([["a", noisyTarget(3)]]);
    const run = (from: number, to: number) =>
      runShard(started, { shard: SHARD, locations: ["eu"], from, to, phase: 7, members }, plain);
    const outcomes = () => plain.get("a eu")!.toSorted((x, y) => x.tick - y.tick);
    const expectAll = async (from: number) => {
      const reader = createHistoryReader(history, ["eu"]);
      expect(await reader.outcomesFrom(monitor, "eu", from, clock.now)).toEqual(
        outcomes().filter(({ tick }) => tick >= from && tick < clock.now),
      );
      const [tally] = await tallySteps(reader, monitor, [{ from, to: clock.now }], "eu");
      expect(tally).toEqual(tallyOf(outcomes(), from, clock.now));
    };

    const begin = MIDNIGHT - DAY;
    await run(begin, MIDNIGHT + stepAt);
    clock.now = MIDNIGHT + stepAt;
    await compact();
    clock.now += aheadSeconds;
    await compact("start");

    clock.now = MIDNIGHT + stepAt + 57 * 60;
    await run(MIDNIGHT + stepAt, clock.now);
    await expectAll(begin);
    // The next day began, and no run has been there yet.
    await run(clock.now, MIDNIGHT + DAY + 600);
    clock.now = MIDNIGHT + stepAt + 57 * 60;
    await compact();
    await expectAll(begin);
    clock.now = MIDNIGHT + DAY + 600;
    await expectAll(begin);
    await run(clock.now, MIDNIGHT + DAY + 13 * HOUR);
    clock.now = MIDNIGHT + DAY + 13 * HOUR;
    expect(await compact()).toMatchObject({ lagDays: 0 });
    await expectAll(begin);
    const days = await history.days("a", "eu", begin, MIDNIGHT + DAY);
    for (const day of [begin, MIDNIGHT]) expect(days.get(day)).toEqual(tallyOf(outcomes(), day, day + DAY));
    expect((await history.progress(SHARD)).rosters.size).toBe(1);
  });
});

test("days that nothing was checked on are no items, and cost a look each", async () => {
  await using started = await startHistory();
  const { clock, compact, database } = started;
  await seat(started, "10#0");
  clock.now = MIDNIGHT + 3 * DAY;
  await compact();
  database.usage.reset();
  clock.now += HOUR;
  await compact();
  const units = database.usage.rows().reduce((sum, row) => sum + row.units, 0);
  expect(units).toBeLessThan(20);
});

test("a monitor that moved to another lane has one seamless history", async () => {
  await using started = await startHistory();
  const { history, clock, compact } = started;
  const moved = MIDNIGHT + 9 * HOUR + 25 * 60;
  await seat(started, "600#0");
  await seat(started, "120#0");
  const placements = [
    { shard: "600#0", fromTick: 0, toTick: moved },
    { shard: "120#0", fromTick: moved, toTick: null },
  ];
  const monitor = monitorOf("a", { intervalSeconds: 120, shard: "120#0", placements });
  await started.create(monitor);
  const plain: Plain = new Map();
  const observe = noisyTarget(3);
  // The probe of the old shard takes a minute to hear of the move: both check at one time.
  const old = {
    shard: "600#0",
    locations: ["eu"],
    from: MIDNIGHT - DAY,
    to: moved + 600,
    members: new Map([["a", observe]]),
  };
  const fresh = {
    shard: "120#0",
    locations: ["eu"],
    from: moved,
    to: MIDNIGHT + DAY,
    phase: 20,
    members: new Map([["a", observe]]),
  };
  await runShard(started, old, plain);
  await runShard(started, fresh, plain);
  const all = plain.get("a eu")!.toSorted((x, y) => x.tick - y.tick);
  const reader = () => createHistoryReader(history, ["eu"]);
  const isOld = (tick: number) => tick >= moved && tick < moved + 600 && tick % 600 === 0;

  clock.now = MIDNIGHT + 12 * HOUR;
  const placed = all.filter(({ tick, intervalSeconds }) => !(intervalSeconds === 600 && isOld(tick)));
  expect(await reader().outcomesFrom(monitor, "eu", MIDNIGHT - DAY, MIDNIGHT + DAY)).toEqual(placed);
  await compact();
  clock.now = MIDNIGHT + DAY + 2 * HOUR;
  await compact();
  expect(await reader().outcomesFrom(monitor, "eu", MIDNIGHT - DAY, MIDNIGHT + DAY)).toEqual(all);
  const days = await history.days("a", "eu", MIDNIGHT - DAY, MIDNIGHT + DAY);
  expect(days.get(MIDNIGHT - DAY)).toEqual(tallyOf(all, MIDNIGHT - DAY, MIDNIGHT));
  expect(days.get(MIDNIGHT)).toEqual(tallyOf(all, MIDNIGHT, MIDNIGHT + DAY));
});

test("compaction that dies at any write ends with the same items as one that was not disturbed", async () => {
  const play = async (started: Started) => {
    await seat(started, "3600#0", 26, ["eu", "us"]);
    await seat(started, "21600#0", 1, ["eu"]);
    const members = new Map(Array.from({ length: 26 }, (_, i) => [`m${i}`, noisyTarget(i)]));
    for (const id of members.keys()) await started.create(monitorOf(id, { shard: "3600#0", locations: ["eu", "us"] }));
    await runShard(started, {
      shard: "3600#0",
      locations: ["eu", "us"],
      from: MIDNIGHT,
      to: MIDNIGHT + DAY,
      phase: 10,
      members,
    });
    await runShard(started, {
      shard: "21600#0",
      locations: ["eu"],
      from: MIDNIGHT,
      to: MIDNIGHT + DAY,
      members: new Map([["m1", noisyTarget(99)]]),
    });
    started.clock.now = MIDNIGHT + DAY + 7 * HOUR;
  };
  await using calm = await startHistory(["eu", "us"]);
  await play(calm);
  await calm.compact();
  const expected = await archiveOf(calm);
  expect(expected.length).toBeGreaterThan(100);

  let writes = 0;
  let failAt = Number.POSITIVE_INFINITY;
  let mode: "fail-before" | "fail-after" = "fail-before";
  const isWrite = (operation: string) => /Write|Update|Put/.test(operation);
  await using shaken = await startHistory(["eu", "us"], ({ operation }) =>
    isWrite(operation) && ++writes === failAt ? mode : "proceed",
  );
  await play(shaken);
  for (failAt = 1; ; failAt++) {
    mode = failAt % 2 === 0 ? "fail-before" : "fail-after";
    writes = 0;
    const hasEnded = await shaken.compact().then(
      () => true,
      () => false,
    );
    if (hasEnded) break;
  }
  // Each run died one write later than the one before.
  expect(failAt).toBeGreaterThan(3);
  expect(await archiveOf(shaken)).toEqual(expected);
});

test("two runs at once do each other no harm", async () => {
  await using started = await startHistory();
  const { history, clock, compact } = started;
  await seat(started, "600#0");
  const members = new Map([
    ["a", noisyTarget(9)],
    ["b", noisyTarget(10)],
  ]);
  await runShard(started, { shard: "600#0", locations: ["eu"], from: MIDNIGHT, to: MIDNIGHT + 2 * DAY, members });
  clock.now = MIDNIGHT + 2 * DAY + HOUR;
  await Promise.all([compact(), compact()]);
  const archive = async () => (await archiveOf(started)).filter((item) => !item.includes("COMPACTION"));
  const once = await archive();
  await compact();
  expect(await archive()).toEqual(once);
  expect((await history.days("b", "eu", MIDNIGHT, MIDNIGHT + 2 * DAY)).size).toBe(2);
});

test("the count of members is put right when two runs find it wrong in the same way", async () => {
  await using started = await startHistory();
  const { compact, client, tables, shards } = started;
  await seat(started, "60#0", 5);
  const locations = ["eu", "us"];
  await started.create(monitorOf("a", { locations }));
  const shard = async () => {
    const key = shardKey("60#0");
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tables.monitors,
        KeyConditionExpression: "pk = :pk AND sk = :sk",
        ExpressionAttributeValues: { ":pk": key.pk, ":sk": key.sk },
      }),
    );
    return { members: Items[0]!.members, locations: [...Items[0]!.locations].sort() };
  };
  await compact();
  expect(await shard()).toEqual({ members: 5, locations });
  await shards.place(60, ["eu"], 2); // seats taken, monitors not yet written
  await compact();
  expect(await shard()).toMatchObject({ members: 7 });
  await started.create(monitorOf("b"));
  await started.create(monitorOf("c"));
  await compact();
  await compact();
  expect(await shard()).toMatchObject({ members: 3 });
});

test("what is due, or implausibly far ahead, is touched every hour, and everything at a start", async () => {
  await using started = await startHistory();
  const { clock, compact, client, tables } = started;
  const ids = ["due", "later", "far", "look", "lookLater", "lookFar", "plain"];
  for (const id of ids) await started.create(monitorOf(id));
  const set = (id: string, attributes: readonly [string, string], at: number, bucket: string) =>
    client.send(
      new UpdateCommand({
        TableName: tables.monitors,
        Key: { pk: `MONITOR#${id}`, sk: "MONITOR" },
        UpdateExpression: "SET #at = :at, #bucket = :bucket",
        ExpressionAttributeNames: { "#at": attributes[0], "#bucket": attributes[1] },
        ExpressionAttributeValues: { ":at": new Date(at * 1000).toISOString(), ":bucket": bucket },
      }),
    );
  const timer = (id: string, at: number) => set(id, ["nextEvaluationAt", "dueBucket"], at, "DUE#3");
  const look = (id: string, at: number) => set(id, ["lookBy", "lookBucket"], at, "LOOK#3");
  await timer("due", MIDNIGHT - 5);
  await timer("later", MIDNIGHT + HOUR / 4);
  await timer("far", MIDNIGHT + HOUR);
  await look("look", MIDNIGHT - 5);
  await look("lookLater", MIDNIGHT + HOUR / 4);
  await look("lookFar", MIDNIGHT + HOUR);
  clock.now = MIDNIGHT;
  const revisions = async () =>
    Object.fromEntries(await Promise.all(ids.map(async (id) => [id, (await started.monitors.get(id))!.revision])));
  expect(await compact()).toMatchObject({ touched: 4 });
  expect(await revisions()).toEqual({ due: 2, later: 1, far: 2, look: 2, lookLater: 1, lookFar: 2, plain: 1 });
  expect(await compact("start")).toMatchObject({ touched: ids.length });
  expect(await revisions()).toEqual({ due: 3, later: 2, far: 3, look: 3, lookLater: 2, lookFar: 3, plain: 2 });
});

test("nothing that has expired is served, though the table still has it", async () => {
  await using retained = await startHistory();
  const { history, clock, compact } = retained;
  await seat(retained, "3600#0");
  await runShard(retained, {
    shard: "3600#0",
    locations: ["eu"],
    from: MIDNIGHT,
    to: MIDNIGHT + DAY,
    members: new Map([["a", noisyTarget(1)]]),
  });
  clock.now = MIDNIGHT + DAY + 2 * HOUR;
  await compact();
  const monitor = monitorOf("a", { placements: [{ shard: "3600#0", fromTick: 0, toTick: null }] });
  const served = async () => ({
    outcomes: (await createHistoryReader(history, ["eu"]).outcomesFrom(monitor, "eu", MIDNIGHT, MIDNIGHT + DAY)).length,
    days: (await history.days("a", "eu", MIDNIGHT, MIDNIGHT + DAY)).size,
    block: (await history.latestBlock("3600#0", "eu", MIDNIGHT + DAY)) !== undefined,
  });
  expect(await served()).toEqual({ outcomes: 24, days: 1, block: true });
  clock.now = MIDNIGHT + 15 * DAY;
  expect(await served()).toEqual({ outcomes: 24, days: 1, block: false });
  clock.now = MIDNIGHT + 401 * DAY;
  expect(await served()).toEqual({ outcomes: 0, days: 1, block: false });
  clock.now = MIDNIGHT + 790 * DAY;
  expect(await served()).toEqual({ outcomes: 0, days: 0, block: false });
});

test("an outcome of a slow lane speaks for its time after the place of that time is forgotten", async () => {
  await using started = await startHistory();
  const { history, clock, compact } = started;
  await seat(started, "21600#0");
  const members = new Map([["a", noisyTarget(1, { silentShare: 0 })]]);
  const plain: Plain = new Map();
  await runShard(started, { shard: "21600#0", locations: ["eu"], from: MIDNIGHT, to: MIDNIGHT + DAY, members }, plain);
  clock.now = MIDNIGHT + 2 * DAY;
  await compact();
  const monitor = monitorOf("a", { placements: [{ shard: "60#0", fromTick: MIDNIGHT + 2 * DAY, toTick: null }] });
  const range = { from: MIDNIGHT + 3 * HOUR, to: MIDNIGHT + 4 * HOUR };
  const [tally] = await tallySteps(createHistoryReader(history, ["eu"]), monitor, [range]);
  expect(tally).toEqual(tallyOf(plain.get("a eu")!, range.from, range.to));
  expect(tally!.seconds.up + tally!.seconds.degraded + tally!.seconds.down).toBe(HOUR);
});
