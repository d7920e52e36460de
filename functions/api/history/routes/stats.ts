/** Routes `/v1/monitors/{id}/stats` and `/v1/uptime`: uptime, failures and latency over time. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { report, reportOutages, uptimePercent } from "../../../../shared/history/report.ts";
import { oldestRawDay } from "../../../../shared/history/retention.ts";
import { tallySteps } from "../../../../shared/history/stats.ts";
import { cut, isCalendar, type Range, STEPS, type Step, stepSeconds } from "../../../../shared/history/steps.ts";
import { Tally } from "../../../../shared/history/tally.ts";
import { show } from "../../../../shared/issues.ts";
import type { Incident } from "../../../../shared/model.ts";
import { inParallel } from "../../../../shared/parallel.ts";
import { oneOf } from "../../../../shared/schema.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import type { Deps } from "../../deps.ts";
import { locationName, moment, monitorId, monitorName, percentage } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { selecting, tagFilter } from "../../monitors/select.ts";
import { existing } from "../../monitors/write.ts";
import { rangeFields, readRange } from "../range.ts";
import { historyReader } from "../reader.ts";
import { locationField, oneLocation } from "./location-filter.ts";

const MOST_STEPS = 1_500;
/** Longest range for steps below a day: these need raw outcomes, which are kept for 400 days by default. */
const MOST_DAYS_IN_PARTS = 400;
const MOST_DAYS = 800;
const INCIDENTS_AT_ONCE = 100;

const count = z.int();
const seconds = (what: string, example = 0) => count.meta({ description: `Seconds ${what}.`, example });
const secondsView = z
  .object({
    up: seconds("up", 86_380),
    degraded: seconds("degraded"),
    down: seconds("down", 20),
    unknown: seconds("in which too few locations saw it"),
    paused: seconds("paused"),
    maintenance: seconds("in maintenance"),
    noData: seconds("without an outcome"),
  })
  .meta({
    id: "SecondsByStatus",
    description: "Seconds in each status. An outcome holds until the next one, at most for one interval.",
  });
const quantile = (what: string, example: number) => z.number().meta({ description: what, example });
const latencyView = z
  .object({
    min: quantile("Least.", 3.1),
    mean: quantile("Mean.", 12.9),
    p50: quantile("Median.", 12.4),
    p95: quantile("95 % are at most this.", 20.1),
    p99: quantile("99 % are at most this.", 31),
    max: quantile("Most.", 48),
  })
  .meta({ id: "Latency", description: "Milliseconds, of checks that did not fail. Quantiles are within 1 %." });
const figures = {
  from: moment.describe("Begin of what it covers."),
  to: moment.describe("End of what it covers."),
  checks: count.meta({ description: "Checks that ran, over all locations.", example: 1440 }),
  failures: count.meta({ description: "Checks that found it down.", example: 1 }),
  failuresByReason: z
    .record(z.string(), count)
    .meta({ description: "Failures by reason.", example: { "connection-refused": 1 } }),
  degraded: count.meta({ description: "Checks that found it degraded.", example: 0 }),
  unmeasured: count.meta({
    description: "Checks that say nothing about the target: our own fault, or an offline location.",
    example: 0,
  }),
  uptimePercent: percentage
    .nullable()
    .describe(
      "Share of up and degraded in up, degraded and down, rounded down: 100 means no second down. Null if nothing is known.",
    ),
  seconds: secondsView,
  latencyMs: latencyView.nullable().describe("Null without such checks."),
  lossPercent: percentage.nullable().meta({ description: "Mean, where the protocol measures it.", example: null }),
};
const outages = {
  incidents: count.meta({ description: "Incidents that overlap the range.", example: 1 }),
  outages: count.meta({ description: "Incidents that were down.", example: 1 }),
  downtimeSeconds: seconds("down", 20),
  mttrSeconds: count.nullable().meta({ description: "Mean time to recovery.", example: 20 }),
  mtbfSeconds: count.nullable().meta({ description: "Mean time between failures.", example: 86_380 }),
  longestOutageSeconds: count.nullable().meta({ description: "Longest outage.", example: 20 }),
};
const step = oneOf(STEPS).meta({ id: "Step", description: "Length of a step.", example: "1h" });
const statsView = z
  .object({
    monitorId,
    location: locationName.nullable().meta({ description: "Null: all of them, by quorum.", example: null }),
    step,
    timeZone: z.string().meta({ description: "Time zone of the steps.", example: "UTC" }),
    total: z.object({ ...figures, ...z.object(outages).partial().shape }).meta({
      id: "StatsTotal",
      description: "Figures of the whole range; those of incidents only without `location`.",
    }),
    items: z
      .array(z.object(figures).meta({ id: "StatsStep", description: "Figures of one step." }))
      .describe("One for each step, oldest first."),
  })
  .meta({ id: "Stats", description: "Uptime, failures and latency of a monitor." });

