import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { decodeChunk } from "../../../shared/history/chunk.ts";
import { tallyOf } from "../../../shared/history/day.ts";
import type { PastOutcome } from "../../../shared/history/outcome.ts";
import { type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";
import { archiveOf, DAY, HOUR, itemsOf, MIDNIGHT, monitorOf, seat, startHistory } from "./fixture.ts";

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

test("days that nothing was checked on are no items, and cost a look each", async () => {
  await using started = await startHistory();
  const { clock, compact, usage } = started;
  await seat(started, "10#0");
  clock.now = MIDNIGHT + 3 * DAY;
  await compact();
  usage.reset();
  clock.now += HOUR;
  await compact();
  const units = usage.rows().reduce((sum, row) => sum + row.units, 0);
  // Eight of them for the buckets of summaries.
  expect(units).toBeLessThan(28);
});
