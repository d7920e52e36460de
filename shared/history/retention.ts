/** How long history stays. Set by context at deployment (`RETENTION` of the functions that write history). */
export interface Retention {
  /** Outcomes in blocks, which compact has to have read by then. */
  readonly blockDays: number;
  /** Longer than blocks, which cannot be read without their roster. */
  readonly rosterDays: number;
  /** Raw outcomes in chunks. */
  readonly chunkDays: number;
  /** Daily figures, in months of the calendar. */
  readonly dayMonths: number;
}

export const DEFAULT_RETENTION: Retention = { blockDays: 14, rosterDays: 15, chunkDays: 400, dayMonths: 25 };

const DAY_SECONDS = 86_400;

/** Counted from the data's own time, so that writing an item again writes the same item. */
export const blockExpiry = (tick: number, { blockDays }: Retention) => tick + blockDays * DAY_SECONDS;
export const chunkExpiry = (endSeconds: number, { chunkDays }: Retention) => endSeconds + chunkDays * DAY_SECONDS;

/** @param date `YYYY-MM-DD` in UTC */
export function dayExpiry(date: string, { dayMonths }: Retention): number {
  const [year, month, day] = date.split("-").map(Number) as [number, number, number];
  return Date.UTC(year, month - 1 + dayMonths, day + 1) / 1000;
}