/** @throws InvalidInput for an unknown zone, or one given for a step below a day */
function readTimeZone(timeZone: string | undefined, step: Step): string {
  if (timeZone === undefined) return "UTC";
  let zone: string;
  try {
    zone = new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidInput([
      {
        path: "timeZone",
        message: `must be a name of the IANA time zone database, such as Europe/Berlin, got ${show(timeZone)}`,
      },
    ]);
  }
  if (zone !== "UTC" && !isCalendar(step))
    throw new InvalidInput([{ path: "timeZone", message: `is for the steps 1d, 1w and 1mo; ${step} is cut in UTC` }]);
  return zone;
}

/** @throws InvalidInput for a range that is too long for the step */
function refuseTooLong({ from, to }: Range, step: Step) {
  const most = Math.min(
    (MOST_STEPS * stepSeconds(step)) / DAY_SECONDS,
    isCalendar(step) ? MOST_DAYS : MOST_DAYS_IN_PARTS,
  );
  const days = (to - from) / DAY_SECONDS;
  if (days <= most) return;
  const fitting = STEPS.find(
    (one) => (days * DAY_SECONDS) / stepSeconds(one) <= MOST_STEPS && (isCalendar(one) || days <= MOST_DAYS_IN_PARTS),
  );
  const hint =
    fitting && days <= MOST_DAYS ? `; a range of ${days.toFixed(1)} days can have steps of ${fitting} or longer` : "";
  throw new InvalidInput([
    { path: "step", message: `${step} allows ranges of at most ${Number(most.toFixed(1))} days${hint}` },
  ]);
}

/** Incidents that overlap a range. Those of one monitor never overlap each other. */
async function incidentsIn({ incidents }: Deps, monitorId: string, { from, to }: Range): Promise<Incident[]> {
  const found: Incident[] = [];
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  for (let before: string | null = iso(to); before !== null; ) {
    const { items, next } = await incidents.listOf(monitorId, INCIDENTS_AT_ONCE, before);
    found.push(...items.filter(({ endedAt }) => endedAt === null || endedAt > iso(from)));
    before = items.some(({ startedAt }) => startedAt <= iso(from)) ? null : next;
  }
  return found;
}

const getStats = route({
  method: "GET",
  path: "/v1/monitors/{id}/stats",
  operationId: "getStats",
  summary: "Uptime, failures and latency over time",
  description:
    "Without `location`, time counts as the monitor's quorum sees it. Time that was paused, unknown or without data is reported apart and counts neither as up nor as down. Of days whose raw outcomes are no longer kept (400 days, unless deployed otherwise) only the figures of whole UTC days are known: there, steps begin at the UTC midnight nearest to where they would begin, and are never shorter than a day. `from` and `to` of each step say what it covers.",
  scope: "read",
  query: z.strictObject({
    ...rangeFields("a day"),
    step: step
      .default("1h")
      .describe("Length of a step. Days, weeks (from Monday) and months begin at midnight in `timeZone`."),
    timeZone: z
      .string()
      .max(100)
      .optional()
      .meta({ description: "IANA name, for steps from `1d` on. Default UTC.", example: "UTC" }),
    ...locationField,
  }),
  responses: { 200: { description: "The figures, oldest step first.", schema: statsView } },
  handle: async ({ params, query }, deps) => {
    const monitor = await existing(deps, params.id ?? "");
    const range = readRange(query, deps.now(), DAY_SECONDS);
    const timeZone = readTimeZone(query.timeZone, query.step);
    refuseTooLong(range, query.step);
    const reader = await historyReader(deps);
    const location = oneLocation(query.location, reader.locationsOf(monitor));
    const steps = cut(range, query.step, timeZone, oldestRawDay(deps.now().getTime() / 1000, deps.retention));
    const [tallies, incidents] = await Promise.all([
      tallySteps(reader, monitor, steps, location),
      location ? [] : incidentsIn(deps, monitor.id, range),
    ]);
    const whole = new Tally();
    for (const tally of tallies) whole.merge(tally);
    return {
      body: {
        monitorId: monitor.id,
        location: location ?? null,
        step: query.step,
        timeZone,
        total: { ...report(whole, range), ...(!location && reportOutages(incidents, whole, range)) },
        items: steps.map((step, i) => report(tallies[i]!, step)),
      },
    };
  },
});

