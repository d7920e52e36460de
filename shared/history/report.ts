/** Turns tallies and incidents into the figures that the API shows. Pure. */
import type { Incident } from "../model.ts";
import { type StatusSeconds, secondOf } from "./status-time.ts";
import type { Range } from "./steps.ts";
import { type Tally, TIME_STATUSES } from "./tally.ts";

const QUANTILES = [0.5, 0.95, 0.99];
/** What one check adds to `lossSum` when everything was lost: hundredths of a per cent. */
const LOSS_OF_ALL = 100 * 100;

/** Seconds of maintenance in a range. */
const maintained = (maintenance: readonly Range[], { from, to }: Range) =>
  maintenance.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, to) - Math.max(one.from, from)), 0);

/**
 * Uptime: degraded counts as up; unknown, paused, maintenance and time without data are left out. Null if nothing is
 * left.
 */
export function uptimePercent({ seconds: { up, degraded, down } }: Pick<Tally, "seconds">, digits = 4): number | null {
  return percentOf(up + degraded, up + degraded + down, digits);
}

/** Rounded down, but never to 0: 100 means all, and 0 means none. Null if `whole` is 0. */
function percentOf(part: number, whole: number, digits: number): number | null {
  if (whole === 0) return null;
  const steps = Math.floor((part * 100 * 10 ** digits) / whole);
  return Math.max(steps, part > 0 ? 1 : 0) / 10 ** digits;
}

/** Seconds in each status, and without data. */
export const reportSeconds = (seconds: StatusSeconds, length: number) => ({
  ...seconds,
  noData: length - TIME_STATUSES.reduce((sum, status) => sum + seconds[status], 0),
});

export function report(tally: Tally, { from, to }: Range) {
  const { latency } = tally;
  const [p50, p95, p99] = latency.quantilesMs(QUANTILES);
  const digits = (latencyMs: number | null | undefined) => Number((latencyMs ?? 0).toPrecision(4));
  return {
    from: new Date(from * 1000).toISOString(),
    to: new Date(to * 1000).toISOString(),
    checks: tally.checks,
    failures: tally.failed,
    failuresByReason: tally.failuresByReason(),
    degraded: tally.degraded,
    unmeasured: tally.unmeasured,
    uptimePercent: uptimePercent(tally),
    seconds: reportSeconds(tally.seconds, to - from),
    latencyMs:
      latency.count === 0
        ? null
        : {
            min: latency.minMs,
            mean: digits(latency.meanMs),
            p50: digits(p50),
            p95: digits(p95),
            p99: digits(p99),
            max: latency.maxMs,
          },
    lossPercent: percentOf(tally.lossSum, tally.lossCount * LOSS_OF_ALL, 3),
  };
}

/**
 * Outages (incidents that were down) that overlap a range, clipped to it, in the whole seconds that stretches of status have.
 * @param tally of the range, merged over all locations
 * @param maintenance of the range: time in it is none of an outage
 */
export function reportOutages(
  incidents: readonly Incident[],
  tally: Tally,
  { from, to }: Range,
  maintenance: readonly Range[],
) {
  /** Seconds within the range. */
  const lasting = ({ startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number }) => {
    const clipped = { from: Math.max(startedAt, from), to: Math.min(endedAt, to) };
    return clipped.to - clipped.from - maintained(maintenance, clipped);
  };
  const outages = incidents
    .filter(({ severity }) => severity === "down")
    .map(({ startedAt, endedAt, endReason }) => ({
      startedAt: secondOf(startedAt),
      endedAt: endedAt === null ? Number.POSITIVE_INFINITY : secondOf(endedAt),
      isRecovered: endReason === "recovered",
    }))
    .filter((one) => one.startedAt < to && one.endedAt > from && lasting(one) > 0);
  const repaired = outages.filter(({ isRecovered, endedAt }) => isRecovered && endedAt <= to);
  const repairSeconds = repaired.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
  const { up, degraded, down } = tally.seconds;
  return {
    /** Of any severity. */
    incidents: incidents.length,
    outages: outages.length,
    downtimeSeconds: down,
    /** Mean time to recovery, over outages that ended in the range by recovering; their whole length counts. */
    mttrSeconds: repaired.length === 0 ? null : Math.round(repairSeconds / repaired.length),
    /** Mean time between failures: time up for each outage. */
    mtbfSeconds: outages.length === 0 ? null : Math.round((up + degraded) / outages.length),
    longestOutageSeconds: outages.length === 0 ? null : Math.max(...outages.map(lasting)),
  };
}
