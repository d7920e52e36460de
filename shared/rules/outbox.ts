/** The outbox inside an item: which deliveries are due, and what a failed attempt means. Pure. */
import type { Delivery, OutboxContent, PendingAlert, Timestamp } from "../model.ts";

/** First pause after a failed attempt; it doubles with every further one. */
export const BACKOFF_SECONDS = 10;
export const BACKOFF_LIMIT_SECONDS = 900;
/** A delivery that has failed for so long is given up. */
export const GIVE_UP_SECONDS = 24 * 3600;
/** When the process dies between storing and delivering, a timer looks again after so long. */
export const SAFETY_NET_SECONDS = 60;
/**
 * Entries an item holds at most. A receiver that refuses for hours while a port flaps must not grow the item beyond
 * what a table takes (400 KB) and so block everybody else's alerts.
 */
export const MAX_PENDING = 20;

type Outbox = Readonly<Record<string, PendingAlert>>;

export interface DueDelivery {
  readonly key: string;
  readonly receiver: string;
  readonly content: OutboxContent;
  readonly delivery: Delivery;
}

/** A new entry, due at once for every receiver. */
export function pending(content: OutboxContent, receivers: readonly string[], now: Timestamp): PendingAlert {
  return {
    content,
    createdAt: now,
    deliveries: Object.fromEntries(receivers.map((receiver) => [receiver, { attempts: 0, nextAttemptAt: now }])),
  };
}

const oldestFirst = (outbox: Outbox) =>
  Object.entries(outbox).toSorted(([, a], [, b]) => a.createdAt.localeCompare(b.createdAt));

/**
 * The deliveries to attempt now. A receiver gets its messages in order: a later one waits for the one before it.
 * @param isLast whether the item is on its way out: what people wait for has one more attempt, now
 */
export function dueDeliveries(outbox: Outbox, now: Date, isLast = false): DueDelivery[] {
  const waiting = new Set<string>();
  const due: DueDelivery[] = [];
  for (const [key, { content, deliveries }] of oldestFirst(outbox)) {
    for (const [receiver, delivery] of Object.entries(deliveries)) {
      if (waiting.has(receiver)) continue;
      waiting.add(receiver);
      const isDue = Date.parse(delivery.nextAttemptAt) <= now.getTime();
      if (isDue || (isLast && content.kind !== "incident")) due.push({ key, receiver, content, delivery });
    }
  }
  return due;
}

/** What an attempt led to. `permanent`: the receiver refused for good, trying again cannot help. */
export type AttemptResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly permanent: boolean; readonly error: string };

/** The delivery after a failed attempt, or null when it is given up. */
export function afterFailure(
  delivery: Delivery,
  createdAt: Timestamp,
  result: { readonly permanent: boolean },
  now: Date,
): Delivery | null {
  const attempts = delivery.attempts + 1;
  const pauseSeconds = Math.min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2 ** (attempts - 1));
  const next = now.getTime() + pauseSeconds * 1000;
  if (result.permanent || next - Date.parse(createdAt) > GIVE_UP_SECONDS * 1000) return null;
  return { attempts, nextAttemptAt: new Date(next).toISOString() };
}

/**
 * When the outbox needs a look without anything else happening: the next attempt of a failed delivery, or the safety
 * net for one that was never attempted. Null when nothing waits.
 */
export function outboxTimer(outbox: Outbox, now: Date): Timestamp | null {
  const net = now.getTime() + SAFETY_NET_SECONDS * 1000;
  let earliest = Number.POSITIVE_INFINITY;
  for (const { deliveries } of Object.values(outbox))
    for (const { nextAttemptAt } of Object.values(deliveries)) {
      const at = Date.parse(nextAttemptAt);
      earliest = Math.min(earliest, at <= now.getTime() ? net : at);
    }
  return Number.isFinite(earliest) ? new Date(earliest).toISOString() : null;
}

/** The oldest entries beyond `MAX_PENDING`; projections of incidents are never among them. */
export function overflow(outbox: Outbox): string[] {
  const dropped = oldestFirst(outbox).filter(([, { content }]) => content.kind !== "incident");
  return dropped.slice(0, Math.max(0, dropped.length - MAX_PENDING)).map(([key]) => key);
}
