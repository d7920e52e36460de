/**
 * The usual range of a measure: what the same hour of the week was in the last weeks, with its spread (seasonal baseline by medians,
 * which outliers do not move). Finds what is far outside of it for long (anomaly detection). Pure.
 */
import { median } from "./percentile.ts";

/** What can be watched, with the amount that is too small to matter: below it, a multiple of next to nothing is nothing. */
export const MEASURES = {
  /** Milliseconds. */
  latency: { floor: 1, isLittleFine: true },
  /** Per cent of datagrams. */
  loss: { floor: 1, isLittleFine: true },
  /** Bytes a second. */
  inBytes: { floor: 10_000, isLittleFine: false },
  outBytes: { floor: 10_000, isLittleFine: false },
  /** Packets a second. */
  inPackets: { floor: 10, isLittleFine: false },
  outPackets: { floor: 10, isLittleFine: false },
} as const;
export type MeasureName = keyof typeof MEASURES;
const MEASURE_NAMES = Object.keys(MEASURES) as readonly MeasureName[];

/** Measures of interfaces; the others are of whole checks. */
export const TRAFFIC_MEASURES = ["inBytes", "outBytes", "inPackets", "outPackets"] as const;
export type TrafficMeasure = (typeof TRAFFIC_MEASURES)[number];
export const isTraffic = (measure: MeasureName): measure is TrafficMeasure =>
  TRAFFIC_MEASURES.some((one) => one === measure);

/** Names what a usual week is of. @param of the interface, for traffic */
export const seriesName = (measure: MeasureName, of?: string) => (of === undefined ? measure : `${measure}#${of}`);

/** How many spreads outside of the usual range are unusual. */
export const SENSITIVITIES = { low: 6, normal: 5, high: 4 } as const;
export type Sensitivity = keyof typeof SENSITIVITIES;

/** A monitor's setting, by measure. */
export type UnusualSettings = Partial<Readonly<Record<MeasureName, Sensitivity | "off">>>;

/** The measures that are watched. */
export const watchedIn = (settings: UnusualSettings | null) =>
  MEASURE_NAMES.flatMap((measure): { measure: MeasureName; sensitivity: Sensitivity }[] => {
    const sensitivity = settings?.[measure] ?? "off";
    return sensitivity === "off" ? [] : [{ measure, sensitivity }];
  });

/** What is judged is the mean of so long, and has to be outside for so long. */
export const WINDOW_SECONDS = 900;
/** Two windows: at the beginning of the second, a mean needs what was in the first. */
export const LOOK_BACK_SECONDS = 2 * WINDOW_SECONDS;
/** Within the window, parts of so long must be outside too: else two downloads of some minutes would do. */
const PART_SECONDS = WINDOW_SECONDS / 3;
/** A mean needs this share of the checks of its window, and two of them. */
const LEAST_SHARE = 0.5;
const FEWEST_SAMPLES = 2;
/** Longest check interval at which a window has enough checks. */
export const LONGEST_INTERVAL_SECONDS = WINDOW_SECONDS / 3;

const HOUR_SECONDS = 3_600;
export const HOURS_OF_WEEK = 168;
const WEEK_SECONDS = HOURS_OF_WEEK * HOUR_SECONDS;
/** The epoch began on a Thursday; weeks begin on Mondays. */
const EPOCH_HOUR = 72;
export const LEARNED_SECONDS = 6 * WEEK_SECONDS;
/** Weeks that an hour must be known of. */
const FEWEST_WEEKS = 2;
/** How far back residuals are counted. */
const RESIDUAL_SECONDS = 2 * WEEK_SECONDS;
/** Quarters of an hour that make an hour known. */
const FEWEST_QUARTERS = 2;
/** The median absolute deviation of a normal distribution is its standard deviation divided by this. */
const NORMAL = 1.4826;
/** Nothing is steadier than 20 %. */
const LEAST_SPREAD = Math.log(1.2);

/** A measured value. */
export interface Sample {
  /** Epoch seconds. */
  readonly at: number;
  readonly value: number;
}

/** What an hour of the week usually is: logarithms, as `levelOf` makes them. */
export interface UsualHour {
  readonly centre: number;
  readonly spread: number;
}
/** By hour of the UTC week, from Monday on, without the hours that too little is known of. */
export type UsualWeek = ReadonlyMap<number, UsualHour>;

