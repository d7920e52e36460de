/** Plans queue jobs: which ticks and timers need one, when it is due, and what is batched into it. Pure. */
import type { PlannedJob, Timer } from "../jobs.ts";
import type { Monitor } from "../model.ts";
import { CLOCK_TOLERANCE_SECONDS } from "./clock-skew.ts";

export interface Schedule {
  readonly intervalSeconds: number;
  /** Seconds after a multiple of the interval, from 0 to interval - 1. */
  readonly phase: number;
}

/** End of planning: the end of the second minute from now. Exclusive, epoch seconds. */
export const horizon = (now: Date) => Math.floor(now.getTime() / 60_000) * 60 + 180;

/** Whether a watermark is plausible: an earlier plan cannot have reached further than this one (clock skew). */
const isReached = (plannedUntil: number, until: number) => plannedUntil < until + CLOCK_TOLERANCE_SECONDS;

/**
 * The ticks that still need a job. A missed tick runs late if it is less than half an interval old; older ones stay
 * gaps in the history.
 * @param plannedUntil watermark: ticks up to and including this second have jobs. Ignored if undefined or implausibly
 * far ahead; planning then starts now
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

/** Whether a plan continues the earlier one without a gap. */
export const isSeamless = (
  { intervalSeconds }: Schedule,
  plannedUntil: number | undefined,
  until: number,
  first: number,
) => plannedUntil !== undefined && isReached(plannedUntil, until) && first - intervalSeconds <= plannedUntil;

/**
 * How many shards of a lane share one job at a location. A job lasts as long as its slowest target, so most of its cost
 * is waiting, and two shards wait together: saves $0.42 a month for 1,000 monitors at 60 s. More than 500 monitors at
 * once come close to Lambda's smallest memory (`npm run bench -- memory`) and its file descriptors, and the fastest
 * lanes have no time for them.
 */
export const shardsPerJob = (intervalSeconds: number): number => (intervalSeconds < 30 ? 1 : 2);

/** SQS delay of a job, in seconds: it never arrives early, and 900 is the most that SQS allows. */
export const delaySeconds = (dueAtSeconds: number, now: Date) =>
  Math.min(900, Math.max(0, Math.ceil(dueAtSeconds - now.getTime() / 1000)));

/**
 * Deadline of a tick, retries and writes included: at most a minute after it began, and before the next tick. A tick
 * that starts late (a missed one of a slow lane) gets as much time as any other.
 * @param startedMs epoch milliseconds
 * @returns epoch milliseconds
 */
export const tickDeadlineMs = (tick: number, intervalSeconds: number, startedMs: number) =>
  Math.min(
    (tick + intervalSeconds - 1) * 1000,
    Math.max(tick * 1000, startedMs) + (Math.min(intervalSeconds, 60) - 1) * 1000,
  );

/** Timers that one invocation touches: a second's work on Lambda's smallest share of a CPU. */
const TOUCHES_PER_JOB = 25;

/**
 * Jobs that touch items when their timers are due. Polling a queue of their own would cost $0.26 a month, so they use
 * the queues of two locations, others each minute: one that does not work delays no timer. The second touch is refused,
 * because the first one removed the timer.
 */
export function touchJobs(timers: readonly Timer[], locations: readonly string[], now: Date): PlannedJob[] {
  const first = Math.floor(now.getTime() / 60_000);
  const carriers = new Set(locations.length > 0 ? [first, first + 1].map((n) => locations[n % locations.length]!) : []);
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const secondOf = ({ dueAt }: Timer) => Math.max(nowSeconds, Math.ceil(Date.parse(dueAt) / 1000));
  const jobs = [...Map.groupBy(timers, secondOf)].flatMap(([dueAtSeconds, together]) =>
    chunksOf(together, TOUCHES_PER_JOB).map((own) => ({
      job: { kind: "touch" as const, timers: own.map(({ pk, sk, dueAt }) => ({ pk, sk, dueAt })) },
      dueAtSeconds,
    })),
  );
  return [...carriers].flatMap((location) => jobs.map((job) => ({ location, ...job })));
}

/** Monitors in a spot job: Lambda's smallest share of a CPU checks and stores these in a second. */
export const SPOTS_PER_JOB = 25;

/** Spot jobs: each location checks these monitors once, now. */
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

/** Splits a list into chunks of `size`, in order; the last may be shorter. */
export const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
