/**
 * Plans sweeps: how many attempts a sweep makes, in how many slices of a minute, which attempts belong to a slice, and when
 * slices and the end of a sweep are due. Pure.
 */
import { createHash } from "node:crypto";
import { parseCidr } from "../cidr.ts";
import type { SweepProbe } from "../contract/protocol.ts";
import type { Location } from "../model.ts";
import { type Schedule, ticksToPlan } from "./plan.ts";

type LocationKind = Location["kind"];

/** Attempts a second at one address: what strangers on the Internet bear, a NAT's table of connections, one's own machines. */
const PER_SECOND: Readonly<Record<LocationKind, number>> = { public: 100, vpc: 300, local: 1_000 };
/** Most that a monitor may ask for: in a VPC, security groups track each connection for minutes. */
const MOST_PER_SECOND: Readonly<Record<LocationKind, number>> = { public: 1_000, vpc: 300, local: 1_000 };
/** Addresses that are swept at the same time, and most addresses of a name. */
export const ADDRESSES_AT_ONCE = 6;
/** Attempts a second in one function of 128 MB: with 900 sockets that wait for 1.3 s each, 692 fit; it manages 634. */
export const MOST_IN_ALL = 600;
/** Seconds of a slice in which attempts start; the last ones end, and results are stored, within the minute. */
const STARTING_SECONDS = 50;
export const SLICE_SECONDS = 60;
/** A slice that is later than this is lost: it would run beside the next one, and attempts would come twice as fast. */
export const SLICE_LATE_SECONDS = 40;
/** The first look at what the slices found is so long after the last attempt begins: it has ended by then, and its result is stored. */
const LOOK_AFTER_SECONDS = 8;
/** Where a slice was missing then, a minute after the last one began and two minutes later it is looked again. */
const SECOND_LOOK_SLICES = 1;
const LAST_LOOK_SLICES = 2;

const MOST_ATTEMPTS = 1_048_576;
/** Networks: 1,024 addresses. */
const MOST_ADDRESSES = 1_024;
/** More attempts than this need an interval of an hour: they would never end. */
const MANY_ATTEMPTS = 5_000;
const SHORTEST_SECONDS = 300;
const SHORTEST_WITH_MANY_SECONDS = 3_600;

/** A question over UDP is waited for longer and costs more than a connection: it takes the place of so many. */
export const UDP_WORK = 10;

export interface SweepLoad {
  /** Of a name: as many as may be swept. */
  readonly addresses: number;
  readonly ports: number;
  /** Default none. */
  readonly udpPorts?: number;
  /** Null: the default of the kind of location. */
  readonly perSecond: number | null;
}

export interface SweepPlan {
  readonly attempts: number;
  /** At all addresses together. */
  readonly perSecond: number;
  readonly slices: number;
  /** Seconds from the tick until all slices have usually ended. */
  readonly endAfterSeconds: number;
}

/** How many addresses a host may have, before its name is resolved. */
export const addressCount = (host: string): number =>
  parseCidr(host)?.size ?? (isAddress(host) ? 1 : ADDRESSES_AT_ONCE);

const isAddress = (host: string) => /^[\d.]+$/.test(host) || host.includes(":");

export const loadFor = (
  { ports, udp, perSecond }: Pick<SweepProbe, "ports" | "udp" | "perSecond">,
  addresses: number,
): SweepLoad => ({ addresses, ports: ports.length, udpPorts: udp.length, perSecond });

/** Attempts a second at one address. */
const paceAtOne = ({ perSecond }: SweepLoad, kind: LocationKind) =>
  Math.min(perSecond ?? PER_SECOND[kind], MOST_PER_SECOND[kind]);

export function planSweep(load: SweepLoad, kind: LocationKind): SweepPlan {
  const { addresses, ports, udpPorts = 0 } = load;
  const each = paceAtOne(load, kind);
  const together = Math.min(MOST_IN_ALL, each * Math.min(addresses, ADDRESSES_AT_ONCE));
  const attempts = addresses * (ports + udpPorts);
  const work = addresses * (ports + UDP_WORK * udpPorts);
  const slices = Math.max(1, Math.ceil(work / (together * STARTING_SECONDS)));
  const lastSeconds = Math.ceil(Math.ceil(work / slices) / together) + LOOK_AFTER_SECONDS;
  const endAfterSeconds = (slices - 1) * SLICE_SECONDS + Math.min(SLICE_SECONDS, lastSeconds);
  return { attempts, perSecond: together, slices, endAfterSeconds };
}

/**
 * Attempts a second at all addresses together, where some of them get fewer attempts than others: those that get most bear no more than
 * they do in any sweep. The slices still have time for it, since fewer attempts are made.
 */
export const paceOf = (
  load: SweepLoad,
  kind: LocationKind,
  { count, mostAtOne }: { readonly count: number; readonly mostAtOne: number },
): number => Math.max(1, Math.min(planSweep(load, kind).perSecond, (paceAtOne(load, kind) * count) / mostAtOne));

/** Looking again at what differs, and asking newly open ports what they are. */
const END_SECONDS = 55;
/** The longest from a sweep's tick until what it found is stored. */
export const sweepSeconds = ({ slices }: SweepPlan) => slices * SLICE_SECONDS + END_SECONDS;

/** Share of a location's sweeping that a monitor takes: of one probe that sweeps all the time, as fast as it manages. */
export const sweepShare = ({ slices, perSecond }: SweepPlan, intervalSeconds: number) =>
  (slices * SLICE_SECONDS * perSecond) / (MOST_IN_ALL * intervalSeconds);

