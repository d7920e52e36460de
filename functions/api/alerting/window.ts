/** Maintenance windows as callers send and see them. */
import { z } from "zod";
import { DAY_MS } from "../../../shared/durations.ts";
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import { expecting, show } from "../../../shared/issues.ts";
import { tagName, tagValue } from "../../../shared/monitor/fields.ts";
import {
  cronOf,
  LONGEST_SECONDS,
  nextOccurrences,
  type Occurrence,
  occurrences,
  WEEKDAYS,
  type WindowSchedule,
  type WindowScope,
} from "../../../shared/rules/maintenance.ts";
import { fields, flag, idOf, instant, list, oneOf, text, whole } from "../../../shared/schema.ts";
import type { StoredWindow } from "../../../shared/store/alerting.ts";
import { moment } from "../http/representations.ts";

/** How many of the next occurrences are shown, unless a list is asked for more. */
export const SHOWN = 5;
const MOST_NAMED = 1_000;
/** Versions of one window that are kept; each is a change of its schedule or of its monitors. */
const MOST_VERSIONS = 50;
/** How long the past of windows is kept, as long as outcomes. */
export const KEPT_MS = 400 * DAY_MS;

const localTime = () =>
  z
    .string({ error: expecting("a local time such as 02:30") })
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: expecting("a local time such as 02:30") });

const duration = whole(60, LONGEST_SECONDS, " seconds");
const recurring = {
  timeZone: text(100, "a time zone").default("UTC").describe("IANA name, such as `Europe/Berlin`. Default UTC."),
  durationSeconds: duration.describe("Elapsed time from start to end."),
};
const at = localTime().describe(
  "Local time of the start. One that a change to summer time skips is at the end of the gap; one that occurs twice is the first of the two.",
);

/** Schedules that recur. */
const RECURRING = [
  fields({ kind: z.literal("daily").describe("Always `daily`."), at, ...recurring }).meta({
    id: "DailySchedule",
    description: "Every day.",
  }),
  fields({
    kind: z.literal("weekly").describe("Always `weekly`."),
    days: list(oneOf(WEEKDAYS).meta({ id: "Weekday", description: "Day of the week." }), 7, "days")
      .min(1, { error: "must name at least one day" })
      .describe("Days of the week."),
    at,
    ...recurring,
  }).meta({ id: "WeeklySchedule", description: "On days of the week." }),
  fields({
    kind: z.literal("monthly").describe("Always `monthly`."),
    days: list(
      z.union([whole(1, 31), z.literal("last").meta({ id: "LastDay", description: "The last day of the month." })], {
        error: expecting('a day from 1 to 31, or "last"'),
      }),
      31,
      "days",
    )
      .min(1, { error: "must name at least one day" })
      .describe("Days of the month; `last` is its last. Days that a month does not have are left out."),
    at,
    ...recurring,
  }).meta({ id: "MonthlySchedule", description: "On days of the month." }),
  fields({
    kind: z.literal("cron").describe("Always `cron`."),
    pattern: text(200, "a cron pattern").describe("Minute, hour, day of the month, month, day of the week."),
    ...recurring,
  }).meta({ id: "CronSchedule", description: "By a cron pattern." }),
] as const;

const schedule = z
  .discriminatedUnion(
    "kind",
    [
      fields({
        kind: z.literal("once").describe("Always `once`."),
        startsAt: instant().optional().describe("Default now."),
        endsAt: instant().optional().describe("Either this or `durationSeconds`."),
        durationSeconds: duration.optional().describe("Instead of `endsAt`."),
      }).meta({ id: "OnceSchedule", description: "One time." }),
      ...RECURRING,
    ],
    { error: expecting("an object whose kind is one of once, daily, weekly, monthly, cron") },
  )
  .meta({ id: "WindowSchedule", description: "When a maintenance window is." });

const settings = {
  name: text(100, "a name")
    .describe("Display name.")
    .meta({ examples: ["Database upgrade"] }),
  all: flag()
    .default(false)
    .describe("Whether it is for all monitors. Default false.")
    .meta({ examples: [true] }),
  monitorIds: list(idOf("monitor"), MOST_NAMED, "ids of monitors")
    .default([])
    .describe("Monitors that it is for.")
    .meta({ examples: [["0123456789abcdef0123"]] }),
  tags: z
    .record(tagName, tagValue, { error: expecting('an object of names and texts, such as {"team": "orders"}') })
    .default({})
    .describe("It is also for monitors that have all of these tags.")
    .meta({ examples: [{ team: "orders" }] }),
  schedule: schedule.describe("When it is.").meta({ examples: [{ kind: "once", durationSeconds: 7200 }] }),
};

