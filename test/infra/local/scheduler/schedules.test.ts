import { describe, expect, test, vi } from "vitest";
import { parseSchedule, startSchedule } from "../../../../infra/local/scheduler/schedules.ts";

const next = (expression: string, after: string, timeZone = "UTC") =>
  iso(parseSchedule({ name: "s", expression, timeZone }).next(Date.parse(after)));
const iso = (atMs: number | null) => (atMs === null ? null : new Date(atMs).toISOString());

describe("the next run", () => {
  test.for([
    ["rate(1 minute)", "2026-01-01T00:00:10.000Z", "2026-01-01T00:01:10.000Z"],
    ["rate(2 hours)", "2026-01-01T00:00:00.000Z", "2026-01-01T02:00:00.000Z"],
    ["cron(7 * * * ? *)", "2026-01-01T00:06:59.000Z", "2026-01-01T00:07:00.000Z"],
    // AWS counts Sunday as 1: 2 is Monday.
    ["cron(0 9 ? * 2 *)", "2026-01-01T00:00:00.000Z", "2026-01-05T09:00:00.000Z"],
    ["cron(0 9 ? * 2#1 *)", "2026-01-06T00:00:00.000Z", "2026-02-02T09:00:00.000Z"],
    ["cron(0 0 1 1 ? 2025)", "2026-01-01T00:00:00.000Z", null],
  ] as const)("of %s after %s is %s", ([expression, after, expected]) => {
    expect(next(expression, after)).toBe(expected);
  });

  test("follows the time zone over a change of the clocks", () => {
    expect(next("cron(0 9 * * ? *)", "2026-03-28T12:00:00.000Z", "Europe/Zurich")).toBe("2026-03-29T07:00:00.000Z");
  });

  test.for(["rate(1 week)", "at(2026-01-01T00:00:00)", "every minute"])("refuses %s", (expression) => {
    expect(() => next(expression, "2026-01-01T00:00:00.000Z")).toThrow(/is neither rate/);
  });
});

describe("a schedule that runs", () => {
  /** How long after its start it fired, in seconds by a clock that nobody sets. */
  const firedAfter = (expression: string, story: () => void): number[] => {
    vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
    const fired: number[] = [];
    const startedAt = performance.now();
    const schedule = parseSchedule({ name: "s", expression, timeZone: "UTC" });
    const stop = startSchedule(schedule, () => fired.push(Math.round((performance.now() - startedAt) / 1_000)));
    story();
    stop();
    vi.advanceTimersByTime(3_600_000);
    vi.useRealTimers();
    return fired;
  };

  test("fires when due, without drifting", () => {
    expect(firedAfter("rate(1 minute)", () => vi.advanceTimersByTime(185_000))).toEqual([60, 120, 180]);
    expect(firedAfter("cron(7 * * * ? *)", () => vi.advanceTimersByTime(7_200_000))).toEqual([420, 4_020]);
  });

  test.each(["2025-06-01T00:00:00Z", "2026-01-01T05:00:30Z"])(
    "goes on at its rate when the clock is set to %s",
    (at) => {
      const story = () => {
        vi.advanceTimersByTime(90_000);
        vi.setSystemTime(new Date(at));
        vi.advanceTimersByTime(120_000);
      };
      expect(firedAfter("rate(1 minute)", story)).toEqual([60, 120, 180]);
    },
  );

  test("makes up for times that the clock passed over with one run", () => {
    const story = () => {
      vi.advanceTimersByTime(90_000);
      vi.setSystemTime(new Date("2026-01-01T05:30:00Z"));
      vi.advanceTimersByTime(1_800_000);
    };
    expect(firedAfter("cron(7 * * * ? *)", story)).toEqual([120]);
  });

  test("does not wait for a time of day that it knew from a clock which was months ahead", () => {
    const story = () => {
      vi.setSystemTime(new Date("2026-07-01T00:08:00Z"));
      vi.advanceTimersByTime(600_000);
      vi.setSystemTime(new Date("2026-01-01T00:00:00Z"));
      vi.advanceTimersByTime(600_000);
    };
    expect(firedAfter("cron(7 * * * ? *)", story)).toEqual([60, 1_020]);
  });
});
