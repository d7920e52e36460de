/** Sums of 5 minutes, in which the traffic of interfaces is kept for longer than its counters. Pure. */
import { COUNTS, type Counts, type Interval } from "./counters.ts";
import { percentile } from "./percentile.ts";

export const SLOT_SECONDS = 300;

/** What went over an interface in a stretch of time; of counts, only what the counters prove. */
export interface Sums extends Counts {
  /** How much of the stretch the counters cover. */
  readonly seconds: number;
  readonly flaps: number;
  /** The best speed in it. */
  readonly speedMbps: number;
}
type Writable<T> = { -readonly [K in keyof T]: T[K] };
const KEYS = [...COUNTS, "seconds"] as const;

export const noSums = (): Writable<Sums> => ({
  inBytes: 0,
  outBytes: 0,
  inPackets: 0,
  outPackets: 0,
  errors: 0,
  discards: 0,
  fcsErrors: 0,
  lateCollisions: 0,
  seconds: 0,
  flaps: 0,
  speedMbps: 0,
});

/** Sums of a stretch of time, epoch seconds. */
export interface Stretch extends Sums {
  readonly from: number;
  readonly to: number;
}

export const stretchOf = ({ endMs, seconds, counts, flaps, speedMbps }: Interval): Stretch => ({
  ...noSums(),
  ...counts,
  seconds: counts ? seconds : 0,
  flaps,
  speedMbps,
  from: endMs / 1000 - seconds,
  to: endMs / 1000,
});

/** Adds what a stretch has within a range; evenly, where the range takes only a part of it. Flaps belong to its end. */
function addWithin(sums: Writable<Sums>, stretch: Stretch, from: number, to: number): void {
  const length = stretch.to - stretch.from;
  const share = length > 0 ? Math.max(0, Math.min(to, stretch.to) - Math.max(from, stretch.from)) / length : 0;
  if (share > 0) {
    for (const key of KEYS) sums[key] += share * stretch[key];
    sums.speedMbps = Math.max(sums.speedMbps, stretch.speedMbps);
  }
  if (stretch.to > from && stretch.to <= to) sums.flaps += stretch.flaps;
}

/** Adds a stretch to slots of 5 minutes. @param from first second of the first slot */
export function addToSlots(slots: readonly Writable<Sums>[], stretch: Stretch, from: number): void {
  const last = Math.min(slots.length - 1, Math.floor((stretch.to - from) / SLOT_SECONDS));
  for (let slot = Math.max(0, Math.floor((stretch.from - from) / SLOT_SECONDS)); slot <= last; slot++)
    addWithin(slots[slot]!, stretch, from + slot * SLOT_SECONDS, from + (slot + 1) * SLOT_SECONDS);
}

/** What a stretch has from a moment on; undefined where that is nothing. */
export function cropped(stretch: Stretch, from: number): Stretch | undefined {
  if (stretch.from >= from) return stretch;
  if (stretch.to <= from) return undefined;
  const sums = noSums();
  addWithin(sums, stretch, from, stretch.to);
  return { ...sums, from, to: stretch.to };
}

/** Sums of ranges that adjoin, oldest first, from stretches in order of time. */
export function sumsOf(
  stretches: readonly Stretch[],
  ranges: readonly { readonly from: number; readonly to: number }[],
): Sums[] {
  const all = ranges.map(noSums);
  let first = 0;
  for (const stretch of stretches) {
    while (first < ranges.length && ranges[first]!.to <= stretch.from) first++;
    for (let place = first; place < ranges.length && ranges[place]!.from <= stretch.to; place++)
      addWithin(all[place]!, stretch, ranges[place]!.from, ranges[place]!.to);
  }
  return all;
}

/** Ranges of 5 minutes. @param from multiple of 5 minutes */
export const slotsFrom = (from: number, to: number): { readonly from: number; readonly to: number }[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / SLOT_SECONDS)) }, (_, slot) => ({
    from: from + slot * SLOT_SECONDS,
    to: from + (slot + 1) * SLOT_SECONDS,
  }));

/** A stretch of time in short: what is kept of each month. */
export interface Usage {
  readonly inBytes: number;
  readonly outBytes: number;
  /** Bits a second that 95 % of the 5 minutes do not exceed; null without any. */
  readonly inPercentile95: number | null;
  readonly outPercentile95: number | null;
  /** Bits a second of the fullest 5 minutes. */
  readonly inPeak: number | null;
  readonly outPeak: number | null;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly errors: number;
  readonly discards: number;
  readonly flaps: number;
  readonly seconds: number;
  readonly speedMbps: number;
}

/** @param sums of the whole stretch. @param slots of its 5 minutes */
export function usageOf(
  { inBytes, outBytes, inPackets, outPackets, errors, discards, flaps, seconds, speedMbps }: Sums,
  slots: readonly Sums[],
): Usage {
  const [received, sent] = [bitRates(slots, "in"), bitRates(slots, "out")];
  return {
    inBytes,
    outBytes,
    inPercentile95: percentile(received, 0.95),
    outPercentile95: percentile(sent, 0.95),
    inPeak: percentile(received, 1),
    outPeak: percentile(sent, 1),
    inPackets,
    outPackets,
    errors,
    discards,
    flaps,
    seconds,
    speedMbps,
  };
}

/** A slot counts for percentiles from half of it on: less may be a peak of a moment. */
const LEAST_SHARE = 0.5;

/** Bits a second of each slot that is covered well enough. */
export const bitRates = (slots: readonly Sums[], way: "in" | "out"): number[] =>
  slots
    .filter(({ seconds }) => seconds >= LEAST_SHARE * SLOT_SECONDS)
    .map((slot) => (8 * slot[`${way}Bytes`]) / slot.seconds);
