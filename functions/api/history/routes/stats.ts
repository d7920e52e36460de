/** Route `/v1/monitors/{id}/stats`: uptime, failures and latency over time. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { report, reportOutages } from "../../../../shared/history/report.ts";
import { oldestRawDay } from "../../../../shared/history/retention.ts";
import { cut, isCalendar, type Range, STEPS, type Step, stepSeconds } from "../../../../shared/history/steps.ts";
import { Tally } from "../../../../shared/history/tally.ts";
import type { Incident } from "../../../../shared/model.ts";
import { oneOf } from "../../../../shared/schema.ts";
import type { Deps } from "../../deps.ts";
import { moment } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { existing } from "../../monitors/write.ts";
import { rangeFields, readRange } from "../range.ts";
import { historyReader } from "../reader.ts";
import { talliesOf } from "../tallies.ts";
import { locationField, oneLocation } from "./location-filter.ts";
import { readTimeZone } from "./time-zone.ts";

const MOST_STEPS = 1_500;
/** Longest range for steps below a day: these need raw outcomes, which are kept for 400 days by default. */
const MOST_DAYS_IN_PARTS = 400;
const MOST_DAYS = 800;
const INCIDENTS_AT_ONCE = 100;

export const count = z.int();
export const secondsView = z
  .object({ up: count, degraded: count, down: count, unknown: count, paused: count, maintenance: count, noData: count })
  .describe(
    "Seconds in each status. From one location, and before this version recorded statuses, an outcome holds until the next one, at most for one interval.",
  );
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
      talliesOf(deps, reader, monitor, steps, location),
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

export const stats: readonly Route[] = [getStats];
