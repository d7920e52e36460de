/**
 * Tells people: empties the outbox of an item, one attempt for every delivery that is due, and records what became of
 * each. A failed delivery never fails anything else.
 */
import { headline } from "../../shared/alerts/render.ts";
import type { ItemKey, PendingAlert, Timestamp } from "../../shared/model.ts";
import { earliest } from "../../shared/rules/decide.ts";
import {
  type AttemptResult,
  afterFailure,
  type DueDelivery,
  dueDeliveries,
  outboxTimer,
  pending,
  retryTimer,
  sequenceFrom,
} from "../../shared/rules/outbox.ts";
import type { DecisionStore, DeliveryUpdate, OutboxItem } from "../../shared/store/decisions.ts";

/** Sends one thing to one receiver. Throws nothing: a failure is a result. */
export type Send = (due: DueDelivery, item: OutboxItem) => Promise<AttemptResult>;

export interface DeliveryReport {
  readonly delivered: number;
  readonly undeliverable: number;
  /** When a delivery that failed is tried again; null when none failed. */
  readonly retryAt: Timestamp | null;
}

/** How an item stands after it was decided: as long as it has that revision, its timers follow from its outbox alone. */
export interface Decided {
  readonly revision: number;
  /** When it wants to be looked at whatever becomes of its outbox. */
  readonly ownTimerAt: Timestamp | null;
}

interface Dependencies {
  readonly decisions: DecisionStore;
  readonly send: Send;
  readonly now: () => Date;
  readonly log: (level: "info" | "error", message: string, details: object) => void;
}

/** Rounds of one look: each delivers what became due meanwhile. What is left, the next record or the timer brings up. */
const MAX_ROUNDS = 20;

export const createDeliver =
  ({ decisions, send, now, log }: Dependencies) =>
  /** @param decided null when it changed while it was decided */
  async (key: ItemKey, decided: Decided | null): Promise<DeliveryReport> => {
    let [delivered, undeliverable] = [0, 0];
    let known = decided;
    let retryAt: Timestamp | null = null;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const item = await decisions.outbox(key);
      const due = item ? dueDeliveries(item.pendingAlerts, now()) : [];
      if (!item || due.length === 0) break;
      // The incident's own item first: what is noted about a delivery is noted there.
      const [projections, messages] = [true, false].map((first) =>
        due.filter(({ content }) => (content.kind === "incident") === first),
      );
      const attempt = async (one: DueDelivery) => ({ one, result: await send(one, item) });
      const results = [
        ...(await Promise.all((projections ?? []).map(attempt))),
        ...(await Promise.all((messages ?? []).map(attempt))),
      ];

      const added: Record<string, PendingAlert> = {};
      const nextSequence = sequenceFrom(item.revision);
      const updates: DeliveryUpdate[] = [];
      for (const { one, result } of results) {
        const { key: entry, receiver, content, sequence, delivery } = one;
        if (result.ok) {
          updates.push({ key: entry, receiver, sequence, next: null });
          if (content.kind === "alert") {
            delivered++;
            log("info", "alert delivered", { alertId: content.alert.alertId, receiver });
          }
          continue;
        }
        const createdAt = item.pendingAlerts[entry]?.createdAt ?? now().toISOString();
        const next = afterFailure(delivery, createdAt, result, now());
        updates.push({ key: entry, receiver, sequence, next });
        log("error", "delivery failed", { entry, receiver, error: result.error, givenUp: !next });
        if (next || content.kind === "incident") continue;
        undeliverable++;
        if (content.kind !== "alert") continue;
        const { alert } = content;
        await decisions.noteUndeliverable(alert.monitor.id, alert.startedAt, `${alert.alertId} ${receiver}`, {
          error: result.error,
          at: now().toISOString(),
        });
        const message = `"${headline(alert)}" (alert ${alert.alertId}) could not be delivered to ${receiver}: ${result.error}`;
        added[`system#${alert.alertId}#${receiver}`] = pending(
          { kind: "system", subject: "An alert could not be delivered", message },
          ["system"],
          nextSequence(),
          now().toISOString(),
        );
      }
      if (known?.revision !== item.revision) known = null;
      const left = remaining(item.pendingAlerts, updates, added);
      retryAt = retryTimer(left, now());
      const timer = known && { at: earliest(known.ownTimerAt, outboxTimer(left, now())) };
      const isAlone = await decisions.settle(key, item, updates, added, timer);
      known = known && isAlone ? { ...known, revision: item.revision + 1 } : null;
    }
    return { delivered, undeliverable, retryAt };
  };

/** The outbox as it stands after these updates. */
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
