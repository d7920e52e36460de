import { expect, test } from "vitest";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import { type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";
import { archiveOf, DAY, HOUR, MIDNIGHT, monitorOf, seat, spoil, startHistory } from "./fixture.ts";

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
