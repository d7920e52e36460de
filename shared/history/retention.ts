/**
 * Retention of history. Set by CDK context at deployment, in the variable `RETENTION` of the functions that write
 * history.
 */
import { DAY_SECONDS } from "../durations.ts";

export interface Retention {
  /** Blocks; compact must have read them within this time. */
  readonly blockDays: number;
  /** Rosters; longer than blocks, which cannot be read without them. */
  readonly rosterDays: number;
  /** Chunks: raw outcomes. */
  readonly chunkDays: number;
  /** Day items, in calendar months. */
  readonly dayMonths: number;
}

export const DEFAULT_RETENTION: Retention = { blockDays: 14, rosterDays: 15, chunkDays: 400, dayMonths: 25 };

/** The moment from which blocks may still exist. */
export const oldestBlock = (nowSeconds: number, { blockDays }: Pick<Retention, "blockDays">) =>
  (Math.floor(nowSeconds / DAY_SECONDS) - blockDays) * DAY_SECONDS;

/** First second of the oldest UTC day whose raw outcomes are all kept; of earlier days only the day items are. */
export const oldestRawDay = (nowSeconds: number, { chunkDays }: Pick<Retention, "chunkDays">) =>
  (Math.ceil(nowSeconds / DAY_SECONDS) - chunkDays) * DAY_SECONDS;

/** Expiry is counted from the data's own time, so that repeated writes are identical. */
export const blockExpiry = (tick: number, { blockDays }: Retention) => tick + blockDays * DAY_SECONDS;
export const chunkExpiry = (endSeconds: number, { chunkDays }: Retention) => endSeconds + chunkDays * DAY_SECONDS;

/** @param date `YYYY-MM-DD` in UTC */
export function dayExpiry(date: string, { dayMonths }: Retention): number {
  const [year, month, day] = date.split("-").map(Number) as [number, number, number];
  return Date.UTC(year, month - 1 + dayMonths, day + 1) / 1000;
}

/** The longest month. */
const DAYS_OF_MONTH = 31;

/** Stretches of status outlive the days that are counted from them. @param endSeconds when the stretch ended */
export const stretchExpiry = (endSeconds: number, { dayMonths }: Retention) =>
  endSeconds + (dayMonths + 1) * DAYS_OF_MONTH * DAY_SECONDS;
/** @param nowSeconds when its roster is used */
export const summaryRosterExpiry = (nowSeconds: number, { dayMonths }: Retention) =>
  nowSeconds + (dayMonths + 2) * DAYS_OF_MONTH * DAY_SECONDS;
