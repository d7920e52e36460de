/** Route `/v1/uptime`: uptime of any number of monitors, as groups and over time, from summaries of their status. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { reportSeconds, uptimePercent } from "../../../../shared/history/report.ts";
import { secondOf, statusSeconds } from "../../../../shared/history/status-time.ts";
import { cut, type Range, type Step } from "../../../../shared/history/steps.ts";
import { TIME_STATUSES } from "../../../../shared/history/tally.ts";
import { expecting } from "../../../../shared/issues.ts";
import { oneOf } from "../../../../shared/schema.ts";
import { compareText, namePlace } from "../../../../shared/store/listing.ts";
import type { Times } from "../../../../shared/store/status-reader.ts";
import type { Deps } from "../../deps.ts";
import { moment, monitorId, monitorName, percentage } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { hasTags, tagFilter } from "../../monitors/select.ts";
import { byId, maintenanceIn, wholeOf } from "../maintenance.ts";
import { rangeFields, readRange } from "../range.ts";
import { count, secondsView } from "./stats.ts";
import { readTimeZone } from "./time-zone.ts";

const MOST_UPTIME_DAYS = 400;
/** As many monitors as fit into one answer; the figures of groups and steps are of all. */
const MOST_ITEMS = 10_000;

const percent = percentage
  .nullable()
  .describe("Share of up and degraded in up, degraded and down, rounded down. Null if nothing is known.");
const incidentCount = count.meta({ description: "Incidents that began within the range.", example: 1 });
const uptimeView = z
  .object({
    from: moment.describe("First moment of the range."),
    to: moment.describe("End of the range."),
    monitors: count.meta({
      description: "Monitors that existed within the range, deleted ones included.",
      example: 3,
    }),
    uptimePercent: percent.describe("Over the time of all monitors together."),
    seconds: secondsView,
    incidents: incidentCount,
    items: z
      .array(
        z
          .object({
            id: monitorId,
            name: monitorName.describe("The monitor's name, the last one if it is deleted."),
            uptimePercent: percent,
            downtimeSeconds: count.meta({ description: "Seconds down.", example: 20 }),
            incidents: incidentCount,
            deletedAt: moment.nullable().describe("When it was deleted; null for one that exists."),
          })
          .meta({ id: "MonitorUptime", description: "Uptime of one monitor.", example: { deletedAt: null } }),
      )
      .describe(`Each monitor by name, at most ${MOST_ITEMS}.`),
    groups: z
      .array(
        z
          .object({
            value: z
              .string()
              .nullable()
              .meta({ description: "Value of the tag; null for monitors without it.", example: "orders" }),
            monitors: count.meta({ description: "Monitors of the group.", example: 3 }),
            uptimePercent: percent,
            seconds: secondsView,
            incidents: incidentCount,
          })
          .meta({ id: "UptimeGroup", description: "Uptime of the monitors with one value of a tag." }),
      )
      .optional()
      .describe("With `groupBy`: one group for each value of the tag."),
    steps: z
      .array(
        z
          .object({
            from: moment.describe("Begin of the step."),
            to: moment.describe("End of the step."),
            uptimePercent: percent,
            seconds: secondsView,
            incidents: incidentCount,
          })
          .meta({ id: "UptimeStep", description: "Uptime in one step." }),
      )
      .optional()
      .describe("With `step`: the whole group over time, oldest first."),
  })
  .meta({ id: "Uptime", description: "Uptime of monitors, together and each." });

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

interface Member {
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly deletedAt: string | null;
  readonly times: Times | undefined;
}

/** All monitors that exist, and deleted ones with time in the range, by name. */
async function membersOf(deps: Deps, steps: readonly Range[], tag: readonly string[]) {
  const { monitors, former, statusReader, now } = deps;
  const [rows, within] = await Promise.all([monitors.rows(now()), maintenanceIn(deps, wholeOf(steps))]);
  const present = new Map(rows.map((row) => [row.id, row]));
  const times = await statusReader.times({ steps, maintenance: byId(present, within) });
  const gone = [...times.keys()].filter((id) => !present.has(id));
  const formerly = await former.names(gone);
  const maintenance = byId(formerly, within);
  const ids = new Set(gone.filter((id) => maintenance(id).length > 0));
  if (ids.size > 0) for (const [id, own] of await statusReader.times({ steps, ids, maintenance })) times.set(id, own);
  const formerNames = [...formerly.values()].map((one) => ({ ...one, ...namePlace(one) }));
  const { to } = wholeOf(steps);
  // One that was created later is none of the range, which ends with the present second at most; with the key of a deleted one it may have time in it all the same.
  const existed = rows.filter(
    ({ id, createdAt, deletedAt }) => (deletedAt === null && secondOf(createdAt) <= to) || times.has(id),
  );
  const all = [...existed, ...formerNames];
  if (formerNames.length > 0) all.sort((a, b) => compareText(a.listKey, b.listKey));
  return all
    .filter(({ tags }) => hasTags(tags, tag))
    .map(({ id, name, tags, deletedAt }): Member => ({ id, name, tags, deletedAt, times: times.get(id) }));
}

