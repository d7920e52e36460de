/**
 * Timers of items: which items are due, and the `touch` that makes the table's stream deliver them to state-change.
 *
 * An item's own timer (`nextEvaluationAt`) is set and cleared only by a decision, on condition of the revision that it
 * read. `lookBy` is a watchdog: every write that needs a decision sets it, and a stored decision removes it together
 * with `touches`, so a change whose processing fails is processed again.
 */
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Timer } from "../jobs.ts";
import type { ItemKey } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { INDEX_KEYS } from "./indexes.ts";
import { DUE_BUCKETS, LOOK_BUCKETS, lookBucket } from "./keys.ts";
import { pagesOf } from "./read.ts";

/** Watchdog timeout: a change not processed within this time is touched. The stream needs a second or two. */
const LOOK_WITHIN_SECONDS = 90;
/** Longest pause between touches of the watchdog; it doubles with each touch that led to no decision. */
const LOOK_PAUSE_LIMIT_SECONDS = 900;

/** `own`: an item's own timer. `look`: a watchdog; `dueAt` is then its `lookBy`. */
export interface DueTimer extends Timer {
  readonly kind: "own" | "look";
}

/** Numbers of all partitions of the two indexes. */
export const BUCKETS = {
  own: Array.from({ length: DUE_BUCKETS }).keys().toArray(),
  look: Array.from({ length: LOOK_BUCKETS }).keys().toArray(),
} as const;

const iso = (ms: number) => new Date(ms).toISOString();

/**
 * Starts the watchdog of an item: clauses for an update, or attributes for a new item, of a write that needs a
 * decision. A watchdog that runs already is kept.
 * @param now epoch milliseconds
 */
export function mustLook(pk: string, now: number) {
  const attributes = { lookBy: iso(now + LOOK_WITHIN_SECONDS * 1000), lookBucket: lookBucket(pk) };
  return {
    set: "lookBy = if_not_exists(lookBy, :lookBy), lookBucket = if_not_exists(lookBucket, :lookBucket)",
    values: { ":lookBy": attributes.lookBy, ":lookBucket": attributes.lookBucket },
    attributes,
  };
}

export const createDueStore = (client: DynamoDBDocumentClient, tableName: string) => {
  /** By kind of timer: its index, and how the index's partition keys begin. */
  const INDEXES = { own: { name: "due", prefix: "DUE#" }, look: { name: "look-by", prefix: "LOOK#" } } as const;

  /** Timers of one kind that are due before a moment, page by page; oldest first in each bucket. */
  async function* timers(kind: DueTimer["kind"], moment: Date, buckets: readonly number[]) {
    const { name, prefix } = INDEXES[kind];
    const [bucket, at] = INDEX_KEYS[name];
    for (const number of buckets) {
      const pages = pagesOf(client, {
        TableName: tableName,
        IndexName: name,
        KeyConditionExpression: `${bucket} = :bucket AND ${at} < :moment`,
        ExpressionAttributeValues: { ":bucket": `${prefix}${number}`, ":moment": moment.toISOString() },
      });
      for await (const page of pages)
        yield page.map(
          ({ pk, sk, [at]: dueAt }): DueTimer => ({ pk: String(pk), sk: String(sk), dueAt: String(dueAt), kind }),
        );
    }
  }

  /** Touches of the watchdog since the last decision. Eventually consistent: an old answer only makes a touch early. */
  const touchesOf = async ({ pk, sk }: ItemKey): Promise<number> => {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: { pk, sk }, ProjectionExpression: "touches" }),
    );
    return Number(Item?.touches ?? 0);
  };

  const update = ({ pk, sk }: ItemKey, expression: string, condition: string, values: Record<string, unknown>) =>
    unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { pk, sk },
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeValues: { ...values, ":one": 1 },
        }),
      ),
    );

  return {
    /** Own timers due before a moment, page by page; oldest first in each bucket. */
    before: (moment: Date, buckets = BUCKETS.own): AsyncGenerator<DueTimer[]> => timers("own", moment, buckets),

    /** Watchdogs that expire before a moment, page by page; oldest first in each bucket. */
    overdueLooks: (moment: Date, buckets = BUCKETS.look): AsyncGenerator<DueTimer[]> => timers("look", moment, buckets),

    /**
     * Makes the stream deliver an item again, unless its timer has changed. An own timer is replaced by a watchdog; a
     * watchdog is set again with exponential backoff, so that an item which cannot be decided is not touched every
     * minute.
     * @param now epoch milliseconds
     * @returns whether it touched
     */
    async touch(timer: Timer & { readonly kind?: DueTimer["kind"] }, now: number): Promise<boolean> {
      const seen = { ":seen": timer.dueAt };
      if (timer.kind !== "look") {
        const { set, values } = mustLook(timer.pk, now);
        const expression = `SET ${set} REMOVE nextEvaluationAt, dueBucket ADD revision :one`;
        return update(timer, expression, "nextEvaluationAt = :seen", { ...seen, ...values });
      }
      const pauseSeconds = Math.min(LOOK_PAUSE_LIMIT_SECONDS, LOOK_WITHIN_SECONDS * 2 ** (await touchesOf(timer)));
      const next = { ":next": iso(now + pauseSeconds * 1000) };
      return update(timer, "SET lookBy = :next ADD revision :one, touches :one", "lookBy = :seen", {
        ...seen,
        ...next,
      });
    },

    /**
     * Makes the stream deliver an item because something outside it changed.
     * @param now epoch milliseconds
     * @returns false when the item is gone
     */
    nudge(key: ItemKey, now: number): Promise<boolean> {
      const { set, values } = mustLook(key.pk, now);
      return update(key, `SET ${set} ADD revision :one`, "attribute_exists(pk)", values);
    },

    /** Makes the stream deliver a monitor whose status was never recorded, because an earlier version decided it. */
    nudgeUnrecorded(key: ItemKey, now: number): Promise<boolean> {
      const { set, values } = mustLook(key.pk, now);
      const condition = "attribute_exists(pk) AND (attribute_not_exists(lastStretch) OR lastStretch = :null)";
      return update(key, `SET ${set} ADD revision :one`, condition, { ...values, ":null": null });
    },
  };
};
export type DueStore = ReturnType<typeof createDueStore>;
