/**
 * Status over time from stretches: which status held when, in whole seconds. The only source of bars, uptime and
 * downtime; summaries are made from it. Pure.
 */
import type { StretchStart, Timestamp } from "../model.ts";
import { TIME_STATUSES } from "./tally.ts";
import type { Stretch, TimeStatus } from "./timeline.ts";

/** A stretch as it is stored. */
export interface RecordedStretch extends StretchStart {
  /** Order in which a monitor's stretches began; clocks may have been wrong, sequences are not. */
  readonly sequence: number;
}

/** Seconds in each status. */
export type StatusSeconds = Readonly<Record<TimeStatus, number>>;

/** @param seconds by place in `TIME_STATUSES` */
export const statusSeconds = (seconds: ArrayLike<number>) =>
  Object.fromEntries(TIME_STATUSES.map((status, place) => [status, seconds[place] ?? 0])) as Record<TimeStatus, number>;

/** Whole epoch seconds. */
export const secondOf = (moment: Timestamp) => Math.floor(Date.parse(moment) / 1000);

/** The status as time is counted by; undefined while there is no data: before the first check, and after deletion. */
export const timeStatusOf = (status: StretchStart["status"]): TimeStatus | undefined =>
  TIME_STATUSES.find((one) => one === status);

/**
 * The time of each status, cut to `from <= t < to`, oldest first. A stretch ends where a later one begins, also if a wrong
 * clock made the later one begin earlier.
 * @param starts in any order
 */
export function timeOf(starts: readonly RecordedStretch[], from: number, to: number): Stretch[] {
  const found: Stretch[] = [];
  let end = to;
  for (const { status, since } of starts.toSorted((a, b) => b.sequence - a.sequence)) {
    const begin = secondOf(since);
    if (begin >= end) continue;
    const counted = timeStatusOf(status);
    if (counted && end > from) found.push({ from: Math.max(begin, from), to: end, status: counted });
    end = begin;
    if (end <= from) break;
  }
  return found.reverse();
}

/** The status at a moment; undefined if nothing is known. */
export function statusAt(starts: readonly RecordedStretch[], at: number): StretchStart["status"] | undefined {
  return starts.toSorted((a, b) => b.sequence - a.sequence).find(({ since }) => secondOf(since) <= at)?.status;
}
