/**
 * Computes statistics over a range, step by step. Whole UTC days are read from day items, the rest from raw outcomes;
 * both give the same figures.
 */
import { DAY_SECONDS } from "../durations.ts";
import type { HistoryReader, Watched } from "../store/history-reader.ts";
import { mergedTallyOf, startOfDay, tallyOf } from "./day.ts";
import { hasMaintenance } from "./maintenance-time.ts";
import type { PastOutcome } from "./outcome.ts";
import type { Range } from "./steps.ts";
import { Tally } from "./tally.ts";

/** What to compute apart from the steps. */
export interface TallyOptions {
  /** Default: all, merged by the monitor's quorum. */
  readonly location?: string | undefined;
  /** Time that counts as maintenance. */
  readonly maintenance?: readonly Range[];
  /** First second of the first day whose raw outcomes are kept; maintenance in days before it is not known. */
  readonly rawFrom?: number;
}

/**
 * Returns one tally per step. Day items know nothing of maintenance, so days that have any are read from raw outcomes.
 * @param steps adjoining, oldest first
 */
export async function tallySteps(
  reader: HistoryReader,
  monitor: Watched,
  steps: readonly Range[],
  { location, maintenance = [], rawFrom = Number.NEGATIVE_INFINITY }: TallyOptions = {},
): Promise<Tally[]> {
  const isMarked = (day: number) => day >= rawFrom && hasMaintenance(maintenance, { from: day, to: day + DAY_SECONDS });
  const whole = { from: steps[0]?.from ?? 0, to: steps.at(-1)?.to ?? 0 };
  const hasDays = steps.some(({ from, to }) => daysIn(from, to).length > 0);
  const days = !hasDays
    ? new Map<number, Tally>()
    : location
      ? await reader.daysFrom(monitor, location, whole.from, whole.to)
      : await reader.mergedDays(monitor, whole.from, whole.to);

  const tallies = steps.map(() => new Tally());
  const open: (Range & { step: number })[] = [];
  steps.forEach(({ from, to }, step) => {
    let at = from;
    for (const day of daysIn(from, to)) {
      const tally = isMarked(day) ? undefined : days.get(day);
      if (!tally) continue;
      if (at < day) open.push({ from: at, to: day, step });
      tallies[step]!.merge(tally);
      at = day + DAY_SECONDS;
    }
    if (at < to) open.push({ from: at, to, step });
  });

  for (const parts of adjoining(open)) {
    const [from, to] = [parts[0]!.from, parts.at(-1)!.to];
    const locations = location ? [location] : reader.locationsOf(monitor);
    const outcomes = await reader.outcomes(monitor, locations, from, to);
    for (const part of parts) {
      const inPart = new Map([...outcomes].map(([name, list]) => [name, speakingFor(list, part)]));
      tallies[part.step]!.merge(
        location
          ? tallyOf(inPart.get(location) ?? [], part.from, part.to, maintenance)
          : mergedTallyOf(inPart, monitor, part.from, part.to, maintenance),
      );
    }
  }
  return tallies;
}

/** First seconds of the UTC days that lie wholly in a range. */
function daysIn(from: number, to: number): number[] {
  const first = Math.ceil(from / DAY_SECONDS) * DAY_SECONDS;
  return Array.from({ length: Math.max(0, (startOfDay(to) - first) / DAY_SECONDS) }, (_, i) => first + i * DAY_SECONDS);
}

/** Groups adjoining ranges, so that each group is read at once. */
function adjoining<R extends Range>(ranges: readonly R[]): R[][] {
  const groups: R[][] = [];
  for (const range of ranges) {
    const group = groups.at(-1);
    if (group?.at(-1)?.to === range.from) group.push(range);
    else groups.push([range]);
  }
  return groups;
}

/** The outcomes in a range, and the one before it, whose interval may reach into the range. */
const speakingFor = (outcomes: readonly PastOutcome[], { from, to }: Range) =>
  outcomes.slice(Math.max(0, lowerBound(outcomes, from) - 1), lowerBound(outcomes, to));

/** Index of the first outcome at or after a tick. */
function lowerBound(outcomes: readonly PastOutcome[], tick: number): number {
  let [low, high] = [0, outcomes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (outcomes[middle]!.tick < tick) low = middle + 1;
    else high = middle;
  }
  return low;
}
