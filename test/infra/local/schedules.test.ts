import { describe, expect, test, vi } from "vitest";
import { parseSchedule, startSchedule } from "../../../infra/local/schedules.ts";

const next = (expression: string, after: string, timeZone = "UTC") =>
  parseSchedule({ name: "s", expression, timeZone })(new Date(after))?.toISOString() ?? null;

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

test("a schedule fires when due, without drifting, and makes up for a sleep with one run", () => {
  vi.useFakeTimers({ now: 0 });
  const fired: number[] = [];
  const stop = startSchedule(parseSchedule({ name: "s", expression: "rate(1 minute)", timeZone: "UTC" }), () => {
    fired.push(Date.now());
  });
  vi.advanceTimersByTime(125_000);
  vi.setSystemTime(600_000); // the machine slept
  vi.advanceTimersByTime(60_000);
  stop();
  vi.advanceTimersByTime(600_000);
  vi.useRealTimers();
  expect(fired.slice(0, 2)).toEqual([60_000, 120_000]);
  expect(fired).toHaveLength(3);
});
