/** Routes of one interface: what went over it, as JSON or CSV, and when it will be full. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { cut, type Range, STEPS, type Step, stepSeconds } from "../../../../shared/history/steps.ts";
import { utilisation } from "../../../../shared/measures/counters.ts";
import { SLOT_SECONDS, type Stretch, sumsOf, type Usage, usageOf } from "../../../../shared/measures/slots.ts";
import { oneOf } from "../../../../shared/schema.ts";
import { monthOf } from "../../../../shared/store/rates.ts";
import type { Deps } from "../../deps.ts";
import { rangeFields, readRange } from "../../history/range.ts";
import { locationField } from "../../history/routes/location-filter.ts";
import { preferred } from "../../http/accept.ts";
import { locationName, moment } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { deviceOf, interfaceIdOf, nameOf, type WatchedDevice } from "../device.ts";
import { forecastOf, WEEK_SECONDS } from "../forecast.ts";
import { slotsIn, stretchesFromCounters, stretchesOf } from "../traffic.ts";

const MOST_POINTS = 2_016;
const MOST_DAYS = 400;

const nullable = (what: string, example: number) => z.number().nullable().meta({ description: what, example });
const count = (what: string, example: number) => z.number().meta({ description: what, example });

const way = z
  .object({
    bytes: nullable("Bytes.", 3_750_000),
    packets: nullable("Unicast packets.", 4_120),
    bitsPerSecond: nullable("Bits a second, on average.", 100_000),
    utilisationPercent: nullable("Per cent of the line rate, on average.", 0.01),
    percentile95BitsPerSecond: nullable("Bits a second that 95 % of the 5 minutes in it do not exceed.", 140_000),
    peakBitsPerSecond: nullable("Bits a second of its fullest 5 minutes.", 210_000),
  })
  .meta({ id: "TrafficWay", description: "What went over an interface in one direction." });

const figures = {
  from: moment.describe("First moment."),
  to: moment.describe("The moment that it ends before."),
  seconds: count("How much of it the counters cover.", 300),
  in: way.describe("What it received."),
  out: way.describe("What it sent."),
  errors: nullable("Errors, both directions.", 0),
  discards: nullable("Discarded packets, both directions.", 0),
  flaps: count("Changes of the link.", 0),
  speedMbps: nullable("Best speed in it, in megabits a second.", 1_000),
};
const stepName = oneOf(STEPS).meta({ id: "TrafficStep", description: "Length of a step.", example: "5m" });

const identity = {
  id: z.string().meta({ description: "Names it in paths.", example: "R2kxLzAvNw" }),
  name: z.string().meta({ description: "Its name at the device.", example: "Gi1/0/7" }),
  location: locationName,
};
const trafficView = z
  .object({
    ...identity,
    step: stepName,
    total: z.object(figures).meta({ id: "TrafficTotal", description: "The whole range." }),
    items: z
      .array(z.object(figures).meta({ id: "TrafficPoint", description: "One step." }))
      .describe("One for each step, oldest first."),
  })
  .meta({
    id: "Traffic",
    description: "What went over an interface. Null where the counters prove nothing: a gap is no zero.",
  });

const round = (value: number | null) => (value === null ? null : Number(value.toPrecision(6)));
const isoOf = (second: number) => new Date(second * 1000).toISOString();

const present = (usage: Usage, { from, to }: Range) => {
  const { seconds, speedMbps, flaps } = usage;
  const known = <T>(value: T): T | null => (seconds > 0 ? value : null);
  const one = (name: "in" | "out") => ({
    bytes: known(Math.round(usage[`${name}Bytes`])),
    packets: known(Math.round(usage[`${name}Packets`])),
    bitsPerSecond: known(round((8 * usage[`${name}Bytes`]) / seconds)),
    utilisationPercent: known(round(utilisation(usage[`${name}Bytes`], seconds, speedMbps))),
    percentile95BitsPerSecond: round(usage[`${name}Percentile95`]),
    peakBitsPerSecond: round(usage[`${name}Peak`]),
  });
  return {
    from: isoOf(from),
    to: isoOf(to),
    seconds: Math.round(seconds * 100) / 100,
    in: one("in"),
    out: one("out"),
    errors: known(Math.round(usage.errors)),
    discards: known(Math.round(usage.discards)),
    flaps: Math.round(flaps),
    speedMbps: speedMbps > 0 ? speedMbps : null,
  };
};
type Point = ReturnType<typeof present>;

/** @throws InvalidInput for a range that is too long for the step */
function refuseTooLong({ from, to }: Range, step: Step) {
  const most = Math.min(MOST_POINTS * stepSeconds(step), (step === "1mo" ? 2 : 1) * MOST_DAYS * DAY_SECONDS);
  if (to - from <= most) return;
  const message = `${step} allows ranges of at most ${Number((most / DAY_SECONDS).toFixed(1))} days`;
  throw new InvalidInput([{ path: "step", message }]);
}

