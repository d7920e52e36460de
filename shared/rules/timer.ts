/** An item's own timer, `nextEvaluationAt`: when it is looked at again although nothing changed. Pure. */
import type { PendingAlert, Timestamp } from "../model.ts";
import { outboxTimer, retryTimer } from "./outbox.ts";

type Outbox = Readonly<Record<string, PendingAlert>>;

/** The earliest of moments that there are. */
const earliest = (...moments: readonly (Timestamp | null)[]): Timestamp | null =>
  moments.filter((moment) => moment !== null).toSorted()[0] ?? null;

/**
 * What is stored as `nextEvaluationAt`.
 * @param ownTimerAt when the item wants to be looked at whatever becomes of its outbox; null for never
 * @returns null when nothing has to happen by itself
 */
export const nextEvaluation = (ownTimerAt: Timestamp | null, outbox: Outbox, now: Date): Timestamp | null =>
  earliest(ownTimerAt, outboxTimer(outbox, now));

/**
 * The moment for which a touch is queued at once. The outbox's safety net is no such moment: an attempt under way takes
 * it away, and dispatch finds the one that it does not.
 */
export const nextTouch = (ownTimerAt: Timestamp | null, outbox: Outbox, now: Date): Timestamp | null =>
  earliest(ownTimerAt, retryTimer(outbox, now));

/** Whether the stored timer does for the wanted one. One that only moved because time passed is no change. */
export const isTimerKept = (stored: Timestamp | null, wanted: Timestamp | null, now: Date): boolean =>
  stored === wanted || (stored !== null && wanted !== null && stored < wanted && Date.parse(stored) > now.getTime());
