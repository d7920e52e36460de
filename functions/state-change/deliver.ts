/**
 * Tells people: empties the outbox of an item, one attempt for every delivery that is due, and records what became of
 * each. A failed delivery never fails anything else.
 */
import { headline } from "../../shared/alerts/render.ts";
import type { ItemKey, PendingAlert } from "../../shared/model.ts";
import {
  type AttemptResult,
  afterFailure,
  type DueDelivery,
  dueDeliveries,
  pending,
  sequenceFrom,
} from "../../shared/rules/outbox.ts";
import type { DecisionStore, DeliveryUpdate, OutboxItem } from "../../shared/store/decisions.ts";

/** Sends one thing to one receiver. Throws nothing: a failure is a result. */
export type Send = (due: DueDelivery, item: OutboxItem) => Promise<AttemptResult>;

export interface DeliveryReport {
  readonly delivered: number;
  readonly undeliverable: number;
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
  async (key: ItemKey): Promise<DeliveryReport> => {
    let [delivered, undeliverable] = [0, 0];
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
      await decisions.settle(key, item, updates, added);
    }
    return { delivered, undeliverable };
  };
