/**
 * Monitors as the API writes them: created, changed, marked as deleted, listed. Views and decisions have stores of
 * their own. Every write adds 1 to `revision`; the guard of a change of settings is `updatedAt`, which only such a
 * change moves (and always forward), so neither views nor alerts make a reader's ETag stale.
 */
import { randomUUID } from "node:crypto";
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
import { mustLook } from "./due.ts";
import { LISTING, monitorIdOf, monitorKey } from "./keys.ts";

/** A monitor with what only the API needs to know of it. */
export interface StoredMonitor extends Monitor {
  /** Hash of the idempotency key and body that created it; null when it was created without one. */
  readonly creation: string | null;
  /** Name of the API's last write: whoever hears nothing back and is refused the second time finds his own. */
  readonly writtenBy: string;
}

const collectionKeyOf = ({ id, name }: { id: string; name: string }) => `${name.toLowerCase()}#${id}`;

/** DynamoDB takes 100 keys in one read. */
const KEYS_PER_READ = 100;

const monitorFromItem = (item: Record<string, unknown>): StoredMonitor => {
  const {
    pk: _pk,
    sk: _sk,
    collection: _c,
    collectionKey: _k,
    dueBucket: _d,
    lookBucket: _l,
    touches: _t,
    ...monitor
  } = item;
  return {
    creation: null,
    writtenBy: "",
    undecidedSince: null,
    unsettledSince: null,
    lastIncidentEndedAt: null,
    ...monitor,
    nextEvaluationAt: item.nextEvaluationAt ?? null,
    lookBy: item.lookBy ?? null,
  } as unknown as StoredMonitor;
};

/** The item of a monitor nobody has decided about yet: no timer of its own, so it stands outside the index `due`. */
const newItem = ({ nextEvaluationAt: _none, ...monitor }: StoredMonitor, now: number) => {
  const key = monitorKey(monitor.id);
  return {
    ...key,
    ...monitor,
    collection: LISTING.monitors,
    collectionKey: collectionKeyOf(monitor),
    ...mustLook(key.pk, now).attributes,
  };
};

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
const RECHECKED = ["settingsVersion", "settingsChangedAt", "views", "status", "since", "undecidedSince"] as const;
const PLACED = ["shard", "placements"] as const;

/** @param newId a name that nobody used before. Default: a UUID */
export const createMonitorStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  newId = randomUUID as () => string,
) => {
  /** Strongly consistent; also finds a monitor that is marked as deleted. */
  const get = async (id: string): Promise<StoredMonitor | undefined> => {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: monitorKey(id), ConsistentRead: true }),
    );
    return Item && monitorFromItem(Item);
  };

  /** A write whose answer was lost is refused when it is sent again: then what stands there is ours. */
  const unlessOthers = async (id: string, writtenBy: string, write: Promise<unknown>): Promise<boolean> =>
    (await unlessRaced(write)) || (await get(id))?.writtenBy === writtenBy;

  /** Writes what must be decided, unless the settings changed, or the monitor was deleted, since it was read. */
  const change = (
    { id, updatedAt }: Monitor,
    now: number,
    { set, names, values }: { set: readonly string[]; names?: Record<string, string>; values: Record<string, unknown> },
  ): Promise<boolean> => {
    const { pk, sk } = monitorKey(id);
    const look = mustLook(pk, now);
    const writtenBy = newId();
    return unlessOthers(
      id,
      writtenBy,
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { pk, sk },
          UpdateExpression: `SET ${[...set, "writtenBy = :writtenBy", look.set].join(", ")} ADD revision :one`,
          ConditionExpression: "updatedAt = :read AND deletedAt = :null",
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: {
            ...values,
            ...look.values,
            ":writtenBy": writtenBy,
            ":read": updatedAt,
            ":null": null,
            ":one": 1,
          },
        }),
      ),
    );
  };

  return {
    get,

    /**
     * @param now epoch milliseconds
     * @returns false when there is a monitor of this id already, be it on its way out
     */
    create(monitor: StoredMonitor, now: number): Promise<boolean> {
      const writtenBy = newId();
      return unlessOthers(
        monitor.id,
        writtenBy,
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: newItem({ ...monitor, writtenBy }, now),
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
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
     * Stores changed settings, and with them a new version, target and place where those differ.
     * @param now epoch milliseconds
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    saveSettings(before: Monitor, after: Monitor, now: number): Promise<boolean> {
      const names: (keyof Monitor)[] = [...SETTINGS, "updatedAt"];
      if (after.settingsVersion !== before.settingsVersion) names.push(...RECHECKED);
      if (after.shard !== before.shard) names.push(...PLACED);
      if (after.target.version !== before.target.version) names.push("target");
      return change(before, now, {
        set: [...names.map((name) => `#${name} = :${name}`), "collectionKey = :collectionKey"],
        names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        values: {
          ...Object.fromEntries(names.map((name) => [`:${name}`, after[name]])),
          ":collectionKey": collectionKeyOf(after),
        },
      });
    },

    /**
     * Marks as deleted; the state-change function closes what is open, delivers what is due and removes the item.
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    markDeleted: (before: Monitor, now: Date): Promise<boolean> =>
      change(before, now.getTime(), { set: ["deletedAt = :deletedAt"], values: { ":deletedAt": now.toISOString() } }),

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
