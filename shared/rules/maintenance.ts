/**
 * Maintenance windows: when they are, and for which monitors. Pure. Nothing about a window is stored on a monitor:
 * decisions and readers compute from the windows what held at a moment.
 *
 * Recurring windows start at local times of their zone. A start that a change to summer time skips is at the first moment
 * after the gap; one that occurs twice in the change back is the first of the two. The length is elapsed time.
 */
import { Cron } from "croner";
import type { Timestamp } from "../model.ts";

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

interface Recurring {
  /** IANA time zone, such as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly durationSeconds: number;
}
/** `at` is a local time, `HH:MM`. */
export type WindowSchedule =
  | { readonly kind: "once"; readonly startsAt: Timestamp; readonly endsAt: Timestamp }
  | ({ readonly kind: "daily"; readonly at: string } & Recurring)
  | ({ readonly kind: "weekly"; readonly days: readonly Weekday[]; readonly at: string } & Recurring)
  /** `last` is the last day of the month; days that a month does not have are left out. */
  | ({ readonly kind: "monthly"; readonly days: readonly (number | "last")[]; readonly at: string } & Recurring)
  /** Minute, hour, day of the month, month, day of the week. */
  | ({ readonly kind: "cron"; readonly pattern: string } & Recurring);

/** Which monitors: all, those named, and those with all of these tags. */
export interface WindowScope {
  readonly all: boolean;
  readonly monitorIds: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

/** What a window was from one moment to another; a change of it adds a version, so that the past stays as it was. */
export interface WindowVersion {
  readonly scope: WindowScope;
  readonly schedule: WindowSchedule;
  readonly from: Timestamp;
  /** Null for the present version. */
  readonly until: Timestamp | null;
}

export interface MaintenanceWindow {
  readonly id: string;
  readonly name: string;
  readonly versions: readonly WindowVersion[];
  /** Ends of occurrences that were ended early or extended, by their start. */
  readonly ends: Readonly<Record<Timestamp, Timestamp>>;
}

/** From `startMs` until before `endMs`, in epoch milliseconds. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** One time of a window. */
export interface Occurrence extends Stretch {
  /** The start by the schedule, which may lie before the window's creation or change. */
  readonly scheduledMs: number;
}

/** Occurrences looked at for one question; enough for one each five minutes for a month. */
const MOST_OCCURRENCES = 10_000;

/** The pattern of a recurring schedule, as cron writes it. */
function patternOf(schedule: Exclude<WindowSchedule, { kind: "once" }>): string {
  if (schedule.kind === "cron") return schedule.pattern;
  const [hour, minute] = schedule.at.split(":").map(Number);
  const time = `${minute} ${hour}`;
  switch (schedule.kind) {
    case "daily":
      return `${time} * * *`;
    case "weekly":
      return `${time} * * ${schedule.days.join(",")}`;
    case "monthly":
      return `${time} ${schedule.days.map((day) => (day === "last" ? "L" : day)).join(",")} * *`;
  }
}

/** @throws Error for a pattern or time zone that does not exist */
export const cronOf = (schedule: Exclude<WindowSchedule, { kind: "once" }>) =>
  new Cron(patternOf(schedule), { timezone: schedule.timeZone, mode: "5-part", paused: true });

/** Starts of a schedule in a range, with their regular ends; in order. */
function* starts(schedule: WindowSchedule, fromMs: number, toMs: number): Generator<Stretch> {
  if (schedule.kind === "once") {
    const [startMs, endMs] = [Date.parse(schedule.startsAt), Date.parse(schedule.endsAt)];
    if (startMs >= fromMs && startMs < toMs) yield { startMs, endMs };
    return;
  }
  const cron = cronOf(schedule);
  // nextRun is exclusive, and croner counts whole seconds.
  let at = cron.nextRun(new Date(Math.ceil(fromMs / 1000) * 1000 - 1000));
  for (let count = 0; at && at.getTime() < toMs && count < MOST_OCCURRENCES; count++) {
    yield { startMs: at.getTime(), endMs: at.getTime() + schedule.durationSeconds * 1000 };
    at = cron.nextRun(at);
  }
}

/** How long before a range an occurrence may have begun that reaches into it. */
export const LONGEST_SECONDS = 30 * 86_400;

const reachOf = (schedule: WindowSchedule) =>
  schedule.kind === "once"
    ? Date.parse(schedule.endsAt) - Date.parse(schedule.startsAt)
    : schedule.durationSeconds * 1000;

/** The occurrences of a window that overlap a range, as they were: cut off by changes, ended early or extended. */
export function* occurrences(window: MaintenanceWindow, fromMs: number, toMs: number): Generator<Occurrence> {
  const extended = Object.entries(window.ends).map(([start, end]) => Date.parse(end) - Date.parse(start));
  for (const { schedule, from, until } of window.versions) {
    const bounds = { from: Date.parse(from), until: until === null ? Number.POSITIVE_INFINITY : Date.parse(until) };
    const reach = Math.max(reachOf(schedule), ...extended);
    for (const { startMs, endMs: regular } of starts(schedule, fromMs - reach, Math.min(toMs, bounds.until))) {
      const moved = window.ends[new Date(startMs).toISOString()];
      const occurrence: Occurrence = {
        scheduledMs: startMs,
        startMs: Math.max(startMs, bounds.from),
        endMs: Math.min(moved ? Date.parse(moved) : regular, bounds.until),
      };
      if (occurrence.endMs > Math.max(fromMs, occurrence.startMs)) yield occurrence;
    }
  }
}

/** Whether a version of a window is about a monitor. */
const isAbout = ({ scope: { all, monitorIds, tags } }: WindowVersion, monitor: Pick<Maintained, "id" | "tags">) => {
  const wanted = Object.entries(tags);
  const hasTags = wanted.length > 0 && wanted.every(([name, value]) => monitor.tags[name] === value);
  return all || monitorIds.includes(monitor.id) || hasTags;
};

export interface Maintained {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * When monitors were in maintenance within a range. The times of the windows are computed once, whatever number of monitors is
 * asked for. @returns the stretches of one monitor, in order; none touches another
 */
export function maintenanceWithin(
  windows: readonly MaintenanceWindow[],
  fromMs: number,
  toMs: number,
): (monitor: Maintained) => readonly Stretch[] {
  const parts = windows
    .flatMap((window) => window.versions.map((version) => ({ ...window, version, versions: [version] })))
    .map((part) => ({ version: part.version, times: [...occurrences(part, fromMs, toMs)] }))
    .filter(({ times }) => times.length > 0);
  /** By the parts that are about a monitor. */
  const known = new Map<string, readonly Stretch[]>();
  return (monitor) => {
    const own = parts.filter(({ version }) => isAbout(version, monitor));
    const key = own.map((part) => parts.indexOf(part)).join();
    const stretches =
      known.get(key) ??
      merged(
        own.flatMap(({ times }) => times),
        fromMs,
        toMs,
      );
    known.set(key, stretches);
    return stretches;
  };
}

/** Joins stretches that overlap or touch, and cuts them to a range. */
function merged(all: readonly Stretch[], fromMs: number, toMs: number): Stretch[] {
  const joined: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of all.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = joined.at(-1);
    if (last && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else joined.push({ startMs: Math.max(startMs, fromMs), endMs });
  }
  return joined.map(({ startMs, endMs }) => ({ startMs, endMs: Math.min(endMs, toMs) }));
}

/** Stretches of a range in which a monitor was in maintenance; in order, none touches another. */
export const maintenanceOf = (
  windows: readonly MaintenanceWindow[],
  monitor: Maintained,
  fromMs: number,
  toMs: number,
): readonly Stretch[] => maintenanceWithin(windows, fromMs, toMs)(monitor);

/** The longest time ahead for which windows that follow one another count as one. */
const AHEAD_MS = 86_400_000;

/** The maintenance that a monitor is in. */
export interface PresentMaintenance {
  /** Of the windows that it is in, the one that ends last. */
  readonly windowId: string;
  /** Epoch milliseconds. */
  readonly untilMs: number;
}

/**
 * Which maintenance monitors are in at a moment; null for none. Windows that follow one another without a pause count as one, for
 * a day at most: then it is asked again.
 */
export function presentMaintenance(
  windows: readonly MaintenanceWindow[],
  nowMs: number,
): (monitor: Maintained) => PresentMaintenance | null {
  const stretchesOf = (some: readonly MaintenanceWindow[]) => maintenanceWithin(some, nowMs, nowMs + AHEAD_MS);
  const all = stretchesOf(windows);
  const each = windows.map((window) => ({ windowId: window.id, within: stretchesOf([window]) }));
  const presentOf = ([first]: readonly Stretch[]) => (first && first.startMs <= nowMs ? first : undefined);
  return (monitor) => {
    const whole = presentOf(all(monitor));
    if (!whole) return null;
    const lasting = each.flatMap(({ windowId, within }) => {
      const own = presentOf(within(monitor));
      return own ? [{ windowId, endMs: own.endMs }] : [];
    });
    const { windowId } = lasting.toSorted((a, b) => b.endMs - a.endMs)[0]!;
    return { windowId, untilMs: whole.endMs };
  };
}

/** Until when a monitor is in maintenance, in epoch milliseconds; null if it is not. See `presentMaintenance`. */
export const maintenanceUntil = (
  windows: readonly MaintenanceWindow[],
  monitor: Maintained,
  nowMs: number,
): number | null => presentMaintenance(windows, nowMs)(monitor)?.untilMs ?? null;

/** The next occurrences of a schedule, for people to see before they save it. */
export function nextOccurrences(window: MaintenanceWindow, nowMs: number, count: number): Occurrence[] {
  const found: Occurrence[] = [];
  // Far enough for a schedule of 29 February, with the exceptions of the calendar.
  for (const occurrence of occurrences(window, nowMs, nowMs + 9 * 366 * 86_400_000)) {
    found.push(occurrence);
    if (found.length === count) break;
  }
  return found;
}
