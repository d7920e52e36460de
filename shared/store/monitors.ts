/**
 * Monitors as the API writes them: created, changed, marked as deleted, listed. Views and decisions have stores of
 * their own. Every write adds 1 to `revision`; the guard of a change of settings is `updatedAt`, which only such a
 * change moves (and always forward), so neither views nor alerts make a reader's ETag stale.
 */
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { type Monitor, type MonitorSettings, WHAT_IS_CHECKED } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import type { Page } from "./cursor.ts";
import { LISTING, monitorIdOf, monitorKey } from "./keys.ts";

/** A monitor with what only the API needs to know of it. */
export interface StoredMonitor extends Monitor {
  /** Hash of the idempotency key and body that created it; null when it was created without one. */
  readonly creation: string | null;
}

const collectionKeyOf = ({ id, name }: { id: string; name: string }) => `${name.toLowerCase()}#${id}`;

/** DynamoDB takes 100 keys in one read. */
const KEYS_PER_READ = 100;

export const monitorFromItem = (item: Record<string, unknown>): StoredMonitor => {
  const { pk: _pk, sk: _sk, collection: _c, collectionKey: _k, dueBucket: _d, ...monitor } = item;
  return { creation: null, ...monitor, nextEvaluationAt: item.nextEvaluationAt ?? null } as unknown as StoredMonitor;
};

/** The item of a monitor nobody has decided about yet: no timer, so it stands outside the index `due`. */
const newItem = ({ nextEvaluationAt: _none, ...monitor }: StoredMonitor) => ({
  ...monitorKey(monitor.id),
  ...monitor,
  collection: LISTING.monitors,
  collectionKey: collectionKeyOf(monitor),
});

const SETTINGS = [
  ...WHAT_IS_CHECKED,
  "name",
  "key",
  "quorum",
  "alerts",
  "tags",
  "paused",
  "badge",
] as const satisfies readonly (keyof MonitorSettings)[];

/** Written when what is checked changed: the views of before say nothing any more. */
const RECHECKED = ["settingsVersion", "settingsChangedAt", "views", "status", "since"] as const;
const PLACED = ["shard", "placements"] as const;

export const createMonitorStore = (client: DynamoDBDocumentClient, tableName: string) => {
  return {
    /** @returns false when there is a monitor of this id already, be it on its way out */
    create: (monitor: StoredMonitor) =>
      unlessRaced(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: newItem(monitor),
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      ),

    /** Strongly consistent; also finds a monitor that is marked as deleted. */
    async get(id: string): Promise<StoredMonitor | undefined> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: monitorKey(id), ConsistentRead: true }),
      );
      return Item && monitorFromItem(Item);
    },

    /** Those that exist, deleted ones included, by id; strongly consistent. */
    async getMany(ids: readonly string[]): Promise<Map<string, StoredMonitor>> {
      const found = new Map<string, StoredMonitor>();
      for (let start = 0; start < ids.length; start += KEYS_PER_READ) {
        let keys: Record<string, unknown>[] = ids.slice(start, start + KEYS_PER_READ).map(monitorKey);
        while (keys.length > 0) {
          const { Responses, UnprocessedKeys } = await client.send(
            new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
          );
          for (const item of Responses?.[tableName] ?? [])
            found.set(monitorIdOf(String(item.pk)), monitorFromItem(item));
          keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
        }
      }
      return found;
    },

    /**
     * Stores changed settings, and with them a new version and place where those differ.
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    saveSettings(before: Monitor, after: Monitor): Promise<boolean> {
      const names: (keyof Monitor)[] = [...SETTINGS, "updatedAt"];
      if (after.settingsVersion !== before.settingsVersion) names.push(...RECHECKED);
      if (after.shard !== before.shard) names.push(...PLACED);
      return unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: monitorKey(before.id),
            UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(", ")}, collectionKey = :collectionKey ADD revision :one`,
            ConditionExpression: "#updatedAt = :read AND deletedAt = :null",
            ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
            ExpressionAttributeValues: {
              ...Object.fromEntries(names.map((name) => [`:${name}`, after[name]])),
              ":collectionKey": collectionKeyOf(after),
              ":read": before.updatedAt,
              ":null": null,
              ":one": 1,
            },
          }),
        ),
      );
    },

    /**
     * Marks as deleted; the state-change function closes what is open, delivers what is due and removes the item.
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    markDeleted: (before: Monitor, now: Date) =>
      unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: monitorKey(before.id),
            UpdateExpression: "SET deletedAt = :now ADD revision :one",
            ConditionExpression: "updatedAt = :read AND deletedAt = :null",
            ExpressionAttributeValues: {
              ":now": now.toISOString(),
              ":read": before.updatedAt,
              ":null": null,
              ":one": 1,
            },
          }),
        ),
      ),

    /**
     * By name, a page of what the table gives, deleted ones included.
     * @param after position of the last monitor seen: `positionOf`
     */
    async list(limit: number, after?: string): Promise<Page<StoredMonitor>> {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "listing",
          KeyConditionExpression: after ? "#collection = :c AND collectionKey > :after" : "#collection = :c",
          ExpressionAttributeNames: { "#collection": "collection" },
          ExpressionAttributeValues: { ":c": LISTING.monitors, ...(after && { ":after": after }) },
          Limit: limit,
        }),
      );
      return {
        items: Items.map(monitorFromItem),
        next: LastEvaluatedKey ? String(LastEvaluatedKey.collectionKey) : null,
      };
    },

    positionOf: collectionKeyOf,
  };
};
export type MonitorStore = ReturnType<typeof createMonitorStore>;
