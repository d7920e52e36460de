/** Moments that another clock wrote. Pure. */

/** Clocks of two environments differ by seconds; what lies further ahead was written by a clock that was wrong. */
export const CLOCK_TOLERANCE_MS = 60_000;

/** Whether a stored moment can be true. A clock that was ahead once must not blind anybody until its moment comes. */
export const isPlausible = (momentMs: number, now: Date) => momentMs <= now.getTime() + CLOCK_TOLERANCE_MS;
