/**
 * What SNS does not keep of subscriptions: the ids of those that wait for confirmation, which its lists leave out, and
 * those that were confirmed once, so that one that vanishes is noticed.
 */
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { Timestamp } from "../model.ts";
import { isAliveAt } from "./alive.ts";
import { subscriptionKey } from "./keys.ts";
import { pagesOf } from "./read.ts";

export interface SubscriptionRecord {
  readonly id: string;
  readonly topic: string;
  readonly kind: string;
  readonly endpoint: string;
  readonly createdAt: Timestamp;
  /** Null while the receiver has not confirmed, as far as is known. */
  readonly confirmedAt: Timestamp | null;
  /** When it was deleted before it was confirmed: SNS cannot end it until then. */
  readonly removedAt: Timestamp | null;
}

/** SNS drops a subscription that is not confirmed after some days. */
const UNCONFIRMED_DAYS = 7;

export const createSubscriptionStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const fromItem = ({ pk: _pk, sk: _sk, expiresAtSeconds: _expiry, ...record }: Record<string, unknown>) =>
    record as unknown as SubscriptionRecord;
  const put = async (record: SubscriptionRecord, expiresAtSeconds?: number) => {
    const Item = {
      ...subscriptionKey(record.id),
      ...record,
      ...(expiresAtSeconds !== undefined && { expiresAtSeconds }),
    };
    await client.send(new PutCommand({ TableName: tableName, Item }));
  };

  return {
    put: (record: SubscriptionRecord) =>
      record.confirmedAt === null
        ? put(record, Math.floor(Date.parse(record.createdAt) / 1000) + UNCONFIRMED_DAYS * DAY_SECONDS)
        : put(record),

    /** Forgets one: it expires at once. */
    forget: (record: SubscriptionRecord, now: Date) => put(record, Math.floor(now.getTime() / 1000)),

    async get(id: string, now: Date): Promise<SubscriptionRecord | undefined> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: subscriptionKey(id), ConsistentRead: true }),
      );
      return Item && isAliveAt(Item, now.getTime()) ? fromItem(Item) : undefined;
    },

    /** All of a topic, by id. */
    async ofTopic(topic: string, now: Date): Promise<Map<string, SubscriptionRecord>> {
      const found = new Map<string, SubscriptionRecord>();
      const { pk } = subscriptionKey("");
      const pages = pagesOf(client, {
        TableName: tableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :topic)",
        ExpressionAttributeValues: { ":pk": pk, ":topic": `${topic}-` },
        ConsistentRead: true,
      });
      for await (const page of pages)
        for (const item of page) if (isAliveAt(item, now.getTime())) found.set(String(item.id), fromItem(item));
      return found;
    },
  };
};
export type SubscriptionStore = ReturnType<typeof createSubscriptionStore>;