/** @returns why the sweep does not fit, with the figures, by the setting that is wrong; undefined when it fits */
export function refusePlan(
  load: SweepLoad,
  kind: LocationKind,
  intervalSeconds: number,
): { readonly path: string; readonly message: string } | undefined {
  const plan = planSweep(load, kind);
  const { addresses, ports, udpPorts = 0 } = load;
  if (addresses > MOST_ADDRESSES)
    return {
      path: "host",
      message: `must be at most ${MOST_ADDRESSES} addresses (IPv4 /22, IPv6 /118), got ${addresses === Number.POSITIVE_INFINITY ? "more than 4 billion" : addresses}`,
    };
  if (plan.attempts > MOST_ATTEMPTS)
    return {
      path: "settings.ports",
      message: `${ports + udpPorts} ports of ${addresses} addresses are ${plan.attempts} attempts, and at most ${MOST_ATTEMPTS} may be made: take fewer ports, or a smaller network`,
    };
  const shortest = plan.attempts > MANY_ATTEMPTS ? SHORTEST_WITH_MANY_SECONDS : SHORTEST_SECONDS;
  if (intervalSeconds < shortest)
    return {
      path: "intervalSeconds",
      message: `must be at least ${shortest} for a sweep of ${plan.attempts} attempts, got ${intervalSeconds}`,
    };
  if (plan.slices * SLICE_SECONDS > intervalSeconds / 2)
    return {
      path: "intervalSeconds",
      message: `a sweep of ${plan.attempts} attempts at ${plan.perSecond} a second takes ${plan.slices} min, and must fit into half the interval of ${intervalSeconds / 60} min: take fewer ports, a longer interval or a higher perSecond`,
    };
  return undefined;
}

/** A step of a sweep: slices are numbered from 0; the numbers after the last one look at the results and end the sweep. */
export interface SweepStep {
  readonly tick: number;
  readonly step: number;
  readonly dueAtSeconds: number;
}

/** Whether a step is the last look, which ends the sweep whatever is missing. */
export const isLastLook = (step: number, slices: number) => step >= slices + LAST_LOOK_SLICES;

/** What of a plan says when its steps are due. */
export type SweepTimes = Pick<SweepPlan, "slices" | "endAfterSeconds">;

/** Steps of the sweep that begins at this tick. */
function stepsOf(tick: number, { slices, endAfterSeconds }: SweepTimes): SweepStep[] {
  const lastSliceEnds = slices * SLICE_SECONDS;
  const due = [
    ...Array.from({ length: slices }, (_, slice) => [slice, slice * SLICE_SECONDS] as const),
    [slices, endAfterSeconds] as const,
    ...(endAfterSeconds < lastSliceEnds ? [[slices + SECOND_LOOK_SLICES, lastSliceEnds] as const] : []),
    [slices + LAST_LOOK_SLICES, lastSliceEnds + LAST_LOOK_SLICES * SLICE_SECONDS] as const,
  ];
  return due.map(([step, seconds]) => ({ tick, step, dueAtSeconds: tick + seconds }));
}

/**
 * The steps that still need a job. Steps that were missed by more than a slice may be late are lost, because attempts would come too fast.
 * @param plannedUntil watermark, as that of ticks
 * @param until exclusive
 */
export function stepsToPlan(
  schedule: Schedule,
  times: SweepTimes,
  plannedUntil: number | undefined,
  until: number,
  now: Date,
): SweepStep[] {
  if (plannedUntil === undefined)
    return stepsIn(ticksToPlan(schedule, undefined, until, now), times, undefined, until, now);
  // Ticks whose last step may still be ahead.
  const longest = (times.slices + LAST_LOOK_SLICES) * SLICE_SECONDS;
  const begun = new Date(now.getTime() - longest * 1000);
  const ticks = ticksToPlan(schedule, plannedUntil - longest, until, begun);
  return stepsIn(ticks, times, plannedUntil, until, now);
}

/** Like `stepsToPlan`, of sweeps that begin at these ticks. */
export function stepsIn(
  ticks: readonly number[],
  times: SweepTimes,
  plannedUntil: number | undefined,
  until: number,
  now: Date,
): SweepStep[] {
  const from = Math.max(plannedUntil === undefined ? 0 : plannedUntil + 1, now.getTime() / 1000 - SLICE_LATE_SECONDS);
  return ticks
    .flatMap((tick) => stepsOf(tick, times))
    .filter(({ dueAtSeconds }) => from <= dueAtSeconds && dueAtSeconds < until);
}

/**
 * The places of a slice in the list of all attempts. The order is mixed by monitor and tick, so that no two sweeps look alike, and attempts
 * that follow each other go to different addresses: attempt `i` is at address `i % addresses`.
 * @param count of all attempts
 */
export function* sliceOf(id: string, tick: number, count: number, slice: number, slices: number): Generator<number> {
  const seed = createHash("sha256").update(`${id} ${tick}`).digest();
  const offset = seed.readUInt32BE(0) % count;
  // Steps of the golden ratio spread evenly; a step that shares no divisor with the count comes to each place once.
  let step =
    (Math.floor(count * 0.618_033_988_75) + (seed.readUInt32BE(4) % Math.max(1, Math.floor(count / 8)))) % count;
  while (greatestDivisor(step, count) !== 1) step++;
  const each = Math.ceil(count / slices);
  for (let place = slice * each; place < Math.min(count, (slice + 1) * each); place++)
    yield (offset + place * step) % count;
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
