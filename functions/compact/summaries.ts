/**
 * Summarises the status of all monitors by hour and UTC day, bucket by bucket. An hour continues the one before; a monitor
 * whose status changed is computed from its own stretches, from the hour of the change on, so a change that arrives late
 * corrects what is stored. Changes are deleted after the summaries that include them are stored: a run that dies, or loses
 * a race, is repeated.
 */
import { DAY_SECONDS, HOUR_SECONDS } from "../../shared/durations.ts";
import { startOfDay } from "../../shared/history/day.ts";
import { type RecordedStretch, secondOf, statusAt, timeStatusOf } from "../../shared/history/status-time.ts";
import type { Range } from "../../shared/history/steps.ts";
import { constantRow, joined, type Row, rowFrom, type Summary, summaryOf } from "../../shared/history/summary.ts";
import { inParallel } from "../../shared/parallel.ts";
import type { StretchStore } from "../../shared/store/stretches.ts";
import type { Change, Period, StoredSummary, SummaryStore } from "../../shared/store/summaries.ts";

/** How far back a change corrects summaries: further than bars reach, and few enough hours for one run. */
const CORRECTED_SECONDS = 92 * DAY_SECONDS;
const READS_AT_ONCE = 16;
const WRITES_AT_ONCE = 8;
const EMPTY: Summary = { ids: [], rows: [] };

const startOfHour = (moment: number) => Math.floor(moment / HOUR_SECONDS) * HOUR_SECONDS;

interface Dependencies {
  readonly summaries: SummaryStore;
  readonly stretches: StretchStore;
  /** Has a monitor decided again whose status was never recorded. */
  readonly nudge: (monitorId: string) => Promise<unknown>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly hasTime: () => boolean;
}

const rowsOf = ({ ids, rows }: Summary) => new Map(ids.map((id, place) => [id, rows[place]!]));
const carried = (summary: Summary | undefined) =>
  new Map<string, Row>(summary?.ids.map((id, place) => [id, constantRow(summary.rows[place]!.end)]));
const isSame = (a: Summary, b: Summary) =>
  a.ids.length === b.ids.length &&
  a.ids.every((id, place) => id === b.ids[place] && isSameRow(a.rows[place]!, b.rows[place]!));
const isSameRow = (a: Row, b: Row) => a.end === b.end && String(a.seconds) === String(b.seconds);