export const windowInput = fields(settings).meta({
  id: "MaintenanceWindowInput",
  description: "A maintenance window to create.",
  example: { name: "Database upgrade", tags: { team: "orders" }, schedule: { kind: "once", durationSeconds: 7200 } },
});
export const windowPatch = fields(
  Object.fromEntries(
    Object.entries(settings).map(([name, field]) => [
      name,
      z
        .union([field, z.null()])
        .optional()
        .describe(field.description ?? ""),
    ]),
  ),
).meta({
  id: "MaintenanceWindowPatch",
  description: "Merged into the window (RFC 7396).",
  example: { name: "Another name" },
});
export type WindowInput = z.output<typeof windowInput>;

const occurrenceView = z
  .object({ startsAt: moment.describe("Start."), endsAt: moment.describe("End.") })
  .meta({ id: "Occurrence", description: "One time that a maintenance window lasts." });
const onceView = z
  .object({
    kind: z.literal("once").describe("Always `once`."),
    startsAt: moment.describe("Start."),
    endsAt: moment.describe("End, before it was ended early or extended."),
  })
  .meta({ id: "KnownOnceSchedule", description: "One time, from when to when." });
export const windowView = z
  .object({
    id: z.string().meta({ description: "Id.", example: "0a1b2c3d4e5f6a7b8c9d" }),
    ...settings,
    schedule: z
      .discriminatedUnion("kind", [onceView, ...RECURRING])
      .meta({ id: "KnownWindowSchedule", description: "When a maintenance window is." })
      .describe("When it is.")
      .meta({ examples: [{ kind: "once", startsAt: "2026-12-01T22:00:00.000Z", endsAt: "2026-12-02T00:00:00.000Z" }] }),
    active: occurrenceView.nullable().describe("The occurrence that lasts now; null between them."),
    next: z
      .array(occurrenceView)
      .describe(`The next ones that begin later; ${SHOWN} at most, unless \`next\` asks for more.`),
    createdAt: moment.describe("When it was created."),
    updatedAt: moment.describe("When it last changed."),
  })
  .meta({ id: "MaintenanceWindow", description: "A time in which nobody is told of trouble with some monitors." });

const shownOccurrence = ({ startMs, endMs }: Occurrence) => ({
  startsAt: new Date(startMs).toISOString(),
  endsAt: new Date(endMs).toISOString(),
});

/** The occurrence that lasts at a moment. */
export function activeOf(window: StoredWindow, nowMs: number): Occurrence | undefined {
  return [...occurrences(window, nowMs, nowMs + 1)].find(({ startMs, endMs }) => startMs <= nowMs && endMs > nowMs);
}

/** @param shown how many of the next occurrences */
export function presentWindow(window: StoredWindow, now: Date, shown = SHOWN) {
  const nowMs = now.getTime();
  const version = window.versions.at(-1)!;
  const active = activeOf(window, nowMs);
  const coming = nextOccurrences(window, nowMs, shown + 1).filter(({ startMs }) => startMs > nowMs);
  return {
    id: window.id,
    name: window.name,
    ...version.scope,
    schedule: version.schedule,
    active: active ? shownOccurrence(active) : null,
    next: coming.slice(0, shown).map(shownOccurrence),
    createdAt: window.createdAt,
    updatedAt: window.updatedAt,
  };
}

/** A moment's distance that still counts as now, for clients whose clock is behind. */
const LATE_MS = 60_000;

