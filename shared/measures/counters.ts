/**
 * What went over an interface between two polls of its counters (RFC 2863). A difference that may be wrong is void, which is a gap and
 * never a zero: after a restart, a discontinuity, another index, a gap in the polls, or where it exceeds the line rate. Pure.
 */
import type { InterfacePoll, InterfaceReading } from "../contract/poll.ts";

/** Sums over an interval, both directions together where no direction is named. */
export interface Counts {
  readonly inBytes: number;
  readonly outBytes: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly errors: number;
  readonly discards: number;
  readonly fcsErrors: number;
  readonly lateCollisions: number;
}

export type WhyVoid =
  | "gap"
  | "restarted"
  | "renumbered"
  | "discontinuity"
  | "no-counters"
  | "may-have-wrapped-twice"
  | "faster-than-the-line";

/** What happened to one interface from one poll to the next. */
export interface Interval {
  readonly endMs: number;
  /** By the agent's clock. */
  readonly seconds: number;
  /** Null where the counters prove nothing. */
  readonly counts: Counts | null;
  readonly why?: WhyVoid;
  /** How often the link changed, at least. */
  readonly flaps: number;
  readonly speedMbps: number;
}

/** Polls further apart than so many intervals prove nothing: in between there may have been anything. */
const LONGEST_INTERVALS = 3;
/** Of the time between two polls: by how much the agent's clock may differ from ours. */
const CLOCK_SHARE = 0.5;
const CLOCK_SECONDS = 2;
/** Share of the line rate that a correct counter may show, because its agent updates it now and then only. */
const LINE_SHARE = 1.1;
/** Bytes of the shortest packet, whatever the medium. */
const SHORTEST_PACKET = 40;
const WRAP_32 = 2n ** 32n;
const WRAP_64 = 2n ** 64n;
const UP = 1;

const forward = (before: bigint, after: bigint, wrap: bigint): number => Number((after - before + wrap) % wrap);
const forward32 = (before: number | null, after: number | null): number =>
  before === null || after === null ? 0 : after >= before ? after - before : after - before + 2 ** 32;

/** Changes of a link that its state and the time of its last change prove. */
function flapsOf(before: InterfaceReading, after: InterfaceReading): number {
  if (before.oper !== after.oper) return 1;
  return before.lastChange === after.lastChange ? 0 : 2;
}

function countsOf(before: InterfaceReading, after: InterfaceReading, seconds: number): Counts | WhyVoid {
  const { inOctets, outOctets } = after;
  if (before.inOctets === null || before.outOctets === null || inOctets === null || outOctets === null)
    return "no-counters";
  const lineBytes = (Math.max(before.speedMbps, after.speedMbps) * 1e6 * seconds) / 8;
  if (!after.isWide && (lineBytes === 0 || lineBytes >= 2 ** 32)) return "may-have-wrapped-twice";
  const wrap = after.isWide ? WRAP_64 : WRAP_32;
  const packets = (from: bigint | null, to: bigint | null) =>
    from === null || to === null ? 0 : forward(from, to, wrap);
  const counts: Counts = {
    inBytes: forward(before.inOctets, inOctets, wrap),
    outBytes: forward(before.outOctets, outOctets, wrap),
    inPackets: packets(before.inPackets, after.inPackets),
    outPackets: packets(before.outPackets, after.outPackets),
    errors: forward32(before.inErrors, after.inErrors) + forward32(before.outErrors, after.outErrors),
    discards: forward32(before.inDiscards, after.inDiscards) + forward32(before.outDiscards, after.outDiscards),
    fcsErrors: forward32(before.fcsErrors, after.fcsErrors),
    lateCollisions: forward32(before.lateCollisions, after.lateCollisions),
  };
  const { inBytes, outBytes, inPackets, outPackets, errors, discards, fcsErrors, lateCollisions } = counts;
  // Without a line rate, only what went backwards is known to be wrong.
  const most = lineBytes === 0 ? 2 ** 63 : LINE_SHARE * lineBytes;
  const mostEvents = lineBytes === 0 ? 2 ** 31 : most / SHORTEST_PACKET;
  const events = [inPackets, outPackets, errors, discards, fcsErrors, lateCollisions];
  return Math.max(inBytes, outBytes) > most || events.some((count) => count > 2 * mostEvents)
    ? "faster-than-the-line"
    : counts;
}

/**
 * What happened to each interface that both polls have, by name.
 * @param intervalSeconds between polls, as the monitor is set up
 */
export function intervalsBetween(
  before: InterfacePoll,
  after: InterfacePoll,
  intervalSeconds: number,
): ReadonlyMap<string, Interval> {
  const elapsed = (after.atMs - before.atMs) / 1000;
  const uptime = (after.upHundredths - before.upHundredths) / 100;
  const isGap = elapsed <= 0 || elapsed > LONGEST_INTERVALS * intervalSeconds;
  const isRestarted =
    uptime <= 0 || Math.abs(uptime - elapsed) > Math.max(CLOCK_SECONDS, CLOCK_SHARE * Math.max(0, elapsed));
  const earlier = new Map(before.interfaces.map((one) => [one.name, one]));
  const found = new Map<string, Interval>();
  for (const now of after.interfaces) {
    const then = earlier.get(now.name);
    if (!then) continue;
    const { speedMbps } = now;
    const broken = isGap ? "gap" : isRestarted ? "restarted" : then.index === now.index ? undefined : "renumbered";
    const isOther = then.discontinuity !== now.discontinuity || then.isWide !== now.isWide;
    const counts = broken ?? (isOther ? "discontinuity" : countsOf(then, now, uptime));
    const base = { endMs: after.atMs, seconds: broken ? Math.max(0, elapsed) : uptime, speedMbps };
    const flaps = broken ? 0 : flapsOf(then, now);
    found.set(
      now.name,
      typeof counts === "string" ? { ...base, flaps, counts: null, why: counts } : { ...base, flaps, counts },
    );
  }
  return found;
}

export const isLinkUp = ({ oper }: Pick<InterfaceReading, "oper">): boolean => oper === UP;
export const isOn = ({ admin }: Pick<InterfaceReading, "admin">): boolean => admin === UP;

const NOTHING: Counts = {
  inBytes: 0,
  outBytes: 0,
  inPackets: 0,
  outPackets: 0,
  errors: 0,
  discards: 0,
  fcsErrors: 0,
  lateCollisions: 0,
};
export const COUNTS = Object.keys(NOTHING) as readonly (keyof Counts)[];

/** Sums of the intervals that prove something, and the seconds that these cover. */
export function total(intervals: readonly Interval[]): Counts & { readonly seconds: number } {
  const sum: Record<keyof Counts | "seconds", number> = { ...NOTHING, seconds: 0 };
  for (const { counts, seconds } of intervals) {
    if (!counts) continue;
    sum.seconds += seconds;
    for (const key of COUNTS) sum[key] += counts[key];
  }
  return sum;
}

/** Per cent of the line rate that so many bytes are; null where the speed is unknown. */
export const utilisation = (bytes: number, seconds: number, speedMbps: number): number | null =>
  seconds > 0 && speedMbps > 0 ? (bytes * 8 * 100) / (seconds * speedMbps * 1e6) : null;

export const perMillion = (
  count: number,
  { inPackets, outPackets }: Pick<Counts, "inPackets" | "outPackets">,
): number => (count === 0 ? 0 : (1e6 * count) / (inPackets + outPackets + count));
