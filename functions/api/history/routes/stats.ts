/** Route `/v1/monitors/{id}/stats`: uptime, failures and latency over time. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { report, reportOutages } from "../../../../shared/history/report.ts";
import { oldestRawDay } from "../../../../shared/history/retention.ts";
import { cut, isCalendar, type Range, STEPS, type Step, stepSeconds } from "../../../../shared/history/steps.ts";
import { Tally } from "../../../../shared/history/tally.ts";
import { inParallel } from "../../../../shared/parallel.ts";
import { oneOf } from "../../../../shared/schema.ts";
import type { HistoryReader, Watched } from "../../../../shared/store/history-reader.ts";
import type { Deps } from "../../deps.ts";
import { locationName, moment, monitorId, percentage } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { withHistory } from "../../monitors/write.ts";
import { incidentsIn } from "../incidents-in.ts";
import { maintenanceIn } from "../maintenance.ts";
import { rangeFields, readRange } from "../range.ts";
import { historyReader } from "../reader.ts";
import { talliesOf } from "../tallies.ts";
import { locationField, oneLocation } from "./location-filter.ts";
import { readTimeZone } from "./time-zone.ts";

const MOST_STEPS = 1_500;
/** Longest range for steps below a day: these need raw outcomes, which are kept for 400 days by default. */
const MOST_DAYS_IN_PARTS = 400;
const MOST_DAYS = 800;
const LOCATIONS_AT_ONCE = 4;

export const count = z.int();
const seconds = (what: string, example = 0) => count.meta({ description: `Seconds ${what}.`, example });
export const secondsView = z
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
    description:
      "Seconds in each status. From one location, and before this version recorded statuses, an outcome holds until the next one, at most for one interval.",
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
  outages: count.meta({ description: "Incidents that were down, not only during maintenance.", example: 1 }),
  downtimeSeconds: seconds("down", 20),
  mttrSeconds: count.nullable().meta({ description: "Mean time to recovery.", example: 20 }),
  mtbfSeconds: count.nullable().meta({ description: "Mean time between failures.", example: 86_380 }),
  longestOutageSeconds: count
    .nullable()
    .meta({ description: "Longest outage, without time in maintenance.", example: 20 }),
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
    series: z
      .array(
        z
          .object({
            location: locationName,
            total: z
              .object(figures)
              .meta({ id: "LocationTotal", description: "Figures of the whole range, from one location." }),
            items: z
              .array(
                z.object(figures).meta({ id: "LocationStep", description: "Figures of one step, from one location." }),
              )
              .describe("The same steps as `items`."),
          })
          .meta({ id: "LocationStats", description: "The figures as one location saw them." }),
      )
      .optional()
      .describe("With `by=location`: the figures as each location saw them, by name."),
  })
  .meta({ id: "Stats", description: "Uptime, failures and latency of a monitor." });

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

/** Figures of each location that has data. */
async function seriesByLocation(
  deps: Deps,
  reader: HistoryReader,
  monitor: Watched,
  { steps, maintenance }: { readonly steps: readonly Range[]; readonly maintenance: readonly Range[] },
) {
  const whole = { from: steps[0]?.from ?? 0, to: steps.at(-1)?.to ?? 0 };
  const series: { location: string; total: object; items: object[] }[] = [];
  await inParallel(reader.locationsOf(monitor), LOCATIONS_AT_ONCE, async (location) => {
    const tallies = await talliesOf(deps, reader, monitor, { steps, maintenance, location });
    const total = new Tally();
    for (const tally of tallies) total.merge(tally);
    if (total.checks === 0) return;
    series.push({ location, total: report(total, whole), items: steps.map((step, i) => report(tallies[i]!, step)) });
  });
  return series.toSorted((a, b) => (a.location < b.location ? -1 : 1));
}

const getStats = route({
  method: "GET",
  path: "/v1/monitors/{id}/stats",
  operationId: "getStats",
  summary: "Uptime, failures and latency over time",
  description:
    "Without `location`, time counts as the monitor's quorum sees it. Time that was paused, in maintenance, unknown or without data is reported apart and counts neither as up nor as down. Of days whose raw outcomes are no longer kept (400 days, unless deployed otherwise) only the figures of whole UTC days are known: there, steps begin at the UTC midnight nearest to where they would begin, and are never shorter than a day. `from` and `to` of each step say what it covers.",
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
    by: oneOf(["location"]).optional().describe("`location`: adds a series for each location that has data."),
  }),
  responses: { 200: { description: "The figures, oldest step first.", schema: statsView } },
  handle: async ({ params, query }, deps) => {
    const monitor = await withHistory(deps, params.id ?? "");
    const range = readRange(query, deps.now(), DAY_SECONDS);
    const timeZone = readTimeZone(query.timeZone, query.step);
    refuseTooLong(range, query.step);
    const reader = await historyReader(deps);
    const location = oneLocation(query.location, reader.locationsOf(monitor));
    const steps = cut(range, query.step, timeZone, oldestRawDay(deps.now().getTime() / 1000, deps.retention));
    const maintenance = (await maintenanceIn(deps, range))(monitor);
    const [tallies, incidents] = await Promise.all([
      talliesOf(deps, reader, monitor, { steps, maintenance, location }),
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
        total: { ...report(whole, range), ...(!location && reportOutages(incidents, whole, range, maintenance)) },
        items: steps.map((step, i) => report(tallies[i]!, step)),
        ...(query.by && { series: await seriesByLocation(deps, reader, monitor, { steps, maintenance }) }),
      },
    };
  },
});

export const stats: readonly Route[] = [getStats];
