/** When shards are due. Pure. */

export interface Schedule {
  readonly intervalSeconds: number;
  /** Seconds after a multiple of the interval, from 0 to interval - 1. */
  readonly phase: number;
}

/** Jobs are planned up to here: the end of the second minute from now. Exclusive, epoch seconds. */
export const horizon = (now: Date) => Math.floor(now.getTime() / 60_000) * 60 + 180;

/**
 * The ticks that still need a job.
 * A missed one less than half an interval old runs at once; older ones are gaps: their outcome would be no history.
 * @param plannedUntil ticks up to and including this second have their jobs; undefined: start now
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
    plannedUntil === undefined ? Math.ceil(nowSeconds) : plannedUntil + 1,
    nowSeconds - intervalSeconds / 2,
  );
  const first = Math.ceil((from - phase) / intervalSeconds) * intervalSeconds + phase;
  const ticks: number[] = [];
  for (let tick = first; tick < until; tick += intervalSeconds) ticks.push(tick);
  return ticks;
}

/** Seconds a job waits in its queue: never early, and at most what SQS allows. */
export const delaySeconds = (tick: number, now: Date) =>
  Math.min(900, Math.max(0, Math.ceil(tick - now.getTime() / 1000)));

/** Everything a tick does ends at this moment, retries and writes included. Epoch milliseconds. */
export const tickDeadlineMs = (tick: number, intervalSeconds: number) =>
  (tick + Math.min(intervalSeconds, 60) - 1) * 1000;