export const createSummarising = ({ summaries, stretches, nudge, now, hasTime }: Dependencies) => {
  /** By monitor, the first hour to compute from its own stretches: that of its earliest change. */
  const changedFrom = (changes: readonly Change[], oldest: number) => {
    const from = new Map<string, number>();
    for (const { monitorId, since } of changes) {
      const hour = Math.max(oldest, startOfHour(secondOf(since)));
      from.set(monitorId, Math.min(hour, from.get(monitorId) ?? hour));
    }
    return from;
  };

  /** Adds monitors that the newest summary lacks, because one was lost or the version before wrote none. */
  const addMissing = async (ids: readonly string[], from: Map<string, number>, oldest: number, end: number) => {
    await inParallel(ids, READS_AT_ONCE, async (id) => {
      const starts = await stretches.within(id, end - 1, end);
      if (starts.length === 0) return void (await nudge(id));
      const status = statusAt(starts, end - 1);
      if (status === undefined || timeStatusOf(status) === undefined) return;
      const holding = starts.filter((start) => start.status === status).map(({ since }) => secondOf(since));
      from.set(id, Math.max(oldest, startOfHour(Math.max(...holding.filter((since) => since < end)))));
    });
  };

  /**
   * Brings the summaries of one bucket up to date.
   * @param ids all monitors of the bucket
   */
  return async (bucket: number, ids: readonly string[]): Promise<void> => {
    const changes = await summaries.changes(bucket);
    if ((changes.length === 0 && ids.length === 0) || !hasTime()) return;
    const newest = await summaries.newestHour(bucket);
    const ended = startOfHour(now() / 1000);
    // The end of the newest hour lies ahead if a wrong clock has made it: then it is corrected like the others.
    const end = Math.max(ended, newest ? newest.start + HOUR_SECONDS : 0);
    const oldest = ended - CORRECTED_SECONDS;
    const due = changes.filter(({ since }) => secondOf(since) < end);
    const from = changedFrom(due, oldest);
    const known = new Set(newest?.ids);
    const missing = ids.filter((id) => !known.has(id) && !from.has(id));
    await addMissing(missing, from, oldest, end);
    const next = newest ? newest.start + HOUR_SECONDS : end - HOUR_SECONDS;
    const begin = Math.max(oldest, Math.min(next, ...from.values()));
    const hasNothing = !newest && from.size === 0;
    if (begin >= end || hasNothing) return;

    const starts = new Map<string, readonly RecordedStretch[]>();
    await inParallel(from, READS_AT_ONCE, async ([id, hour]) => {
      starts.set(id, await stretches.within(id, hour, end));
    });
    const firstDay = startOfDay(begin);
    const read = { isConsistent: true };
    const hours = await summaries.summaries(bucket, "HOUR", firstDay - HOUR_SECONDS, end, read);
    const days = await summaries.summaries(bucket, "DAY", firstDay, end, read);

    const before = hours.get(begin - HOUR_SECONDS) ?? (begin < next ? undefined : newest);
    const changed = recompute(hours, before, { from: begin, to: end }, (rows, hour) => {
      for (const [id, first] of from)
        if (first <= hour) rows.set(id, rowFrom(starts.get(id)!, hour, hour + HOUR_SECONDS));
    });
    const writes: { readonly period: Period; readonly summary: StoredSummary }[] = [
      ...changed
        .filter(({ start }) => start + HOUR_SECONDS < end)
        .map((summary) => ({ period: "HOUR" as const, summary })),
      ...changedDays(hours, days, firstDay, end).map((summary) => ({ period: "DAY" as const, summary })),
    ];
    let isStored = true;
    await inParallel(writes, WRITES_AT_ONCE, async ({ period, summary }) => {
      isStored = (await summaries.put(bucket, period, summary)) && isStored;
    });
    if (!isStored) return;
    // The newest hour last: its count of corrections tells readers to read again what they remember of earlier ones.
    const last = hours.get(end - HOUR_SECONDS)!;
    const isCorrection = newest !== undefined && begin < next;
    const corrections = (newest?.corrections ?? 0) + (isCorrection ? 1 : 0);
    if (changed.includes(last) || isCorrection)
      if (!(await summaries.put(bucket, "HOUR", { ...last, corrections }))) return;
    await summaries.forget(due);
  };
};

/**
 * Computes hours one after the other, each from what is stored of it or else from the end of the one before.
 * @param hours gets those that changed
 * @param correct puts in what changed in an hour
 * @returns those that changed, oldest first
 */
function recompute(
  hours: Map<number, StoredSummary>,
  first: Summary | undefined,
  { from, to }: Range,
  correct: (rows: Map<string, Row>, hour: number) => void,
): StoredSummary[] {
  const changed: StoredSummary[] = [];
  let before = first;
  for (let hour = from; hour < to; hour += HOUR_SECONDS) {
    const stored = hours.get(hour);
    const rows = stored ? rowsOf(stored) : carried(before);
    correct(rows, hour);
    before = summaryOf(rows);
    if (stored && isSame(stored, before)) continue;
    const summary = { ...before, start: hour, version: stored?.version ?? 0, corrections: stored?.corrections ?? 0 };
    hours.set(hour, summary);
    changed.push(summary);
  }
  return changed;
}

/** Days that are over, where what is stored is not the sum of their hours. */
function changedDays(
  hours: ReadonlyMap<number, Summary>,
  days: ReadonlyMap<number, StoredSummary>,
  first: number,
  end: number,
): StoredSummary[] {
  const changed: StoredSummary[] = [];
  for (let day = first; day + DAY_SECONDS <= end; day += DAY_SECONDS) {
    const stored = days.get(day);
    const made = dayOf(day, hours);
    if (!stored || !isSame(stored, made))
      changed.push({ ...made, start: day, version: stored?.version ?? 0, corrections: 0 });
  }
  return changed;
}

function dayOf(start: number, hours: ReadonlyMap<number, Summary>): Summary {
  return joined(
    Array.from({ length: DAY_SECONDS / HOUR_SECONDS }, (_, place) => ({
      summary: hours.get(start + place * HOUR_SECONDS) ?? EMPTY,
      length: HOUR_SECONDS,
    })),
  );
}
