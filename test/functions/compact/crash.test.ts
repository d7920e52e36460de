import { expect, test } from "vitest";
import { runShard } from "../../support/fleet.ts";
import { noisyTarget } from "../../support/noise.ts";
import { archiveOf, DAY, HOUR, MIDNIGHT, monitorOf, type Started, seat, startHistory } from "./fixture.ts";

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
}, 120_000);

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