/** Figures of ranges. Percentiles and peaks are those of the 5 minutes that lie wholly in each. */
const pointsOf = (stretches: readonly Stretch[], ranges: readonly Range[]): Usage[] => {
  const slots = slotsIn(stretches, { from: ranges[0]!.from, to: ranges.at(-1)!.to });
  const [{ from: start } = { from: 0 }] = slots;
  return sumsOf(stretches, ranges).map((sums, place) => {
    const { from, to } = ranges[place]!;
    const [first, end] = [Math.ceil((from - start) / SLOT_SECONDS), Math.floor((to - start) / SLOT_SECONDS)];
    return usageOf(sums, slots.slice(first, Math.max(first, end)));
  });
};

/** Months that are over have figures of their own, which are kept for longer than days. */
async function monthsOf(deps: Deps, device: WatchedDevice, name: string, ranges: readonly Range[]): Promise<Usage[]> {
  const kept = await deps.rates.months(device, name, ranges[0]!.from, ranges.at(-1)!.to);
  const found: Usage[] = [];
  for (const range of ranges) {
    const isWhole = monthOf(range.from - 1) !== monthOf(range.from) && monthOf(range.to) !== monthOf(range.to - 1);
    const month = isWhole ? kept.get(monthOf(range.from)) : undefined;
    found.push(month ?? pointsOf(await stretchesOf(deps, device, name, range), [range])[0]!);
  }
  return found;
}

const COLUMNS: Readonly<Record<string, (point: Point) => unknown>> = {
  from: ({ from }) => from,
  to: ({ to }) => to,
  seconds: ({ seconds }) => seconds,
  inBytes: (point) => point.in.bytes,
  outBytes: ({ out }) => out.bytes,
  inBitsPerSecond: (point) => point.in.bitsPerSecond,
  outBitsPerSecond: ({ out }) => out.bitsPerSecond,
  inUtilisationPercent: (point) => point.in.utilisationPercent,
  outUtilisationPercent: ({ out }) => out.utilisationPercent,
  inPackets: (point) => point.in.packets,
  outPackets: ({ out }) => out.packets,
  errors: ({ errors }) => errors,
  discards: ({ discards }) => discards,
  flaps: ({ flaps }) => flaps,
  speedMbps: ({ speedMbps }) => speedMbps,
};
/** CSV (RFC 4180). No field needs quotes. */
const toCsv = (points: readonly Point[]) =>
  [
    Object.keys(COLUMNS).join(","),
    ...points.map((point) =>
      Object.values(COLUMNS)
        .map((column) => column(point) ?? "")
        .join(","),
    ),
    "",
  ].join("\r\n");

/** The default first. */
const CONTENT_TYPES = ["application/json", "text/csv"] as const;

/** The interface that a path names, as the device tells it now. */
const find = async (deps: Deps, id: string, part: string, location: string | undefined) => {
  const device = await deviceOf(deps, id, location);
  const [last] = await deps.counters.newest(device, 1);
  const interfaces = last?.interfaces ?? [];
  const name = nameOf(
    part,
    interfaces.map((one) => one.name),
  );
  return { device, name, speedMbps: interfaces.find((one) => one.name === name)!.speedMbps };
};