/** Values differ by factors, so they are compared by their logarithms. */
const levelOf = (value: number, floor: number) => Math.log(1 + floor + value);
const amountOf = (level: number, floor: number) => Math.max(0, Math.exp(level) - 1 - floor);

export const hourOfWeek = (second: number) => (Math.floor(second / HOUR_SECONDS) + EPOCH_HOUR) % HOURS_OF_WEEK;

const medianOf = (values: readonly number[]) => median(values.toSorted((a, b) => a - b));
const deviation = (values: readonly number[], centre: number) =>
  NORMAL * medianOf(values.map((value) => Math.abs(value - centre)));

/** Means of quarters of an hour: of years of checks, what is learned from. */
export class QuarterMeans {
  readonly #sums = new Map<number, { sum: number; count: number }>();

  add({ at, value }: Sample): void {
    const start = Math.floor(at / WINDOW_SECONDS) * WINDOW_SECONDS;
    const known = this.#sums.get(start);
    if (!known) return void this.#sums.set(start, { sum: value, count: 1 });
    known.sum += value;
    known.count += 1;
  }

  /** In the order in which their first samples came. */
  *means(): Generator<Sample> {
    for (const [at, { sum, count }] of this.#sums) yield { at, value: sum / count };
  }
}

/**
 * Learns a usual week from the last six weeks. Of each hour of the week, its centre is the median of its medians in these weeks. Its
 * spread is the largest of the deviation of these, of the deviation of all quarters of the last two weeks from their centres, and 20 %.
 * @param quarters means of quarters of an hour, by their first seconds
 * @param end second at which what is learned from ends
 */
export function learn(quarters: Iterable<Sample>, measure: MeasureName, end: number): UsualWeek {
  const { floor } = MEASURES[measure];
  const hours = new Map<number, number[]>();
  for (const { at, value } of quarters) {
    if (at < end - LEARNED_SECONDS || at >= end) continue;
    const hour = Math.floor(at / HOUR_SECONDS);
    const levels = hours.get(hour);
    if (levels) levels.push(levelOf(value, floor));
    else hours.set(hour, [levelOf(value, floor)]);
  }
  const medians = Array.from({ length: HOURS_OF_WEEK }, (): number[] => []);
  for (const [hour, levels] of hours)
    if (levels.length >= FEWEST_QUARTERS) medians[hourOfWeek(hour * HOUR_SECONDS)]!.push(medianOf(levels));
  const centres = medians.map((known) => (known.length >= FEWEST_WEEKS ? medianOf(known) : null));

  const residuals: number[] = [];
  for (const [hour, levels] of hours) {
    const second = hour * HOUR_SECONDS;
    const centre = centres[hourOfWeek(second)] ?? null;
    if (centre !== null && second >= end - RESIDUAL_SECONDS) residuals.push(...levels.map((level) => level - centre));
  }
  const noise = residuals.length > 0 ? deviation(residuals, 0) : 0;
  const week = new Map<number, UsualHour>();
  for (const [hour, centre] of centres.entries())
    if (centre !== null)
      week.set(hour, { centre, spread: Math.max(LEAST_SPREAD, noise, deviation(medians[hour]!, centre)) });
  return week;
}

/** Hours before and after a moment that are needed to judge by it, for an hour and some minutes. */
const NEAR_HOURS = [-2, -1, 0, 1, 2, 3];

/** Of a week, what is needed for the next hour: a device has hundreds of them. */
export function hoursNear(week: UsualWeek, second: number): UsualWeek {
  const near = new Map<number, UsualHour>();
  for (const apart of NEAR_HOURS) {
    const hour = hourOfWeek(second + apart * HOUR_SECONDS);
    const usual = week.get(hour);
    if (usual) near.set(hour, usual);
  }
  return near;
}

/**
 * What was usual at a moment: from the lowest to the highest centre of the hour, the one before and the one after, with the largest of
 * their spreads. What begins an hour earlier or later, after a change of clocks for example, is usual.
 */
function boundsAt(week: UsualWeek, at: number) {
  const hour = hourOfWeek(at);
  if (!week.has(hour)) return undefined;
  const near = [hour + HOURS_OF_WEEK - 1, hour, hour + 1].flatMap((one) => week.get(one % HOURS_OF_WEEK) ?? []);
  const centres = near.map(({ centre }) => centre);
  const spread = Math.max(...near.map((one) => one.spread));
  return { low: Math.min(...centres), high: Math.max(...centres), spread };
}

export interface Unusual {
  /** Of the last 15 minutes. */
  readonly mean: number;
  /** What it usually is. */
  readonly low: number;
  readonly high: number;
  /** How many spreads it is outside. */
  readonly spreads: number;
}

/** Mean of so many seconds up to a sample; undefined where there are too few samples. */
function meanAt(samples: readonly Sample[], place: number, seconds: number, fewest: number): number | undefined {
  const after = samples[place]!.at - seconds;
  let [sum, count] = [0, 0];
  for (let one = place; one >= 0 && samples[one]!.at > after; one--) {
    sum += samples[one]!.value;
    count += 1;
  }
  return count >= fewest ? sum / count : undefined;
}

export interface Watch {
  readonly measure: MeasureName;
  readonly sensitivity: Sensitivity;
  /** Between two samples, as the monitor is set up. */
  readonly intervalSeconds: number;
  /** Whether it was unusual until now: then it is, down to half of the limit. */
  readonly wasUnusual: boolean;
}

/**
 * Whether a measure is unusual now: its mean of 15 minutes has been far outside for 15 minutes, on one side, and its mean of 5 minutes
 * half as far. A single high value is in such a mean for just under 15 minutes.
 * @param samples of the last half hour, oldest first
 * @param now epoch seconds, of the newest sample
 */
export function findUnusual(
  samples: readonly Sample[],
  week: UsualWeek,
  { measure, sensitivity, intervalSeconds, wasUnusual }: Watch,
  now: number,
): Unusual | undefined {
  const { floor, isLittleFine } = MEASURES[measure];
  const limit = SENSITIVITIES[sensitivity];
  const last = samples.length - 1;
  if (samples[last]?.at !== now) return undefined;
  const fewest = Math.max(FEWEST_SAMPLES, (LEAST_SHARE * WINDOW_SECONDS) / intervalSeconds);
  const windowAt = (place: number) => meanAt(samples, place, WINDOW_SECONDS, fewest);
  /** Spreads above what is usual at the time of a sample; negative below it, where that matters. */
  const distanceOf = (mean: number | undefined, place: number): number => {
    const usual = mean === undefined ? undefined : boundsAt(week, samples[place]!.at);
    if (mean === undefined || !usual) return 0;
    const level = levelOf(mean, floor);
    if (level > usual.high) return (level - usual.high) / usual.spread;
    return level < usual.low && !isLittleFine ? (level - usual.low) / usual.spread : 0;
  };
  const distance = distanceOf(windowAt(last), last);
  const isStill = wasUnusual && Math.abs(distance) > limit / 2;
  if (!isStill && Math.abs(distance) <= limit) return undefined;

  const side = Math.sign(distance);
  const isBeyond = (mean: number | undefined, place: number, spreads: number) =>
    mean === undefined || side * distanceOf(mean, place) > spreads;
  /** Whether all means since 15 minutes ago are outside on the same side, and there are means of that time. */
  const isLong = () => {
    // Checks are some time off their ticks.
    const begin = now - WINDOW_SECONDS - intervalSeconds / 2;
    let oldest = now;
    for (let place = last; place >= 0 && samples[place]!.at > begin; place--) {
      const mean = windowAt(place);
      if (!isBeyond(mean, place, limit)) return false;
      if (!isBeyond(meanAt(samples, place, PART_SECONDS, 1), place, limit / 2)) return false;
      if (mean !== undefined) oldest = samples[place]!.at;
    }
    return oldest <= now - WINDOW_SECONDS + intervalSeconds;
  };
  if (!isStill && !isLong()) return undefined;
  const { low, high, spread } = boundsAt(week, now)!;
  return {
    mean: windowAt(last)!,
    low: amountOf(low - spread, floor),
    high: amountOf(high + spread, floor),
    spreads: Math.abs(distance),
  };
}
