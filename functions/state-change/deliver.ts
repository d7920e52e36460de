/**
 * Delivers the outbox of an item: makes one attempt for each delivery that is due, and records the result. A failed
 * delivery does not affect the others. An alert is delivered once it is in its receiver's mailbox.
 */
import type { Delivery, ItemKey, PendingAlert, Timestamp } from "../../shared/model.ts";
import { type AttemptResult, afterFailure, type DueDelivery, dueDeliveries } from "../../shared/rules/outbox.ts";
import { nextEvaluation, nextTouch } from "../../shared/rules/timer.ts";
import type { DecisionStore, DeliveryUpdate, OutboxItem } from "../../shared/store/decisions.ts";

/** Makes one delivery attempt. Never throws: a failure is a result. */
export type Send = (due: DueDelivery, item: OutboxItem) => Promise<AttemptResult>;

export interface DeliveryReport {
  /** Next retry of a failed delivery; null if none failed. */
  readonly retryAt: Timestamp | null;
}

/**
 * An item's revision after its decision: while it has this revision, its timer follows from `ownTimerAt` and its
 * outbox.
 */
export interface Decided {
  readonly revision: number;
  /** The timer that does not depend on the outbox; null for never. */
  readonly ownTimerAt: Timestamp | null;
}

interface Dependencies {
  readonly decisions: DecisionStore;
  readonly send: Send;
  readonly now: () => Date;
  readonly log: (level: "info" | "error", message: string, details: object) => void;
}

/** Rounds per call: each delivers what has become due meanwhile. The next stream record or the timer continues. */
const MAX_ROUNDS = 20;

/** A delivery after an attempt; `next` is the retry, or null if it was delivered or given up. */
interface Attempted extends DueDelivery {
  readonly result: AttemptResult;
  readonly next: Delivery | null;
}

export const createDeliver = ({ decisions, send, now, log }: Dependencies) => {
  const attempt = async (due: DueDelivery, item: OutboxItem): Promise<Attempted> => {
    const result = await send(due, item);
    const next = result.kind === "delivered" ? null : afterFailure(due.delivery, due.createdAt, result, now());
    return { ...due, result, next };
  };

  /** Attempts all. Incidents' own items are written first, because failed deliveries are noted on them. */
  const attemptAll = async (due: readonly DueDelivery[], item: OutboxItem): Promise<Attempted[]> => {
    const attempted: Attempted[] = [];
    for (const isProjection of [true, false]) {
      const own = due.filter(({ content }) => (content.kind === "incident") === isProjection);
      attempted.push(...(await Promise.all(own.map((one) => attempt(one, item)))));
    }
    return attempted;
  };

  const report = ({ key, receiver, result, next }: Attempted) => {
    if (result.kind === "delivered") return;
    const failed = { entry: key, receiver, givenUp: !next };
    if (result.kind === "refused") log("error", "delivery failed", { ...failed, error: result.error });
    else log("error", "a message could not be rendered (a bug of Harborlight)", { ...failed, error: result.cause });
  };

  /** @param decided null if the item changed while it was decided */
  return async (key: ItemKey, decided: Decided | null): Promise<DeliveryReport> => {
    let known = decided;
    let retryAt: Timestamp | null = null;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const item = await decisions.outbox(key);
      const due = item ? dueDeliveries(item.pendingAlerts, now()) : [];
      if (!item || due.length === 0) break;
      const attempted = await attemptAll(due, item);
      attempted.forEach(report);
      const left = remaining(item.pendingAlerts, attempted);
      retryAt = nextTouch(null, left, now());
      if (known?.revision !== item.revision) known = null;
      const timer = known && { at: nextEvaluation(known.ownTimerAt, left, now()) };
      const isAlone = await decisions.settle(key, item, attempted, timer);
      known = known && isAlone ? { ...known, revision: item.revision + 1 } : null;
    }
    return { retryAt };
  };
};

/** The outbox after these updates. */
function remaining(
  outbox: Readonly<Record<string, PendingAlert>>,
  updates: readonly DeliveryUpdate[],
): Record<string, PendingAlert> {
  const left: Record<string, PendingAlert> = { ...outbox };
  for (const { key, receiver, next } of updates) {
    const entry = left[key];
    if (!entry) continue;
    const { [receiver]: _done, ...others } = entry.deliveries;
    left[key] = { ...entry, deliveries: next ? { ...others, [receiver]: next } : others };
  }
  return left;
}
