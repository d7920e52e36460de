/** Transactional outbox inside an item: which deliveries are due, and when to retry after a failed attempt. Pure. */
import type { Delivery, OutboxContent, PendingAlert, Timestamp } from "../model.ts";
import type { Receiver } from "../receiver.ts";
import { CLOCK_TOLERANCE_SECONDS } from "./clock-skew.ts";

/** Pause after the first failed attempt; doubles with each further one (exponential backoff). */
const BACKOFF_SECONDS = 10;
/** Longest pause: an alert arrives at most this long after its receiver works again. */
const BACKOFF_LIMIT_SECONDS = 120;
/**
 * A delivery is given up only after both: this time and this many attempts, so that a clock jump alone gives up none.
 */
const GIVE_UP_SECONDS = 24 * 3600;
const GIVE_UP_ATTEMPTS = 100;
/** Timer for due deliveries, in case the process dies between storing and delivering. */
const SAFETY_NET_SECONDS = 60;
/**
 * Limits of an item's outbox: entries, and their bytes as JSON. A receiver that refuses for hours while a port flaps
 * must not grow the item beyond DynamoDB's 400 KB, which would block the alerts to all receivers.
 */
export const MAX_PENDING = 50;
const MAX_PENDING_BYTES = 64 * 1024;
/** Limit of the stretches of status that wait for the history, some 200 bytes each. */
const MAX_STRETCHES = 60;

/** Key of the message that entries were dropped. */
export const OVERFLOW = "system#overflow";

/** Sequence numbers reserved for each revision of an item. */
const SEQUENCES_PER_REVISION = 100;

type Outbox = Readonly<Record<string, PendingAlert>>;

export interface DueDelivery {
  readonly key: string;
  readonly receiver: string;
  readonly content: OutboxContent;
  readonly createdAt: Timestamp;
  readonly sequence: number;
  readonly delivery: Delivery;
}

/** An entry to add to an outbox. */
export interface NewEntry {
  readonly key: string;
  readonly content: OutboxContent;
  readonly receivers: readonly Receiver[];
}

/** Sequence numbers for entries added at this revision of an item: larger than those of all earlier revisions. */
export function sequenceFrom(revision: number): () => number {
  let next = revision * SEQUENCES_PER_REVISION;
  return () => next++;
}

/** Makes an entry that is due at once for every receiver. */
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

/** Makes outbox entries, numbered in this order. */
export const entriesOf = (
  added: readonly NewEntry[],
  nextSequence: () => number,
  now: Date,
): Record<string, PendingAlert> =>
  Object.fromEntries(
    added.map(({ key, content, receivers }) => [key, pending(content, receivers, nextSequence(), now.toISOString())]),
  );

const oldestFirst = (outbox: Outbox) => Object.entries(outbox).toSorted(([, a], [, b]) => a.sequence - b.sequence);

/** No attempt is planned further ahead than this; one that is was written by a wrong clock, and counts as due. */
const FURTHEST_MS = (BACKOFF_LIMIT_SECONDS + CLOCK_TOLERANCE_SECONDS) * 1000;
const isDue = ({ nextAttemptAt }: Delivery, now: Date) => {
  const ahead = Date.parse(nextAttemptAt) - now.getTime();
  return ahead <= 0 || ahead > FURTHEST_MS;
};

/** Deliveries to attempt now. Each receiver gets its messages in order: a later one waits until the earlier is done. */
export function dueDeliveries(outbox: Outbox, now: Date): DueDelivery[] {
  const waiting = new Set<string>();
  const due: DueDelivery[] = [];
  for (const [key, { content, createdAt, sequence, deliveries }] of oldestFirst(outbox)) {
    for (const [receiver, delivery] of Object.entries(deliveries)) {
      if (waiting.has(receiver)) continue;
      waiting.add(receiver);
      if (isDue(delivery, now)) due.push({ key, receiver, content, createdAt, sequence, delivery });
    }
  }
  return due;
}

/** Result of one delivery attempt. */
export type AttemptResult = { readonly kind: "delivered" } | Failure;
export type Failure =
  /** The receiver or the network did not take the message. `isPermanent`: a retry cannot help. */
  | { readonly kind: "refused"; readonly isPermanent: boolean; readonly error: string }
  /** We failed to make the message (a bug of ours); the receiver is not to blame. */
  | { readonly kind: "fault"; readonly error: string; readonly cause: unknown };

/** Pause before the next attempt, after so many failed ones. */
export const backoffSeconds = (attempts: number) =>
  Math.min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2 ** Math.max(0, attempts - 1));

/** Whether a delivery that was created then, and is tried again only at `next`, is to be given up. */
export const isHopeless = (createdAt: Timestamp, attempts: number, next: Date) =>
  next.getTime() - Date.parse(createdAt) > GIVE_UP_SECONDS * 1000 && attempts >= GIVE_UP_ATTEMPTS;

/** Schedules the retry of a failed delivery. @returns null when it is given up */
export function afterFailure(delivery: Delivery, createdAt: Timestamp, failure: Failure, now: Date): Delivery | null {
  const attempts = delivery.attempts + 1;
  const next = new Date(now.getTime() + backoffSeconds(attempts) * 1000);
  if (isHopeless(createdAt, attempts, next) || (failure.kind === "refused" && failure.isPermanent)) return null;
  return { attempts, nextAttemptAt: next.toISOString() };
}

/**
 * When the outbox must be looked at even if nothing else happens: at the next retry, or after `SAFETY_NET_SECONDS` for
 * deliveries that are due. Null when it is empty.
 */
export function outboxTimer(outbox: Outbox, now: Date): Timestamp | null {
  const net = now.getTime() + SAFETY_NET_SECONDS * 1000;
  let earliest = Number.POSITIVE_INFINITY;
  for (const { deliveries } of Object.values(outbox))
    for (const delivery of Object.values(deliveries))
      earliest = Math.min(earliest, isDue(delivery, now) ? net : Date.parse(delivery.nextAttemptAt));
  return Number.isFinite(earliest) ? new Date(earliest).toISOString() : null;
}

/** The next retry of a failed delivery; null when there is none. */
export function retryTimer(outbox: Outbox, now: Date): Timestamp | null {
  const waiting = Object.values(outbox)
    .flatMap(({ deliveries }) => Object.values(deliveries))
    .filter((delivery) => !isDue(delivery, now));
  return waiting.map(({ nextAttemptAt }) => nextAttemptAt).toSorted()[0] ?? null;
}

/**
 * Keys of the oldest entries beyond `MAX_PENDING` or `MAX_PENDING_BYTES`, which are to be dropped, and of the oldest
 * stretches of status beyond `MAX_STRETCHES`, which are counted apart and take no alert's place. Never the newest entry,
 * copies of incidents, or the message that entries were dropped.
 */
export function overflow(outbox: Outbox): string[] {
  const all = oldestFirst(outbox);
  const stretches = all.filter(([, { content }]) => content.kind === "status");
  const newestFirst = all
    .filter(([key, { content }]) => content.kind !== "incident" && content.kind !== "status" && key !== OVERFLOW)
    .reverse();
  let bytes = 0;
  const first = newestFirst.findIndex(([, entry], place) => {
    bytes += Buffer.byteLength(JSON.stringify(entry));
    return place >= MAX_PENDING || (place > 0 && bytes > MAX_PENDING_BYTES);
  });
  const dropped = first < 0 ? [] : newestFirst.slice(first);
  return [...dropped, ...stretches.slice(0, -MAX_STRETCHES)].map(([key]) => key);
}