const getTraffic = route({
  method: "GET",
  path: "/v1/monitors/{id}/interfaces/{interfaceId}/traffic",
  operationId: "getTraffic",
  summary: "What went over an interface",
  description:
    "Bytes, packets, errors and load over time, in UTC. Steps below 5 minutes are as fine as the monitor's interval, of the last 14 days; sums of 5 minutes are kept for 400 days with three significant digits, and months for 25 months. With `Accept: text/csv` the steps as CSV.",
  scope: "read",
  query: z.strictObject({
    ...rangeFields("a day"),
    ...locationField,
    step: stepName.default("5m").describe("Length of a step, from midnight UTC on. Default `5m`."),
  }),
  headers: { accept: "`application/json` (the default) or `text/csv`; q-values count." },
  responses: {
    200: {
      description: "What went over it, oldest step first.",
      schema: trafficView,
      contentTypes: CONTENT_TYPES,
      example: `${Object.keys(COLUMNS).join(",")}\r\n2026-11-22T10:00:00.000Z,2026-11-22T10:05:00.000Z,300,3750000,1875000,100000,50000,0.01,0.005,4120,2060,0,0,0,1000\r\n`,
    },
  },
  handle: async ({ params: { id = "", interfaceId: part = "" }, query, headers }, deps) => {
    const { device, name } = await find(deps, id, part, query.location);
    const range = readRange(query, deps.now(), DAY_SECONDS);
    const { step } = query;
    refuseTooLong(range, step);
    const ranges = cut(range, step);
    const isFine = stepSeconds(step) < SLOT_SECONDS;
    const stretches =
      step === "1mo" ? [] : await (isFine ? stretchesFromCounters : stretchesOf)(deps, device, name, range);
    const usage = step === "1mo" ? await monthsOf(deps, device, name, ranges) : pointsOf(stretches, ranges);
    const items = usage.map((one, place) => present(one, ranges[place]!));
    if (preferred(headers.accept, CONTENT_TYPES) === "text/csv")
      return { body: toCsv(items), headers: { "content-type": "text/csv; charset=utf-8; header=present" } };
    const whole = step === "1mo" ? await stretchesOf(deps, device, name, range) : stretches;
    const total = present(pointsOf(whole, [range])[0]!, range);
    return { body: { id: interfaceIdOf(name), name, location: device.location, step, total, items } };
  },
});

const wayForecast = z
  .object({
    percentile95BitsPerSecond: nullable("95th percentile that the trend has now.", 412_000_000),
    bitsPerSecondPerWeek: nullable("By how much it grows in a week; below zero: it shrinks.", 3_100_000),
    at: moment.nullable().describe("When it reaches the share; null: not in the next ten years."),
    earliest: moment.nullable().describe("The earliest such moment, with 95 % confidence; null: likewise."),
    latest: moment.nullable().describe("The latest one; null: likewise."),
  })
  .meta({ id: "ForecastWay", description: "The trend of one direction. Null where there are fewer than six weeks." });

const getForecast = route({
  method: "GET",
  path: "/v1/monitors/{id}/interfaces/{interfaceId}/forecast",
  operationId: "getForecast",
  summary: "When an interface will be full",
  description:
    "The trend of the 95th percentile of each week (Theil and Sen, so that single busy weeks do not count), of the last 400 days, and when it reaches 80 % of the line rate.",
  scope: "read",
  query: z.strictObject(locationField),
  responses: {
    200: {
      description: "The forecast.",
      schema: z
        .object({
          ...identity,
          speedMbps: nullable("Speed in megabits a second.", 1_000),
          sharePercent: count("Share of the line rate that it is about.", 80),
          weeks: z.int().meta({ description: "Weeks that the trend is made of.", example: 26 }),
          in: wayForecast.describe("What it receives."),
          out: wayForecast.describe("What it sends."),
        })
        .meta({ id: "Forecast", description: "When an interface will be full, if it goes on like this." }),
    },
  },
  handle: async ({ params: { id = "", interfaceId: part = "" }, query: { location } }, deps) => {
    const { device, name, speedMbps } = await find(deps, id, part, location);
    const to = Math.floor(deps.now().getTime() / 1000 / WEEK_SECONDS) * WEEK_SECONDS;
    const stretches = await stretchesOf(deps, device, name, { from: to - MOST_DAYS * DAY_SECONDS, to });
    const forecast = forecastOf(stretches, speedMbps, deps.now());
    return { body: { id: interfaceIdOf(name), name, location: device.location, ...forecast } };
  },
});

export const traffic: readonly Route[] = [getTraffic, getForecast];
