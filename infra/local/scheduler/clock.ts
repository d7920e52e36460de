/**
 * Milliseconds since the epoch by a clock that is never set: the wall clock when this process began, and what has
 * elapsed since. For everything that waits, expires or ages; `Date.now()` is only for moments that people and other
 * programs read, and for those that they named.
 */
export const steadyNow = (): number => performance.timeOrigin + performance.now();
