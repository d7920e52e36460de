/**
 * Steady clock: milliseconds since the epoch that no change of the system clock affects, as the wall clock at the start of
 * the process plus the time elapsed since. For everything that waits, expires or ages; `Date.now()` is for dates that people
 * and other programs read or set.
 */
export const steadyNow = (): number => performance.timeOrigin + performance.now();
