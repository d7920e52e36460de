import { describe, expect, test } from "vitest";
import { tallyOf } from "../../../shared/history/day.ts";
import { tallySteps } from "../../../shared/history/stats.ts";
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import { type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";
import { DAY, HOUR, MIDNIGHT, monitorOf, seat, startHistory } from "./fixture.ts";

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
      const [tally] = await tallySteps(reader, monitor, [{ from, to: clock.now }], { location: "eu" });
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
