/** Day: one monitor's tally of one UTC day, from one location or merged over all. Built from the day's raw outcomes. */
import { DAY_SECONDS } from "../durations.ts";
import { markMaintenance } from "./maintenance-time.ts";
import type { PastOutcome } from "./outcome.ts";
import type { Range } from "./steps.ts";
import { Tally } from "./tally.ts";
import { mergeStretches, stretches, type Voters } from "./timeline.ts";

/** Takes the place of the location name in day items that are merged by the quorum. No location can have this name. */
export const MERGED = "*";

export const startOfDay = (moment: number) => Math.floor(moment / DAY_SECONDS) * DAY_SECONDS;
/** `YYYY-MM-DD` of a moment, in UTC. */
export const dateOf = (moment: number) => new Date(moment * 1000).toISOString().slice(0, 10);
export const startOfDate = (date: string) => Date.parse(`${date}T00:00:00Z`) / 1000;

/**
 * @param outcomes oldest first, including earlier ones whose interval reaches beyond `from`
 * @param maintenance time that counts as maintenance
 */
export function tallyOf(
  outcomes: readonly PastOutcome[],
  from: number,
  to: number,
  maintenance: readonly Range[] = [],
): Tally {
  const tally = new Tally();
  for (const outcome of outcomes) if (outcome.tick >= from && outcome.tick < to) tally.addOutcome(outcome);
  for (const stretch of markMaintenance(stretches(outcomes, from, to), maintenance)) tally.addStretch(stretch);
  return tally;
}

/** Merges locations: seconds by the quorum's status; checks and latencies of all locations added up. */
export function mergedTallyOf(
  byLocation: ReadonlyMap<string, readonly PastOutcome[]>,
  voters: Voters,
  from: number,
  to: number,
  maintenance: readonly Range[] = [],
): Tally {
  const merged = new Tally();
  const lists = new Map([...byLocation].map(([name, outcomes]) => [name, stretches(outcomes, from, to)]));
  for (const outcomes of byLocation.values()) merged.merge(tallyOf(outcomes, from, to), { seconds: false });
  for (const stretch of markMaintenance(mergeStretches(lists, voters), maintenance)) merged.addStretch(stretch);
  return merged;
}
