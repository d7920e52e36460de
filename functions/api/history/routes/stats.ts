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
import { moment } from "../../http/representations.ts";
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
const secondsView = z
  .object({ up: count, degraded: count, down: count, unknown: count, paused: count, maintenance: count, noData: count })
  .describe("Seconds in each status. An outcome holds until the next one, at most for one interval.");
const figures = {
  from: moment,
  to: moment,
  checks: count.describe("Checks that ran, over all locations."),
  failures: count,
  failuresByReason: z.record(z.string(), count),
  degraded: count,
  unmeasured: count.describe("Checks that say nothing about the target: our own fault, or an offline location."),
  uptimePercent: z
    .number()
    .nullable()
    .describe(
      "Share of up and degraded in up, degraded and down, rounded down: 100 means no second down. Null if nothing is known.",
    ),
  seconds: secondsView,
  latencyMs: z
    .object({ min: z.number(), mean: z.number(), p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() })
    .nullable()
    .describe("Of checks that did not fail. Quantiles are within 1 %."),
  lossPercent: z.number().nullable().describe("Mean, where the protocol measures it."),
};
const outages = {
  incidents: count,
  outages: count.describe("Incidents that were down."),
  downtimeSeconds: count,
  mttrSeconds: count.nullable().describe("Mean time to recovery."),
  mtbfSeconds: count.nullable().describe("Mean time between failures."),
  longestOutageSeconds: count.nullable(),
};
const statsView = z
  .object({
    monitorId: z.string(),
    location: z.string().nullable(),
    step: z.enum(STEPS),
    timeZone: z.string(),
    total: z.object({ ...figures, ...z.object(outages).partial().shape }),
    items: z.array(z.object(figures)),
  })
  .meta({ id: "Stats" });

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
    step: oneOf(STEPS)
      .default("1h")
      .describe("Length of a step. Days, weeks (from Monday) and months begin at midnight in `timeZone`."),
    timeZone: z.string().max(100).optional().describe("IANA name, for steps from `1d` on. Default UTC."),
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
    from: moment,
    to: moment,
    monitors: count,
    uptimePercent: z.number().nullable().describe("Over the time of all monitors together."),
    seconds: secondsView,
    items: z.array(
      z.object({ id: z.string(), name: z.string(), uptimePercent: z.number().nullable(), downtimeSeconds: count }),
    ),
  })
  .meta({ id: "Uptime" });

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
