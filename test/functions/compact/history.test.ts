import { expect, test } from "vitest";
import { tallyOf } from "../../../shared/history/day.ts";
import { tallySteps } from "../../../shared/history/stats.ts";
import { createHistoryReader } from "../../../shared/store/history-reader.ts";
import { type Plain, runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";
import { DAY, HOUR, MIDNIGHT, monitorOf, seat, startHistory } from "./fixture.ts";

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
