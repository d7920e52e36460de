/**
 * Keeps past summaries decoded in memory, so that a reading takes of each bucket only its newest hour and what happened
 * since. A summary changes only by a correction, which the newest hour counts.
 */
import { DAY_SECONDS, HOUR_SECONDS } from "../durations.ts";
import { startOfDay } from "../history/day.ts";
import type { Range } from "../history/steps.ts";
import { type Change, PERIOD_SECONDS, type Period, type StoredSummary, type SummaryStore } from "./summaries.ts";

/** How far back summaries are kept in memory: the longest bars. Of 10,000 monitors that takes some 50 MB. */
const KEPT_SECONDS: Readonly<Record<Period, number>> = { HOUR: 8 * DAY_SECONDS, DAY: 92 * DAY_SECONDS };

type Summaries = ReadonlyMap<number, StoredSummary>;

/** All summaries of a bucket that begin within `from <= t < to`. */
interface Kept {
  from: number;
  to: number;
  readonly summaries: Map<number, StoredSummary>;
}
const nothing = (): Kept => ({ from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY, summaries: new Map() });

const isEmpty = ({ from, to }: Kept) => from >= to;

/** Adds a range that adjoins or overlaps. */
function widen(kept: Kept, { from, to }: Range) {
  const known = isEmpty(kept) ? { from, to } : kept;
  kept.from = Math.min(known.from, from);
  kept.to = Math.max(known.to, to);
}

/** Drops what is older. */
function prune(kept: Kept, oldest: number) {
  if (kept.from >= oldest) return;
  for (const start of kept.summaries.keys()) if (start < oldest) kept.summaries.delete(start);
  kept.from = oldest;
}

interface Bucket extends Readonly<Record<Period, Kept>> {
  /** Of the newest hour. */
  readonly corrections: number;
  /** Readings come one after the other, so that a range has no gaps. */
  reading: Promise<unknown>;
}

/** What is known of a bucket. */
interface Known {
  readonly newest: StoredSummary | undefined;
  /** What no summary includes yet. */
  readonly changes: readonly Change[];
  /** Finds summaries by their first seconds; all must end before the newest one does. Others may be among the answer. */
  readonly past: (period: Period, starts: readonly number[], nowSeconds: number) => Promise<Summaries>;
}

/** Groups moments that are less than a day apart, so that each group is one query. */
function groupsOf(moments: Iterable<number>): Range[] {
  const groups: { from: number; to: number }[] = [];
  for (const at of [...new Set(moments)].toSorted((a, b) => a - b)) {
    const last = groups.at(-1);
    if (last && at - last.to <= DAY_SECONDS) last.to = at + 1;
    else groups.push({ from: at, to: at + 1 });
  }
  return groups;
}

export function createSummaryMemory(summaries: SummaryStore) {
  const buckets = new Map<number, Bucket>();

  const extend = async (bucket: number, period: Period, kept: Kept, { from, to }: Range) => {
    if (to <= from) return;
    for (const [start, summary] of await summaries.summaries(bucket, period, from, to))
      kept.summaries.set(start, summary);
    widen(kept, { from, to });
  };

  const cover = async (bucket: number, period: Period, kept: Kept, { from, to }: Range) => {
    if (isEmpty(kept)) return extend(bucket, period, kept, { from, to });
    await extend(bucket, period, kept, { from, to: kept.from });
    await extend(bucket, period, kept, { from: kept.to, to });
  };

  const past = async (
    bucket: number,
    kept: Kept,
    period: Period,
    { starts, oldest }: { readonly starts: readonly number[]; readonly oldest: number },
  ): Promise<Summaries> => {
    const recent = starts.filter((start) => start >= oldest);
    if (recent.length > 0)
      await cover(bucket, period, kept, { from: recent[0]!, to: recent.at(-1)! + PERIOD_SECONDS[period] });
    prune(kept, oldest);
    const found = new Map(kept.summaries);
    for (const group of groupsOf(starts.filter((start) => start < oldest)))
      for (const [start, summary] of await summaries.summaries(bucket, period, group.from, group.to))
        found.set(start, summary);
    return found;
  };

  return {
    /** @param recent first hour to read of a bucket of which nothing is known */
    async newest(bucket: number, recent: number): Promise<Known> {
      const known = buckets.get(bucket);
      const from = known ? known.HOUR.to - HOUR_SECONDS : recent;
      const { hours, changes } = await summaries.newest(bucket, from);
      const newest = hours.at(-1) ?? (await summaries.newestHour(bucket));
      if (!newest) return { newest, changes, past: async () => new Map() };
      const isSame = known !== undefined && hours[0]?.start === from && newest.corrections === known.corrections;
      const own: Bucket = isSame
        ? known
        : { corrections: newest.corrections, HOUR: nothing(), DAY: nothing(), reading: Promise.resolve() };
      buckets.set(bucket, own);
      const kept = own.HOUR;
      for (const hour of [...hours, newest]) kept.summaries.set(hour.start, hour);
      widen(kept, { from: Math.min(from, newest.start), to: newest.start + HOUR_SECONDS });
      return {
        newest,
        changes,
        past: (period, starts, nowSeconds) => {
          const oldest = startOfDay(nowSeconds - KEPT_SECONDS[period]);
          const next = own.reading.then(() => past(bucket, own[period], period, { starts, oldest }));
          own.reading = next.catch(() => undefined);
          return next;
        },
      };
    },
  };
}