/** Figures of several monitors together. @param sum by place in `TIME_STATUSES` @param length seconds of all of them */
function figures(sum: Float64Array, length: number) {
  const seconds = statusSeconds(sum);
  return { uptimePercent: uptimePercent({ seconds }), seconds: reportSeconds(seconds, length) };
}

/** Adds up seconds by place in `TIME_STATUSES`. */
function sumOf(parts: readonly (Uint32Array | undefined)[]): Float64Array {
  const sum = new Float64Array(TIME_STATUSES.length);
  for (const part of parts) if (part) for (let place = 0; place < sum.length; place++) sum[place]! += part[place]!;
  return sum;
}

/** Figures of all members over time. */
function figuresOfSteps(members: readonly Member[], steps: readonly Range[]) {
  const [count, sum] = [TIME_STATUSES.length, new Float64Array(steps.length * TIME_STATUSES.length)];
  for (const { times } of members) times?.addTo(sum);
  return steps.map(({ from, to }, step) => ({
    from,
    to,
    ...figures(sum.subarray(step * count, (step + 1) * count), (to - from) * members.length),
  }));
}

const getUptime = route({
  method: "GET",
  path: "/v1/uptime",
  operationId: "getUptime",
  summary: "Uptime of a group of monitors",
  description:
    "Of all monitors, or of those with the tags, also those that were deleted within the range. With `groupBy` also by the values of a tag, with `step` also over time. What was before this version recorded statuses is no data here.",
  scope: "read",
  query: z.strictObject({
    tag: tagFilter,
    ...rangeFields("30 days"),
    groupBy: z
      .string()
      .regex(/^[^=]{1,64}$/, { error: expecting("a tag's name") })
      .optional()
      .meta({ description: "Name of a tag: figures for each of its values.", example: "team" }),
    step: oneOf(["1d", "1w", "1mo"])
      .optional()
      .describe("Days, weeks (from Monday) or months, from midnight in `timeZone`."),
    timeZone: z
      .string()
      .max(100)
      .optional()
      .meta({ description: "IANA name, for `step`. Default UTC.", example: "Europe/Berlin" }),
  }),
  responses: { 200: { description: "The group, and each of its monitors by name.", schema: uptimeView } },
  handle: async ({ query }, deps) => {
    const range = readRange(query, deps.now(), 30 * DAY_SECONDS);
    if (range.to - range.from > MOST_UPTIME_DAYS * DAY_SECONDS)
      throw new InvalidInput([{ path: "from", message: `must be at most ${MOST_UPTIME_DAYS} days before to` }]);
    if (query.timeZone !== undefined && query.step === undefined)
      throw new InvalidInput([{ path: "timeZone", message: "is for a step of 1d, 1w or 1mo: give one" }]);
    const timeZone = readTimeZone(query.timeZone, query.step ?? "1d");
    const steps = query.step ? cut(range, query.step satisfies Step, timeZone) : [range];
    const [members, began] = await Promise.all([
      membersOf(deps, steps, query.tag),
      deps.incidents.startsAfter(iso(range.from)),
    ]);
    const ids = new Set(members.map(({ id }) => id));
    const incidents = began.filter(({ monitorId, startedAt }) => startedAt < iso(range.to) && ids.has(monitorId));
    const byMonitor = Map.groupBy(incidents, ({ monitorId }) => monitorId);
    const incidentsOf = (some: readonly Member[]) =>
      some.reduce((sum, { id }) => sum + (byMonitor.get(id)?.length ?? 0), 0);
    const length = range.to - range.from;
    const totals = new Map(members.map(({ id, times }) => [id, times?.total()]));
    const figuresOf = (some: readonly Member[]) => ({
      monitors: some.length,
      ...figures(sumOf(some.map(({ id }) => totals.get(id))), length * some.length),
      incidents: incidentsOf(some),
    });
    const groupOf = ({ tags }: Member) =>
      query.groupBy !== undefined && Object.hasOwn(tags, query.groupBy) ? tags[query.groupBy]! : null;
    return {
      body: {
        from: iso(range.from),
        to: iso(range.to),
        ...figuresOf(members),
        items: members.slice(0, MOST_ITEMS).map(({ id, name, deletedAt }) => {
          const seconds = statusSeconds(totals.get(id) ?? []);
          return {
            id,
            name,
            uptimePercent: uptimePercent({ seconds }),
            downtimeSeconds: seconds.down,
            incidents: byMonitor.get(id)?.length ?? 0,
            deletedAt,
          };
        }),
        ...(query.groupBy !== undefined && {
          groups: [...Map.groupBy(members, groupOf)]
            .map(([value, some]) => ({ value, ...figuresOf(some) }))
            .sort((a, b) => (a.value === null ? 1 : b.value === null ? -1 : compareText(a.value, b.value))),
        }),
        ...(query.step && {
          steps: figuresOfSteps(members, steps).map(({ from, to, ...found }) => ({
            from: iso(from),
            to: iso(to),
            ...found,
            incidents: incidents.filter(({ startedAt }) => startedAt >= iso(from) && startedAt < iso(to)).length,
          })),
        }),
      },
    };
  },
});

export const uptime: readonly Route[] = [getUptime];
