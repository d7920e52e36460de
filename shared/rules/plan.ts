/** When shards and timers are due, and what travels together. Pure. */
import type { Monitor, PlannedJob, Timer } from "../model.ts";
import { CLOCK_TOLERANCE_SECONDS } from "./believe.ts";

export interface Schedule {
  readonly intervalSeconds: number;
  /** Seconds after a multiple of the interval, from 0 to interval - 1. */
  readonly phase: number;
}

/** Jobs are planned up to here: the end of the second minute from now. Exclusive, epoch seconds. */
export const horizon = (now: Date) => Math.floor(now.getTime() / 60_000) * 60 + 180;

/** Whether a watermark can be true: the plan before reached no further than the present one's `until`. */
const isReached = (plannedUntil: number, until: number) => plannedUntil < until + CLOCK_TOLERANCE_SECONDS;

/**
 * The ticks that still need a job.
 * A missed one less than half an interval old runs at once; older ones are gaps: their outcome would be no history.
 * @param plannedUntil ticks up to and including this second have their jobs; undefined: start now. One that no clock
 * could have reached yet says nothing.
 * @param until exclusive
 */
export function ticksToPlan(
  { intervalSeconds, phase }: Schedule,
  plannedUntil: number | undefined,
  until: number,
  now: Date,
): number[] {
  const nowSeconds = now.getTime() / 1000;
  const from = Math.max(
    plannedUntil !== undefined && isReached(plannedUntil, until) ? plannedUntil + 1 : Math.ceil(nowSeconds),
    nowSeconds - intervalSeconds / 2,
  );
  const first = Math.ceil((from - phase) / intervalSeconds) * intervalSeconds + phase;
  const ticks: number[] = [];
  for (let tick = first; tick < until; tick += intervalSeconds) ticks.push(tick);
  return ticks;
}

/** Whether the first tick of a plan goes on where the plan before ended. */
export const isSeamless = (
  { intervalSeconds }: Schedule,
  plannedUntil: number | undefined,
  until: number,
  first: number,
) => plannedUntil !== undefined && isReached(plannedUntil, until) && first - intervalSeconds <= plannedUntil;

/**
 * How many shards of a lane are due together and share a job, from one location. A job lasts as long as its slowest
 * target, so what it costs is mostly waiting, and two shards wait for their silent targets in the time of one: $0.42 a
 * month for 1,000 monitors at 60 s. More than 500 monitors at once come close to the limit of Lambda's smallest memory
 * (`npm run bench -- memory`) and of its descriptors, and the fastest lanes have no time for them.
 */
export const shardsPerJob = (intervalSeconds: number): number => (intervalSeconds < 30 ? 1 : 2);

/** Seconds a job waits in its queue: never early, and at most what SQS allows. */
export const delaySeconds = (dueAtSeconds: number, now: Date) =>
  Math.min(900, Math.max(0, Math.ceil(dueAtSeconds - now.getTime() / 1000)));

/**
 * Everything a tick does ends at this moment, retries and writes included: a minute after it began at most, and before
 * the next tick. One that begins late, as a missed tick of a slow lane does, has as long as any other.
 * @param startedMs epoch milliseconds
 * @returns epoch milliseconds
 */
export const tickDeadlineMs = (tick: number, intervalSeconds: number, startedMs: number) =>
  Math.min(
    (tick + intervalSeconds - 1) * 1000,
    Math.max(tick * 1000, startedMs) + (Math.min(intervalSeconds, 60) - 1) * 1000,
  );

/** Changes of one invocation: a second on Lambda's smallest share of a CPU. */
const TOUCHES_PER_JOB = 25;

/**
 * Jobs that touch what has a timer, each when its own is due. A queue of their own would cost $0.26 a month for being
 * polled, so they share that of a location: of another one each minute, and each timer is queued in two minutes, so a location that
 * is not served holds none of them up for long.
 */
export function touchJobs(timers: readonly Timer[], locations: readonly string[], now: Date): PlannedJob[] {
  const location = locations[Math.floor(now.getTime() / 60_000) % locations.length];
  if (location === undefined) return [];
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const secondOf = ({ dueAt }: Timer) => Math.max(nowSeconds, Math.ceil(Date.parse(dueAt) / 1000));
  return [...Map.groupBy(timers, secondOf)].flatMap(([dueAtSeconds, together]) =>
    chunksOf(together, TOUCHES_PER_JOB).map((own) => ({
      location,
      job: { kind: "touch" as const, timers: own.map(({ pk, sk, dueAt }) => ({ pk, sk, dueAt })) },
      dueAtSeconds,
    })),
  );
}

/** Lambda's smallest share of a CPU checks and stores these in a second, or waits for all of them at once. */
export const SPOTS_PER_JOB = 25;

/** Jobs that have each location look at these monitors now. */
export const spotJobs = (
  monitors: readonly Pick<Monitor, "id" | "settingsVersion" | "locations">[],
  locations: readonly string[],
): PlannedJob[] =>
  locations.flatMap((location) =>
    chunksOf(
      monitors.filter((monitor) => monitor.locations.includes(location)),
      SPOTS_PER_JOB,
    ).map((own) => ({
      location,
      job: { kind: "spot" as const, monitors: own.map(({ id, settingsVersion }) => ({ id, settingsVersion })) },
      dueAtSeconds: 0,
    })),
  );

/** In order, each of `size` items but for the last. */
export const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
