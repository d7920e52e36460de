/** The outbox inside an item: which deliveries are due, and what a failed attempt means. Pure. */

import type { Delivery, OutboxContent, PendingAlert, Timestamp } from "../model.ts";
import type { Receiver } from "../receiver.ts";
import { CLOCK_TOLERANCE_SECONDS } from "./believe.ts";

/** First pause after a failed attempt; it doubles with every further one. */
const BACKOFF_SECONDS = 10;
/** Longest pause: so much later than the receiver's return people hear of it. */
const BACKOFF_LIMIT_SECONDS = 120;
/** A delivery that has failed for so long, and so often, is given up: a clock that jumps a day ahead gives up nothing. */
const GIVE_UP_SECONDS = 24 * 3600;
const GIVE_UP_ATTEMPTS = 100;
/** When the process dies between storing and delivering, a timer looks again after so long. */
const SAFETY_NET_SECONDS = 60;
/**
 * Entries an item holds at most, and their bytes as JSON. A receiver that refuses for hours while a port flaps must not
 * grow the item beyond what a table takes (400 KB) and so block everybody else's alerts.
 */
export const MAX_PENDING = 50;
const MAX_PENDING_BYTES = 64 * 1024;

/** Key of the entry that tells of dropped ones. */
export const OVERFLOW = "system#overflow";

/** New entries that one revision of an item can number. */
const SEQUENCES_PER_REVISION = 100;

type Outbox = Readonly<Record<string, PendingAlert>>;

export interface DueDelivery {
  readonly key: string;
  readonly receiver: string;
  readonly content: OutboxContent;
  readonly sequence: number;
  readonly delivery: Delivery;
}

/** What is to be put into an outbox. */
export interface NewEntry {
  readonly key: string;
  readonly content: OutboxContent;
  readonly receivers: readonly Receiver[];
}

/** Numbers for entries that are added to an item of this revision: larger than all of the revisions before. */
export function sequenceFrom(revision: number): () => number {
  let next = revision * SEQUENCES_PER_REVISION;
  return () => next++;
}

/** A new entry, due at once for every receiver. */
export function pending(
  content: OutboxContent,
  receivers: readonly Receiver[],
  sequence: number,
  now: Timestamp,
): PendingAlert {
  return {
    content,
    createdAt: now,
    sequence,
    deliveries: Object.fromEntries(receivers.map((receiver) => [receiver, { attempts: 0, nextAttemptAt: now }])),
  };
}

/** Entries as an outbox holds them, numbered in this order. */
export const entriesOf = (
  added: readonly NewEntry[],
  nextSequence: () => number,
  now: Date,
): Record<string, PendingAlert> =>
  Object.fromEntries(
    added.map(({ key, content, receivers }) => [key, pending(content, receivers, nextSequence(), now.toISOString())]),
  );

const oldestFirst = (outbox: Outbox) => Object.entries(outbox).toSorted(([, a], [, b]) => a.sequence - b.sequence);

/** No attempt is ever planned further ahead: what is, was written by a clock that was wrong, and is due. */
const FURTHEST_MS = (BACKOFF_LIMIT_SECONDS + CLOCK_TOLERANCE_SECONDS) * 1000;
const isDue = ({ nextAttemptAt }: Delivery, now: Date) => {
  const ahead = Date.parse(nextAttemptAt) - now.getTime();
  return ahead <= 0 || ahead > FURTHEST_MS;
};

/** The deliveries to attempt now. A receiver gets its messages in order: a later one waits for the one before it. */
export function dueDeliveries(outbox: Outbox, now: Date): DueDelivery[] {
  const waiting = new Set<string>();
  const due: DueDelivery[] = [];
  for (const [key, { content, sequence, deliveries }] of oldestFirst(outbox)) {
    for (const [receiver, delivery] of Object.entries(deliveries)) {
      if (waiting.has(receiver)) continue;
      waiting.add(receiver);
      if (isDue(delivery, now)) due.push({ key, receiver, content, sequence, delivery });
    }
  }
  return due;
}

/** What an attempt led to. */
export type AttemptResult = { readonly kind: "delivered" } | Failure;
export type Failure =
  /** The receiver, or the way to it, did not take the message. `isPermanent`: for good, trying again cannot help. */
  | { readonly kind: "refused"; readonly isPermanent: boolean; readonly error: string }
  /** We could not make the message: a fault of ours, which says nothing of the receiver. */
  | { readonly kind: "fault"; readonly error: string; readonly cause: unknown };

/** The delivery after a failed attempt, or null when it is given up. */
export function afterFailure(delivery: Delivery, createdAt: Timestamp, failure: Failure, now: Date): Delivery | null {
  const attempts = delivery.attempts + 1;
  const pauseSeconds = Math.min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2 ** (attempts - 1));
  const next = now.getTime() + pauseSeconds * 1000;
  const isHopeless = next - Date.parse(createdAt) > GIVE_UP_SECONDS * 1000 && attempts >= GIVE_UP_ATTEMPTS;
  if (isHopeless || (failure.kind === "refused" && failure.isPermanent)) return null;
  const hadFault = delivery.hadFault || failure.kind === "fault";
  return { attempts, nextAttemptAt: new Date(next).toISOString(), ...(hadFault && { hadFault }) };
}

/**
 * When the outbox needs a look without anything else happening: the next attempt of a failed delivery, or the safety
 * net for one that was never attempted. Null when nothing waits.
 */
export function outboxTimer(outbox: Outbox, now: Date): Timestamp | null {
  const net = now.getTime() + SAFETY_NET_SECONDS * 1000;
  let earliest = Number.POSITIVE_INFINITY;
  for (const { deliveries } of Object.values(outbox))
    for (const delivery of Object.values(deliveries))
      earliest = Math.min(earliest, isDue(delivery, now) ? net : Date.parse(delivery.nextAttemptAt));
  return Number.isFinite(earliest) ? new Date(earliest).toISOString() : null;
}

/** The next attempt of a delivery that failed; null when there is none. */
export function retryTimer(outbox: Outbox, now: Date): Timestamp | null {
  const waiting = Object.values(outbox)
    .flatMap(({ deliveries }) => Object.values(deliveries))
    .filter((delivery) => !isDue(delivery, now));
  return waiting.map(({ nextAttemptAt }) => nextAttemptAt).toSorted()[0] ?? null;
}

/**
 * Keys of the oldest entries beyond `MAX_PENDING` or `MAX_PENDING_BYTES`; projections of incidents, and the news of this,
 * are never among them, nor is the newest.
 */
export function overflow(outbox: Outbox): string[] {
  const newestFirst = oldestFirst(outbox)
    .filter(([key, { content }]) => content.kind !== "incident" && key !== OVERFLOW)
    .reverse();
  let bytes = 0;
  const first = newestFirst.findIndex(([, entry], place) => {
    bytes += Buffer.byteLength(JSON.stringify(entry));
    return place >= MAX_PENDING || (place > 0 && bytes > MAX_PENDING_BYTES);
  });
  return first < 0 ? [] : newestFirst.slice(first).map(([key]) => key);
}
