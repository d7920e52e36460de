/** Computes an item's timer, `nextEvaluationAt`: when it is evaluated again even if nothing changes. Pure. */
import type { PendingAlert, Timestamp } from "../model.ts";
import { outboxTimer, retryTimer } from "./outbox.ts";

type Outbox = Readonly<Record<string, PendingAlert>>;

/** The earliest moment, ignoring null. */
const earliest = (...moments: readonly (Timestamp | null)[]): Timestamp | null =>
  moments.filter((moment) => moment !== null).toSorted()[0] ?? null;

/**
 * The value of `nextEvaluationAt`: the earlier of the item's own timer and its outbox's.
 * @param ownTimerAt the timer that does not depend on the outbox; null for never
 */
export const nextEvaluation = (ownTimerAt: Timestamp | null, outbox: Outbox, now: Date): Timestamp | null =>
  earliest(ownTimerAt, outboxTimer(outbox, now));

/**
 * The moment for which a touch job is queued right away. The outbox's safety net gets none: usually the attempt under
 * way makes it unnecessary, and otherwise dispatch finds it in the timers' index.
 */
export const nextTouch = (ownTimerAt: Timestamp | null, outbox: Outbox, now: Date): Timestamp | null =>
  earliest(ownTimerAt, retryTimer(outbox, now));

/** Whether the stored timer can stay: it is the wanted one, or an earlier one that is still to come. */
export const isTimerKept = (stored: Timestamp | null, wanted: Timestamp | null, now: Date): boolean =>
  stored === wanted || (stored !== null && wanted !== null && stored < wanted && Date.parse(stored) > now.getTime());
