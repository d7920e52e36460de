import { expect, test } from "vitest";
import {
  type MaintenanceWindow,
  maintenanceOf,
  maintenanceUntil,
  nextOccurrences,
  type WindowSchedule,
  type WindowScope,
} from "../../../shared/rules/maintenance.ts";

const EPOCH = "2026-01-01T00:00:00.000Z";
const EVERYWHERE: WindowScope = { all: true, monitorIds: [], tags: {} };
const ms = (moment: string) => Date.parse(moment);
const windowOf = (schedule: WindowSchedule, more: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  id: "w",
  name: "w",
  versions: [{ scope: EVERYWHERE, schedule, from: EPOCH, until: null }],
  ends: {},
  ...more,
});
const MONITOR = { id: "m1", tags: { team: "orders", tier: "1" } };
const starts = (schedule: WindowSchedule, from: string, count: number) =>
  nextOccurrences(windowOf(schedule), ms(from), count).map(({ startMs }) => new Date(startMs).toISOString());
const hour = { durationSeconds: 3_600 };
const berlin = { timeZone: "Europe/Berlin", ...hour };

test.each<[string, WindowSchedule, string, readonly string[]]>([
  [
    "once",
    { kind: "once", startsAt: "2026-05-01T10:00:00.000Z", endsAt: "2026-05-01T11:00:00.000Z" },
    EPOCH,
    ["2026-05-01T10:00:00.000Z"],
  ],
  [
    "daily, in local time",
    { kind: "daily", at: "23:30", ...berlin },
    EPOCH,
    ["2026-01-01T22:30:00.000Z", "2026-01-02T22:30:00.000Z"],
  ],
  [
    "weekly, on several days",
    { kind: "weekly", days: ["sat", "mon"], at: "04:00", ...berlin },
    EPOCH,
    ["2026-01-03T03:00:00.000Z", "2026-01-05T03:00:00.000Z", "2026-01-10T03:00:00.000Z"],
  ],
  [
    "monthly, on days that not every month has",
    { kind: "monthly", days: [31], at: "00:00", timeZone: "UTC", ...hour },
    "2026-01-31T00:30:00.000Z",
    ["2026-01-31T00:00:00.000Z", "2026-03-31T00:00:00.000Z", "2026-05-31T00:00:00.000Z"],
  ],
  [
    "monthly, on the last day",
    { kind: "monthly", days: ["last"], at: "12:00", timeZone: "UTC", ...hour },
    EPOCH,
    ["2026-01-31T12:00:00.000Z", "2026-02-28T12:00:00.000Z"],
  ],
  [
    "cron",
    { kind: "cron", pattern: "*/30 2 * * 1-5", timeZone: "UTC", ...hour },
    "2026-01-02T03:45:00.000Z",
    ["2026-01-05T02:00:00.000Z", "2026-01-05T02:30:00.000Z"],
  ],
  [
    "29 February",
    { kind: "cron", pattern: "0 0 29 2 *", timeZone: "UTC", ...hour },
    EPOCH,
    ["2028-02-29T00:00:00.000Z", "2032-02-29T00:00:00.000Z"],
  ],
  [
    "a start that summer time skips is at the end of the gap",
    { kind: "daily", at: "02:30", ...berlin },
    "2026-03-28T12:00:00.000Z",
    ["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"],
  ],
  [
    "a start that occurs twice is the first of the two",
    { kind: "daily", at: "02:30", ...berlin },
    "2026-10-24T12:00:00.000Z",
    ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"],
  ],
])("starts %s", (_, schedule, from, expected) => {
  expect(starts(schedule, from, expected.length)).toEqual(expected);
});

test("an impossible date never comes", () => {
  expect(starts({ kind: "cron", pattern: "0 0 31 2 *", timeZone: "UTC", ...hour }, EPOCH, 5)).toEqual([]);
});

test("the length is elapsed time, also where the clock changes", () => {
  const [first] = nextOccurrences(
    windowOf({ kind: "daily", at: "01:30", timeZone: "Europe/Berlin", durationSeconds: 7_200 }),
    ms("2026-10-24T12:00:00.000Z"),
    1,
  );
  expect(first).toMatchObject({ startMs: ms("2026-10-24T23:30:00.000Z"), endMs: ms("2026-10-25T01:30:00.000Z") });
});

const daily: WindowSchedule = { kind: "daily", at: "10:00", timeZone: "UTC", ...hour };

test.each([
  ["2026-02-01T09:59:59.999Z", null],
  ["2026-02-01T10:00:00.000Z", "2026-02-01T11:00:00.000Z"],
  ["2026-02-01T10:59:59.999Z", "2026-02-01T11:00:00.000Z"],
  ["2026-02-01T11:00:00.000Z", null],
])("at %s it lasts until %s", (now, until) => {
  const found = maintenanceUntil([windowOf(daily)], MONITOR, ms(now));
  expect(found && new Date(found).toISOString()).toBe(until);
});

test("windows that follow one another count as one", () => {
  const next = windowOf({ ...daily, at: "11:00" });
  const found = maintenanceUntil([next, windowOf(daily)], MONITOR, ms("2026-02-01T10:30:00.000Z"));
  expect(found).toBe(ms("2026-02-01T12:00:00.000Z"));
});

test.each<[string, Partial<WindowScope>, boolean]>([
  ["all monitors", { all: true }, true],
  ["this one", { monitorIds: ["m1"] }, true],
  ["another one", { monitorIds: ["m2"] }, false],
  ["its tag", { tags: { team: "orders" } }, true],
  ["all of its tags", { tags: { team: "orders", tier: "1" } }, true],
  ["one of its tags and another", { tags: { team: "orders", tier: "2" } }, false],
  ["nothing", {}, false],
])("a window for %s", (_, scope, expected) => {
  const versions = [{ scope: { ...EVERYWHERE, all: false, ...scope }, schedule: daily, from: EPOCH, until: null }];
  const found = maintenanceUntil([windowOf(daily, { versions })], MONITOR, ms("2026-02-01T10:30:00.000Z"));
  expect(found !== null).toBe(expected);
});

test("an occurrence can be ended early, and extended", () => {
  const ends = {
    "2026-02-01T10:00:00.000Z": "2026-02-01T10:20:00.000Z",
    "2026-02-02T10:00:00.000Z": "2026-02-02T14:00:00.000Z",
  };
  const window = windowOf(daily, { ends });
  expect(maintenanceUntil([window], MONITOR, ms("2026-02-01T10:30:00.000Z"))).toBeNull();
  expect(maintenanceUntil([window], MONITOR, ms("2026-02-02T13:00:00.000Z"))).toBe(ms("2026-02-02T14:00:00.000Z"));
});

test("a change leaves the past as it was", () => {
  const changedAt = "2026-02-02T10:15:00.000Z";
  const versions = [
    { scope: EVERYWHERE, schedule: daily, from: EPOCH, until: changedAt },
    { scope: EVERYWHERE, schedule: { ...daily, at: "20:00" }, from: changedAt, until: null },
  ];
  const found = maintenanceOf(
    [windowOf(daily, { versions })],
    MONITOR,
    ms("2026-02-01T10:30:00.000Z"),
    ms("2026-02-03T00:00:00.000Z"),
  );
  expect(found.map(({ startMs, endMs }) => [new Date(startMs).toISOString(), new Date(endMs).toISOString()])).toEqual([
    ["2026-02-01T10:30:00.000Z", "2026-02-01T11:00:00.000Z"],
    ["2026-02-02T10:00:00.000Z", changedAt],
    ["2026-02-02T20:00:00.000Z", "2026-02-02T21:00:00.000Z"],
  ]);
});
