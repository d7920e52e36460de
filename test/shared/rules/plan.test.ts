import fc from "fast-check";
import { expect, test } from "vitest";
import { delaySeconds, horizon, tickDeadlineMs, ticksToPlan } from "../../../shared/rules/plan.ts";

const at = (seconds: number) => new Date(seconds * 1000);

test("plans to the end of the second minute from now", () => {
  expect(horizon(at(600))).toBe(780);
  expect(horizon(at(659.9))).toBe(780);
});

test.each([
  ["a new shard starts now", { intervalSeconds: 60, phase: 7 }, undefined, 600, [607, 667, 727]],
  ["a planned one goes on where it was", { intervalSeconds: 60, phase: 7 }, 719, 660, [727, 787]],
  ["a tick missed by less than half an interval runs", { intervalSeconds: 60, phase: 0 }, 539, 629, [600, 660, 720]],
  ["an older one is a gap", { intervalSeconds: 60, phase: 0 }, 539, 631, [660, 720]],
  [
    "after an hour of silence only the last half interval is caught up",
    { intervalSeconds: 10, phase: 3 },
    600,
    4200,
    [4203],
  ],
  ["an hourly tick missed by twenty minutes runs", { intervalSeconds: 3600, phase: 0 }, 3000, 4800, [3600]],
  ["an hourly tick missed by forty minutes is a gap", { intervalSeconds: 3600, phase: 0 }, 3000, 6000, []],
  ["a plan that reaches a minute further is believed", { intervalSeconds: 60, phase: 7 }, 839, 600, []],
  ["one that reaches further still is not", { intervalSeconds: 60, phase: 7 }, 840, 600, [607, 667, 727]],
  ["a long lane has no tick in most minutes", { intervalSeconds: 3600, phase: 100 }, undefined, 600, []],
])("%s", (_, schedule, plannedUntil, now, expected) => {
  expect(ticksToPlan(schedule, plannedUntil, horizon(at(now)), at(now)).slice(0, expected.length || 1)).toEqual(
    expected,
  );
});

test("minute after minute, with jitter and lost runs, no tick is planned twice and none is skipped", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(10, 20, 30, 60, 120, 300),
      fc.nat(1_000_000),
      fc.array(fc.record({ jitter: fc.integer({ min: 0, max: 59 }), lost: fc.boolean() }), {
        minLength: 3,
        maxLength: 20,
      }),
      (intervalSeconds, seed, runs) => {
        const schedule = { intervalSeconds, phase: seed % intervalSeconds };
        const planned: number[] = [];
        let watermark: number | undefined;
        let lostInARow = 0;
        runs.forEach(({ jitter, lost }, minute) => {
          lostInARow = lost ? lostInARow + 1 : 0;
          if (lost && lostInARow < 2 && watermark !== undefined) return; // one lost run in a row is absorbed
          lostInARow = 0;
          const now = at(60_000 + minute * 60 + jitter);
          planned.push(...ticksToPlan(schedule, watermark, horizon(now), now));
          watermark = horizon(now) - 1;
        });
        expect(planned.every((tick, i) => i === 0 || tick - planned[i - 1]! === intervalSeconds)).toBe(true);
      },
    ),
  );
});

test("an hourly tick that was missed is planned once", () => {
  const schedule = { intervalSeconds: 3600, phase: 0 };
  const planned: number[] = [];
  let watermark = 3000;
  for (let now = 4800; now < 9000; now += 60) {
    const ticks = ticksToPlan(schedule, watermark, horizon(at(now)), at(now));
    planned.push(...ticks);
    if (ticks.length > 0) watermark = horizon(at(now)) - 1;
  }
  expect(planned).toEqual([3600, 7200]);
});

test("a job waits until its tick, never less, and at most what a queue allows", () => {
  expect(delaySeconds(605, at(600.2))).toBe(5);
  expect(delaySeconds(590, at(600))).toBe(0);
  expect(delaySeconds(5000, at(600))).toBe(900);
});

test.each([
  ["a tick has until a second before the next one", 600, 10, 600.2, 609],
  ["and a minute at most, from when it began", 600, 3600, 600.2, 659.2],
  ["an early job is no reason to end early", 600, 60, 590, 659],
  ["one that begins late ends before the next tick all the same", 600, 60, 640, 659],
  ["a missed tick of a slow lane has as long as any other", 3_600, 3_600, 5_000, 5_059],
  ["as long as it ends before the next one", 3_600, 3_600, 7_190, 7_199],
])("%s", (_, tick, intervalSeconds, startedAt, deadline) => {
  expect(tickDeadlineMs(tick, intervalSeconds, startedAt * 1000)).toBe(deadline * 1000);
});