/** Largest group; a larger one would not be computed within one request. */
const MOST_MONITORS = 1_000;
const MONITORS_PER_READ = 200;
const MONITORS_AT_ONCE = 16;
const MOST_UPTIME_DAYS = 400;

const uptimeView = z
  .object({
    from: moment.describe("Begin of the range."),
    to: moment.describe("End of the range."),
    monitors: count.meta({ description: "Monitors in the group.", example: 1 }),
    uptimePercent: percentage.nullable().describe("Over the time of all monitors together."),
    seconds: secondsView,
    items: z
      .array(
        z
          .object({
            id: monitorId,
            name: monitorName,
            uptimePercent: percentage.nullable().describe("Null if nothing is known."),
            downtimeSeconds: seconds("down", 20),
          })
          .meta({ id: "MonitorUptime", description: "Uptime of one monitor." }),
      )
      .describe("By name."),
  })
  .meta({ id: "Uptime", description: "Uptime of a group of monitors." });

async function group({ monitors }: Deps, tag: readonly string[]): Promise<StoredMonitor[]> {
  const found: StoredMonitor[] = [];
  for (let after: string | undefined, ended = false; !ended; ) {
    const { items, next } = await monitors.list(MONITORS_PER_READ, after);
    found.push(...items.filter(selecting({ tag })));
    if (found.length > MOST_MONITORS)
      throw new InvalidInput([
        { path: "tag", message: `more than ${MOST_MONITORS} monitors have it: narrow the group by further tags` },
      ]);
    after = next ?? undefined;
    ended = next === null;
  }
  return found;
}

const getUptime = route({
  method: "GET",
  path: "/v1/uptime",
  operationId: "getUptime",
  summary: "Uptime of a group of monitors",
  scope: "read",
  query: z.strictObject({ tag: tagFilter, ...rangeFields("30 days") }),
  responses: { 200: { description: "The group, and each of its monitors by name.", schema: uptimeView } },
  handle: async ({ query }, deps) => {
    const range = readRange(query, deps.now(), 30 * DAY_SECONDS);
    if (range.to - range.from > MOST_UPTIME_DAYS * DAY_SECONDS)
      throw new InvalidInput([{ path: "from", message: `must be at most ${MOST_UPTIME_DAYS} days before to` }]);
    const members = await group(deps, query.tag);
    // One reader for all, because monitors of a shard share its blocks.
    const reader = await historyReader(deps);
    const tallies = new Map<string, Tally>();
    await inParallel(members, MONITORS_AT_ONCE, async (monitor) => {
      const [tally] = await tallySteps(reader, monitor, [range]);
      tallies.set(monitor.id, tally!);
    });
    const whole = new Tally();
    for (const tally of tallies.values()) whole.merge(tally);
    const { seconds, ...rest } = report(whole, { from: 0, to: (range.to - range.from) * members.length });
    return {
      body: {
        from: new Date(range.from * 1000).toISOString(),
        to: new Date(range.to * 1000).toISOString(),
        monitors: members.length,
        uptimePercent: rest.uptimePercent,
        seconds,
        items: members.map(({ id, name }) => ({
          id,
          name,
          uptimePercent: uptimePercent(tallies.get(id)!),
          downtimeSeconds: tallies.get(id)!.seconds.down,
        })),
      },
    };
  },
});

export const stats: readonly Route[] = [getStats, getUptime];
