import { describe, expect, test } from "vitest";
import type { MaintenanceWindow, Schedule } from "../../../functions/web/page/alerts-model.ts";
import { instantOf, localOf } from "../../../functions/web/page/maintenance/local-time.ts";
import {
  bodyOfWindow,
  draftOfWindow,
  emptyWindow,
  scheduleInWords,
  scopeInWords,
  stretchesWithin,
} from "../../../functions/web/page/maintenance/window.ts";

const WINDOW: MaintenanceWindow = {
  id: "w",
  name: "Upgrade",
  all: false,
  monitorIds: ["a"],
  tags: { team: "orders" },
  schedule: { kind: "once", startsAt: "2026-12-01T22:00:00.000Z", endsAt: "2026-12-02T00:30:00.000Z" },
  active: null,
  next: [],
  updatedAt: "2026-11-27T12:00:00.000Z",
};

test.each([
  ["2026-12-01T22:00", "UTC", "2026-12-01T22:00:00.000Z"],
  ["2026-12-01T22:00", "Europe/Zurich", "2026-12-01T21:00:00.000Z"],
  ["2026-07-01T22:00", "America/New_York", "2026-07-02T02:00:00.000Z"],
  ["2026-12-01T22:00", "Asia/Kathmandu", "2026-12-01T16:15:00.000Z"],
  ["2026-10-25T02:30", "Europe/Zurich", "2026-10-25T00:30:00.000Z"],
])("%s in %s is the moment %s, and back", (local, zone, instant) => {
  expect(instantOf(local, zone)).toBe(instant);
  expect(localOf(instant, zone)).toBe(local);
});

test("a local time that the change to summer time skips is as long after the gap", () => {
  expect(instantOf("2026-03-29T02:30", "Europe/Zurich")).toBe("2026-03-29T01:30:00.000Z");
});

test.each<[Schedule, RegExp]>([
  [
    { kind: "daily", at: "02:30", timeZone: "Europe/Zurich", durationSeconds: 1_800 },
    /^Every day at 02:30 \(Europe\/Zurich\), for 30 min\.$/,
  ],
  [
    { kind: "weekly", days: ["tue", "fri"], at: "22:00", timeZone: "UTC", durationSeconds: 7_200 },
    /^Every Tuesday and Friday at 22:00 \(UTC\), for 2 h\.$/,
  ],
  [
    { kind: "monthly", days: [1, 15, "last"], at: "04:00", timeZone: "UTC", durationSeconds: 60 },
    /^On day 1, day 15 and the last day of each month at 04:00 \(UTC\), for 1 min\.$/,
  ],
  [
    { kind: "cron", pattern: "0 2 * * 1", timeZone: "UTC", durationSeconds: 60 },
    /^By cron 0 2 \* \* 1 \(UTC\), for 1 min\.$/,
  ],
  [WINDOW.schedule, /^Once, .* 2026, \d\d:\d\d to .*\d\d:\d\d\.$/],
])("%j in words", (schedule, words) => {
  expect(scheduleInWords(schedule)).toMatch(words);
});

test("for which monitors, in words", () => {
  const nameOf = (id: string) => id.toUpperCase();
  expect(scopeInWords({ all: true, monitorIds: [], tags: {} }, nameOf)).toBe("For all monitors.");
  expect(scopeInWords(WINDOW, nameOf)).toBe("For A and monitors with team=orders.");
  const many = { all: false, monitorIds: ["a", "b", "c", "d", "e"], tags: {} };
  expect(scopeInWords(many, nameOf)).toBe("For A, B, C and 2 other monitors.");
});

describe("the form", () => {
  test.each<Schedule>([
    { kind: "daily", at: "02:30", timeZone: "Europe/Zurich", durationSeconds: 1_800 },
    { kind: "weekly", days: ["tue", "fri"], at: "22:00", timeZone: "UTC", durationSeconds: 7_200 },
    { kind: "monthly", days: [1, "last"], at: "04:00", timeZone: "UTC", durationSeconds: 60 },
    { kind: "cron", pattern: "0 2 * * 1", timeZone: "UTC", durationSeconds: 60 },
  ])("that nobody changes says what the window is: %j", (schedule) => {
    const { id: _id, active: _active, next: _next, updatedAt: _updatedAt, ...settings } = { ...WINDOW, schedule };
    expect(bodyOfWindow(draftOfWindow({ ...WINDOW, schedule }, "Asia/Kathmandu"))).toEqual(settings);
  });

  test("of one that occurs once has its start in the zone that is shown, and its length", () => {
    const draft = draftOfWindow(WINDOW, "Asia/Kathmandu");
    expect(draft).toMatchObject({ start: "2026-12-02T03:45", durationSeconds: 9_000, timeZone: "Asia/Kathmandu" });
    expect(bodyOfWindow(draft).schedule).toEqual({
      kind: "once",
      startsAt: "2026-12-01T22:00:00.000Z",
      durationSeconds: 9_000,
    });
  });

  test("leaves to the API what is wrong, which then names it", () => {
    const draft = { ...emptyWindow("Mars/Olympus", []), start: "2026-12-01T22:00" };
    expect(bodyOfWindow(draft).schedule).toMatchObject({ startsAt: "2026-12-01T22:00 in Mars/Olympus" });
    expect(bodyOfWindow({ ...draft, kind: "monthly", monthDays: "1, first" }).schedule).toMatchObject({
      days: [1, "first"],
    });
  });

  test("starts now where no start is given; for all monitors nothing else counts", () => {
    const draft = { ...emptyWindow("UTC", ["a"]), all: true, tags: "a=b" };
    expect(bodyOfWindow(draft)).toMatchObject({ all: true, monitorIds: [], tags: {} });
    expect(bodyOfWindow(draft).schedule).toEqual({ kind: "once", durationSeconds: 3_600 });
  });
});

test("stretches of a picture are cut off at its ends", () => {
  const from = Date.parse("2026-12-01T00:00:00.000Z");
  const of = (startsAt: string, endsAt: string) => ({ startsAt: `2026-${startsAt}Z`, endsAt: `2026-${endsAt}Z` });
  const active = of("11-30T12:00:00", "12-01T12:00:00");
  const next = [
    of("12-05T00:00:00", "12-06T00:00:00"),
    of("12-10T12:00:00", "12-12T00:00:00"),
    of("12-20T00:00:00", "12-21T00:00:00"),
  ];
  expect(stretchesWithin({ active, next }, from, 10)).toEqual([
    { start: 0, length: 0.05 },
    { start: 0.4, length: expect.closeTo(0.1) },
    { start: 0.95, length: expect.closeTo(0.05) },
  ]);
});
