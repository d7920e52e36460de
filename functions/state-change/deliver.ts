/**
 * Tells people: empties the outbox of an item, one attempt for every delivery that is due, and records what became of
 * each. A failed delivery never fails anything else.
 */
import { headline } from "../../shared/alerts/render.ts";
import type { ItemKey, OutboxContent, PendingAlert } from "../../shared/model.ts";
import {
  type AttemptResult,
  afterFailure,
  type DueDelivery,
  dueDeliveries,
  outboxTimer,
  pending,
} from "../../shared/rules/outbox.ts";
import type { DecisionStore, DeliveryUpdate, OutboxItem } from "../../shared/store/decisions.ts";

/** Sends one thing to one receiver. Throws nothing: a failure is a result. */
export type Send = (receiver: string, content: OutboxContent, item: OutboxItem) => Promise<AttemptResult>;

export interface DeliveryReport {
  readonly delivered: number;
  readonly undeliverable: number;
  /** When the outbox wants to be looked at again; null when nothing waits. */
  readonly nextAttemptAt: string | null;
  /** Whether anything was attempted. */
  readonly attempted: boolean;
}

interface Dependencies {
  readonly decisions: DecisionStore;
  readonly send: Send;
  readonly now: () => Date;
  readonly log: (level: "info" | "error", message: string, details: object) => void;
}

export const createDeliver =
  ({ decisions, send, now, log }: Dependencies) =>
  /** @param decidedNext the timer that the decision itself wants, apart from the outbox's */
  async (key: ItemKey, decidedNext: string | null): Promise<DeliveryReport> => {
    let [delivered, undeliverable, attempted] = [0, 0, false];
    for (;;) {
      const item = await decisions.outbox(key);
      // Nobody waits for a receiver that fails before a deleted monitor is gone: its key would be blocked for a day.
      const isLast = Boolean(item?.deletedAt);
      const due = item ? dueDeliveries(item.pendingAlerts, now(), isLast) : [];
      if (!item || due.length === 0) {
        const nextAttemptAt = item ? outboxTimer(item.pendingAlerts, now()) : null;
        return { delivered, undeliverable, nextAttemptAt, attempted };
      }
      attempted = true;
      // The incident's own item first: what is noted about a delivery is noted there.
      const [projections, messages] = [true, false].map((first) =>
        due.filter(({ content }) => (content.kind === "incident") === first),
      );
      const attempt = async (one: DueDelivery) => ({ one, result: await send(one.receiver, one.content, item) });
      const results = [
        ...(await Promise.all((projections ?? []).map(attempt))),
        ...(await Promise.all((messages ?? []).map(attempt))),
      ];

      const added: Record<string, PendingAlert> = {};
      const updates: DeliveryUpdate[] = [];
      for (const { one, result } of results) {
        const { key: entry, receiver, content, delivery } = one;
        if (result.ok) {
          updates.push({ key: entry, receiver, next: null });
          if (content.kind === "alert") {
            delivered++;
            log("info", "alert delivered", { alertId: content.alert.alertId, receiver });
          }
          continue;
        }
        const createdAt = item.pendingAlerts[entry]?.createdAt ?? now().toISOString();
        const permanent = result.permanent || (isLast && content.kind !== "incident");
        const next = afterFailure(delivery, createdAt, { permanent }, now());
        updates.push({ key: entry, receiver, next });
        log("error", "delivery failed", { entry, receiver, error: result.error, givenUp: !next });
        if (next || content.kind === "incident") continue;
        undeliverable++;
        if (content.kind !== "alert") continue;
        const { alert } = content;
        await decisions.noteUndeliverable(alert.monitor.id, alert.startedAt, `${alert.alertId} ${receiver}`, {
          error: result.error,
          at: now().toISOString(),
        });
        added[`system#${alert.alertId}#${receiver}`] = pending(
          {
            kind: "system",
            subject: "An alert could not be delivered",
            message: `"${headline(alert)}" (alert ${alert.alertId}) could not be delivered to ${receiver}: ${result.error}`,
          },
          ["system"],
          now().toISOString(),
        );
      }
      const left = remaining(item.pendingAlerts, updates, added);
      const timers = [decidedNext, outboxTimer(left, now())].filter((at) => at !== null).toSorted();
      // A lost condition means that somebody emptied the entry already; the next round reads anew.
      await decisions.settle(key, item, updates, added, timers[0] ?? null);
    }
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
