/** Reads mailboxes as the record of what was delivered to a receiver. Written by `mailbox.ts`. */
import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Alert, Timestamp } from "../model.ts";
import { isAliveAt } from "./alive.ts";
import type { Page } from "./cursor.ts";
import { mailKey } from "./keys.ts";
import { type Item, pagesOf } from "./read.ts";

export const DELIVERY_STATES = ["waiting", "sent", "undeliverable"] as const;

/** What became of one alert for one receiver. */
export interface Delivered {
  /** Orders the deliveries of a receiver, as a place in their list. */
  readonly place: string;
  readonly alert: Alert;
  readonly createdAt: Timestamp;
  readonly state: (typeof DELIVERY_STATES)[number];
  readonly attempts: number;
  /** Of the last attempt; null before the first. */
  readonly attemptedAt: Timestamp | null;
  /** Null unless it waits. */
  readonly nextAttemptAt: Timestamp | null;
  /** What the receiver said to the last attempt, without secrets; null before the first. */
  readonly answer: string | null;
  /** The message about many alerts that it was a part of; null if it went alone. */
  readonly digest: string | null;
}

const deliveredOf = ({ sk, alert, createdAt, state, attempts, attemptedAt, nextAttemptAt, answer, digest }: Item) =>
  ({
    place: String(sk),
    alert,
    createdAt,
    state,
    attempts,
    attemptedAt: attemptedAt ?? null,
    nextAttemptAt: state === "waiting" ? nextAttemptAt : null,
    answer: answer ?? null,
    digest: digest ?? null,
  }) as Delivered;

/** Pages of at most 1 MB, some 500 alerts each, that are searched for incidents whose end is still to be told. */
const PAGES_SEARCHED = 20;

export const createDeliveryStore = (client: DynamoDBDocumentClient, tableName: string) => ({
  /**
   * A page of what a receiver was, or is to be, told in the last 30 days, newest first.
   * @param before place of the last one seen
   */
  async list(receiver: string, limit: number, now: Date, before?: string): Promise<Page<Delivered>> {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: before === undefined ? "pk = :pk" : "pk = :pk AND sk < :before",
        ExpressionAttributeValues: { ":pk": mailKey(receiver, "", "").pk, ...(before && { ":before": before }) },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    const items = Items.filter((item) => isAliveAt(item, now.getTime())).map(deliveredOf);
    return { items, next: LastEvaluatedKey ? String(LastEvaluatedKey.sk) : null };
  },

  /** Ids of the incidents that a receiver was, or may just have been, told of, and whose end it was not told. */
  async untoldEnds(receiver: string): Promise<ReadonlySet<string>> {
    const [told, ended] = [new Set<string>(), new Set<string>()];
    const pages = pagesOf(client, {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": mailKey(receiver, "", "").pk },
      ConsistentRead: true,
      ScanIndexForward: false,
    });
    let searched = 0;
    for await (const page of pages) {
      for (const { alert, state } of page.map(deliveredOf)) {
        if (alert.incidentState === "open" && state !== "undeliverable") told.add(alert.incidentId);
        if (alert.incidentState === "ended" && state !== "waiting") ended.add(alert.incidentId);
      }
      if (++searched === PAGES_SEARCHED) break;
    }
    return new Set([...told].filter((incidentId) => !ended.has(incidentId)));
  },
});
export type DeliveryStore = ReturnType<typeof createDeliveryStore>;
