/**
 * Delivers the outbox of an item: makes one attempt for each delivery that is due, and records the result. A failed
 * delivery does not affect the others.
 */
import { headline } from "../../shared/alerts/render.ts";
import type { Delivery, ItemKey, OutboxContent, PendingAlert, Timestamp } from "../../shared/model.ts";
import {
  type AttemptResult,
  afterFailure,
  type DueDelivery,
  dueDeliveries,
  entriesOf,
  type NewEntry,
  sequenceFrom,
} from "../../shared/rules/outbox.ts";
import { nextEvaluation, nextTouch } from "../../shared/rules/timer.ts";
import type { DecisionStore, DeliveryUpdate, OutboxItem } from "../../shared/store/decisions.ts";

/** Makes one delivery attempt. Never throws: a failure is a result. */
export type Send = (due: DueDelivery, item: OutboxItem) => Promise<AttemptResult>;

export interface DeliveryReport {
  readonly delivered: number;
  readonly undeliverable: number;
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
    const createdAt = item.pendingAlerts[due.key]?.createdAt ?? now().toISOString();
    const next = result.kind === "delivered" ? null : afterFailure(due.delivery, createdAt, result, now());
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

  const report = ({ key, receiver, content, result, next }: Attempted) => {
    const failed = { entry: key, receiver, givenUp: !next };
    switch (result.kind) {
      case "delivered":
        if (content.kind === "alert") log("info", "alert delivered", { alertId: content.alert.alertId, receiver });
        return;
      case "refused":
        return log("error", "delivery failed", { ...failed, error: result.error });
      case "fault":
        return log("error", "a message could not be rendered (a bug of Harborlight)", {
          ...failed,
          error: result.cause,
        });
    }
  };

  /** Messages for topic `system` about a bug of ours: at its first occurrence, and when the delivery is given up. */
  const newsOfFault = ({ key, receiver, content, delivery, result, next }: Attempted): NewEntry[] => {
    if (content.kind !== "alert" || result.kind !== "fault" || (delivery.hadFault && next)) return [];
    const outlook = next
      ? "It is tried again, and what else the receiver has to be told of this monitor waits for it."
      : "It was tried again for a day and is given up.";
    const message = `Alert ${key} for ${receiver} cannot be sent, by a fault of Harborlight: ${result.error}. ${outlook} Please report this.`;
    return [
      systemEntry(`system#fault#${key}#${receiver}`, "An alert cannot be sent by a fault of Harborlight", message),
    ];
  };

  /** Notes on the incident that a delivery was given up. @returns the message for topic `system` */
  const noteLoss = async ({ receiver, content, result }: Attempted): Promise<NewEntry[]> => {
    if (content.kind !== "alert" || result.kind !== "refused") return [];
    const { alert } = content;
    const at = now().toISOString();
    const { error } = result;
    await decisions.noteUndeliverable(alert.monitor.id, alert.startedAt, `${alert.alertId} ${receiver}`, { error, at });
    const message = `"${headline(alert)}" (alert ${alert.alertId}) could not be delivered to ${receiver}: ${error}`;
    return [systemEntry(`system#${alert.alertId}#${receiver}`, "An alert could not be delivered", message)];
  };

  /** @param decided null if the item changed while it was decided */
  return async (key: ItemKey, decided: Decided | null): Promise<DeliveryReport> => {
    let [delivered, undeliverable] = [0, 0];
    let known = decided;
    let retryAt: Timestamp | null = null;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const item = await decisions.outbox(key);
      const due = item ? dueDeliveries(item.pendingAlerts, now()) : [];
      if (!item || due.length === 0) break;
      const attempted = await attemptAll(due, item);
      attempted.forEach(report);
      const lost = attempted.filter(
        ({ content, result, next }) => result.kind === "refused" && !next && isForPeople(content),
      );
      const news = attempted.flatMap(newsOfFault);
      for (const one of lost) news.push(...(await noteLoss(one)));
      delivered += attempted.filter(
        ({ content, result }) => result.kind === "delivered" && content.kind === "alert",
      ).length;
      undeliverable += lost.length;

      const added = entriesOf(news, sequenceFrom(item.revision), now());
      const left = remaining(item.pendingAlerts, attempted, added);
      retryAt = nextTouch(null, left, now());
      if (known?.revision !== item.revision) known = null;
      const timer = known && { at: nextEvaluation(known.ownTimerAt, left, now()) };
      const isAlone = await decisions.settle(key, item, attempted, added, timer);
      known = known && isAlone ? { ...known, revision: item.revision + 1 } : null;
    }
    return { delivered, undeliverable, retryAt };
  };
};

/** Whether it is a message, not a copy for a table. */
const isForPeople = ({ kind }: OutboxContent) => kind === "alert" || kind === "system";

const systemEntry = (key: string, subject: string, message: string): NewEntry => ({
  key,
  content: { kind: "system", subject, message },
  receivers: ["system"],
});

/** The outbox after these updates. */
function remaining(
  outbox: Readonly<Record<string, PendingAlert>>,
  updates: readonly DeliveryUpdate[],
  added: Readonly<Record<string, PendingAlert>>,
): Record<string, PendingAlert> {
  const left: Record<string, PendingAlert> = { ...outbox, ...added };
  for (const { key, receiver, next } of updates) {
    const entry = left[key];
    if (!entry) continue;
    const { [receiver]: _done, ...others } = entry.deliveries;
    left[key] = { ...entry, deliveries: next ? { ...others, [receiver]: next } : others };
  }
  return left;
}