function onceOf(
  sent: Extract<WindowInput["schedule"], { kind: "once" }>,
  now: Date,
  errors: FieldError[],
): WindowSchedule {
  const startsAt = sent.startsAt ?? now.toISOString();
  const { endsAt, durationSeconds } = sent;
  if ((endsAt === undefined) === (durationSeconds === undefined))
    errors.push({ path: "schedule", message: "must have either endsAt or durationSeconds" });
  const end = endsAt ?? new Date(Date.parse(startsAt) + (durationSeconds ?? 0) * 1000).toISOString();
  const lasts = (Date.parse(end) - Date.parse(startsAt)) / 1000;
  if (endsAt !== undefined && lasts < 60)
    errors.push({ path: "schedule.endsAt", message: `must be at least a minute after the start, ${startsAt}` });
  else if (lasts > LONGEST_SECONDS)
    errors.push({
      path: "schedule.endsAt",
      message: `must be at most ${LONGEST_SECONDS / 86_400} days after the start`,
    });
  else if (Date.parse(end) < now.getTime() - LATE_MS)
    errors.push({ path: "schedule", message: `is in the past: it ended at ${end}` });
  return { kind: "once", startsAt, endsAt: end };
}

/**
 * Checks rules between fields.
 * @throws InvalidInput that names every wrong field
 */
export function readWindow(
  { name, schedule: sent, all, monitorIds, tags }: WindowInput,
  existing: ReadonlySet<string>,
  now: Date,
): { name: string; scope: WindowScope; schedule: WindowSchedule } {
  const errors: FieldError[] = [];
  const scope: WindowScope = { all, monitorIds, tags };
  if (!all && monitorIds.length === 0 && Object.keys(tags).length === 0)
    errors.push({ path: "monitorIds", message: "is required, or tags, or all: the window is for no monitor" });
  for (const [i, id] of monitorIds.entries()) {
    if (!existing.has(id)) errors.push({ path: `monitorIds[${i}]`, message: `there is no monitor ${show(id)}` });
    if (monitorIds.indexOf(id) < i) errors.push({ path: `monitorIds[${i}]`, message: `${show(id)} is there twice` });
  }
  const known: WindowSchedule = sent.kind === "once" ? onceOf(sent, now, errors) : sent;
  if (known.kind !== "once") errors.push(...recurringErrors(known, now));
  if (errors.length > 0) throw new InvalidInput(errors);
  return { name, scope, schedule: known };
}

function recurringErrors(schedule: Exclude<WindowSchedule, { kind: "once" }>, now: Date): FieldError[] {
  try {
    new Intl.DateTimeFormat("en", { timeZone: schedule.timeZone });
  } catch {
    const message = `must be a name of the IANA time zone database, such as Europe/Berlin, got ${show(schedule.timeZone)}`;
    return [{ path: "schedule.timeZone", message }];
  }
  const path = schedule.kind === "cron" ? "schedule.pattern" : "schedule.days";
  let next: Date | null;
  try {
    next = cronOf(schedule).nextRun(now);
  } catch (error) {
    return [{ path, message: `is no cron pattern of five fields: ${(error as Error).message}` }];
  }
  return next ? [] : [{ path, message: "never occurs" }];
}

/** A window with another schedule or other monitors from now on; what it was until now stays. */
export function changed(
  before: StoredWindow,
  { name, scope, schedule }: ReturnType<typeof readWindow>,
  now: Date,
): StoredWindow {
  const at = now.toISOString();
  const oldest = new Date(now.getTime() - KEPT_MS).toISOString();
  const present = before.versions.at(-1)!;
  const isSame = JSON.stringify([present.scope, present.schedule]) === JSON.stringify([scope, schedule]);
  const former = before.versions.map((version) => (version === present ? { ...version, until: at } : version));
  const kept = former.filter(({ until }) => until === null || until > oldest).slice(1 - MOST_VERSIONS);
  return {
    ...before,
    name,
    versions: isSame ? before.versions : [...kept, { scope, schedule, from: at, until: null }],
    revision: before.revision + 1,
    updatedAt: at,
  };
}

/** With the end of one occurrence moved. Ends that are too old to be asked about are forgotten. */
export function withEnd(before: StoredWindow, { scheduledMs }: Occurrence, endMs: number, now: Date): StoredWindow {
  const oldest = new Date(now.getTime() - KEPT_MS).toISOString();
  const ends = Object.fromEntries(Object.entries(before.ends).filter(([, end]) => end > oldest));
  return {
    ...before,
    ends: { ...ends, [new Date(scheduledMs).toISOString()]: new Date(endMs).toISOString() },
    revision: before.revision + 1,
    updatedAt: now.toISOString(),
  };
}
