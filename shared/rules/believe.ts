/** Moments that are stored and compared with the clock. Pure. */
import type { Placement, Timestamp } from "../model.ts";

/** Clocks of different machines differ by less; what lies further ahead was written by a clock that was wrong. */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** Whether a moment can be true: a clock that was ahead once must not blind anybody until its moment comes. */
export const isPlausible = (momentMs: number, now: Date) => momentMs <= now.getTime() + CLOCK_TOLERANCE_SECONDS * 1000;

/** The same of a moment that may be absent. */
export const isBelievable = (moment: Timestamp | null | undefined, now: Date): moment is Timestamp =>
  moment !== null && moment !== undefined && isPlausible(Date.parse(moment), now);

/** The tick with which a place began; one that a clock wrote which was ahead says nothing, and counts as long ago. */
export const firstTick = ({ fromTick }: Placement, now: Date) => (isPlausible(fromTick * 1000, now) ? fromTick : 0);

/** Whether a tick belongs to a place, as far as its moments can be true: a former place has ended by now, whatever it says. */
export const holdsTick = (place: Placement, tick: number, now: Date) =>
  firstTick(place, now) <= tick &&
  (place.toTick === null || (tick < place.toTick && isPlausible(place.toTick * 1000, now)));

/** The moment itself, or now where it lies in the future. */
export const notAfter = (moment: Timestamp, now: Date): Timestamp => {
  const at = now.toISOString();
  return moment > at ? at : moment;
};
