/** Maintenance windows: when and for what in words, and the form's texts of one. Pure. */
import type { MaintenanceWindow, Occurrence, Schedule, Weekday } from "../alerts-model.ts";
import { numberOr, tagsFrom, tagsText } from "../parts/texts.ts";
import { atClock, lasting, listed, onDate, plural } from "../words.ts";
import { localOf, startOf } from "./local-time.ts";

export const WEEKDAYS = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
} as const satisfies Readonly<Record<Weekday, string>>;
/** From when to when; the day of the end only where it is another. */
export const occurrenceInWords = ({ startsAt, endsAt }: Occurrence): string => {
  const end = onDate(startsAt) === onDate(endsAt) ? atClock(endsAt) : `${onDate(endsAt)}, ${atClock(endsAt)}`;
  return `${onDate(startsAt)}, ${atClock(startsAt)} to ${end}`;
};

const dayOfMonth = (day: number | "last") => (day === "last" ? "the last day" : `day ${day}`);

/** How a schedule recurs, with its zone. */
export const scheduleInWords = (schedule: Schedule): string => {
  if (schedule.kind === "once") return `Once, ${occurrenceInWords(schedule)}.`;
  const { timeZone, durationSeconds } = schedule;
  const tail = `(${timeZone}), for ${lasting(durationSeconds)}.`;
  switch (schedule.kind) {
    case "daily":
      return `Every day at ${schedule.at} ${tail}`;
    case "weekly":
      return `Every ${listed(schedule.days.map((day) => WEEKDAYS[day]))} at ${schedule.at} ${tail}`;
    case "monthly":
      return `On ${listed(schedule.days.map(dayOfMonth))} of each month at ${schedule.at} ${tail}`;
    case "cron":
      return `By cron ${schedule.pattern} ${tail}`;
  }
};

const MOST_NAMES = 3;

/** For which monitors. */
export const scopeInWords = (
  { all, monitorIds, tags }: Pick<MaintenanceWindow, "all" | "monitorIds" | "tags">,
  nameOf: (id: string) => string,
): string => {
  if (all) return "For all monitors.";
  const names = monitorIds.slice(0, MOST_NAMES).map(nameOf);
  const others = monitorIds.length - names.length;
  const parts = [
    ...names,
    ...(others > 0 ? [plural(others, "other monitor")] : []),
    ...(Object.keys(tags).length > 0 ? [`monitors with ${tagsText(tags)}`] : []),
  ];
  return `For ${listed(parts)}.`;
};

export interface WindowDraft {
  readonly name: string;
  readonly all: boolean;
  readonly monitorIds: readonly string[];
  readonly tags: string;
  readonly kind: Schedule["kind"];
  /** Local time in `timeZone`; empty: now. */
  readonly start: string;
  readonly durationSeconds: number;
  readonly at: string;
  readonly weekdays: readonly Weekday[];
  /** `1, 15, last` */
  readonly monthDays: string;
  readonly pattern: string;
  readonly timeZone: string;
}

export const emptyWindow = (timeZone: string, monitorIds: readonly string[]): WindowDraft => ({
  name: "",
  all: false,
  monitorIds,
  tags: "",
  kind: "once",
  start: "",
  durationSeconds: 3_600,
  at: "02:00",
  weekdays: ["sun"],
  monthDays: "1",
  pattern: "0 2 * * 0",
  timeZone,
});

/** @param zone in which the times of a window that occurs once are shown */
export const draftOfWindow = (
  { name, all, monitorIds, tags, schedule }: MaintenanceWindow,
  zone: string,
): WindowDraft => {
  const draft = { ...emptyWindow(zone, monitorIds), name, all, tags: tagsText(tags), kind: schedule.kind };
  if (schedule.kind === "once") {
    const { startsAt, endsAt } = schedule;
    const durationSeconds = (Date.parse(endsAt) - Date.parse(startsAt)) / 1000;
    return { ...draft, start: localOf(startsAt, zone), durationSeconds };
  }
  const { timeZone, durationSeconds } = schedule;
  const common = { ...draft, timeZone, durationSeconds };
  if (schedule.kind === "cron") return { ...common, pattern: schedule.pattern };
  if (schedule.kind === "weekly") return { ...common, at: schedule.at, weekdays: schedule.days };
  if (schedule.kind === "monthly") return { ...common, at: schedule.at, monthDays: schedule.days.join(", ") };
  return { ...common, at: schedule.at };
};

const inOrder = Object.keys(WEEKDAYS) as readonly Weekday[];

/** The schedule as the API takes it. */
export const scheduleOf = (draft: WindowDraft) => {
  const { kind, start, durationSeconds, at } = draft;
  const timeZone = draft.timeZone.trim();
  if (kind === "once") return { kind, ...(start !== "" && { startsAt: startOf(start, timeZone) }), durationSeconds };
  const common = { timeZone, durationSeconds };
  switch (kind) {
    case "daily":
      return { kind, at, ...common };
    case "weekly":
      return { kind, days: inOrder.filter((day) => draft.weekdays.includes(day)), at, ...common };
    case "monthly":
      return {
        kind,
        days: draft.monthDays
          .split(/[\s,]+/)
          .filter(Boolean)
          .map(numberOr),
        at,
        ...common,
      };
    case "cron":
      return { kind, pattern: draft.pattern.trim(), ...common };
  }
};

/** What the API takes. */
export const bodyOfWindow = (draft: WindowDraft) => ({
  name: draft.name.trim(),
  all: draft.all,
  monitorIds: draft.all ? [] : draft.monitorIds,
  tags: draft.all ? {} : tagsFrom(draft.tags),
  schedule: scheduleOf(draft),
});

/** When within the next days a window is, in shares of that time, for a picture. */
export const stretchesWithin = (
  { active, next }: Pick<MaintenanceWindow, "active" | "next">,
  fromMs: number,
  days: number,
): { readonly start: number; readonly length: number }[] => {
  const wholeMs = days * 86_400_000;
  return [...(active ? [active] : []), ...next].flatMap(({ startsAt, endsAt }) => {
    const start = Math.max(0, Date.parse(startsAt) - fromMs);
    const end = Math.min(wholeMs, Date.parse(endsAt) - fromMs);
    return end > start ? [{ start: start / wholeMs, length: (end - start) / wholeMs }] : [];
  });
};
