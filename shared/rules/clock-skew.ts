/**
 * Guards against clock skew: a stored moment that lies in the future was written by a machine whose clock was ahead,
 * and must not take effect until that moment comes. Pure functions.
 */
import type { Placement, Timestamp } from "../model.ts";

/** Largest difference between healthy clocks of two machines; a moment further ahead came from a wrong clock. */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** Whether a stored moment is in the past, give or take `CLOCK_TOLERANCE_SECONDS`. */
export const isPlausible = (momentMs: number, now: Date) => momentMs <= now.getTime() + CLOCK_TOLERANCE_SECONDS * 1000;

/** `isPlausible` for a moment that may be absent. */
export const isBelievable = (moment: Timestamp | null | undefined, now: Date): moment is Timestamp =>
  moment !== null && moment !== undefined && isPlausible(Date.parse(moment), now);

/** First tick of a placement; 0 if its start is implausible, because then nothing is known about when it began. */
export const firstTick = ({ fromTick }: Placement, now: Date) => (isPlausible(fromTick * 1000, now) ? fromTick : 0);

/** Whether a tick lies within a placement. A former placement whose end is implausible counts as ended. */
export const holdsTick = (place: Placement, tick: number, now: Date) =>
  firstTick(place, now) <= tick &&
  (place.toTick === null || (tick < place.toTick && isPlausible(place.toTick * 1000, now)));

/** The earlier of the moment and now. */
export const notAfter = (moment: Timestamp, now: Date): Timestamp => {
  const at = now.toISOString();
  return moment > at ? at : moment;
};
