/** A monitor as its item in the table has it, and how it is read. */
import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { Health, Monitor } from "../model.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import { type Item, readMany, type Waiting } from "./read.ts";

/**
 * What a location believes of a monitor, short: `beliefs.<location>`, written with each view (`views.<location>`), so
 * that the index which lists a shard's members can carry it.
 */
export interface StoredBelief {
  readonly health: Health;
  /** Of the view, or of a later tick that put up a fence: views of ticks before it are refused. */
  readonly tick: number;
}

/** A monitor with what only the API needs to know of it. */
export interface StoredMonitor extends Monitor {
  /** Hash of the idempotency key and body that created it; null when it was created without one. */
  readonly creation: string | null;
  /** Name of the API's last write: whoever hears nothing back and is refused the second time finds his own. */
  readonly writtenBy: string;
}

/** Attributes that are there for indexes and timers alone. */
const OWN_OF_THE_TABLE = [
  "pk",
  "sk",
  "check",
  "beliefs",
  "listBucket",
  "listKey",
  "attentionBucket",
  "attentionKey",
  "changedBucket",
  "changedAt",
  "dueBucket",
  "lookBucket",
  "touches",
];

/** What is checked lies in one attribute of the item, and beside the other fields in the monitor. */
export const monitorFromItem = (item: Item): StoredMonitor => {
  const monitor: Item = {
    creation: null,
    writtenBy: "",
    undecidedSince: null,
    unsettledSince: null,
    lastIncidentEndedAt: null,
    ...item,
    ...(item.check as object),
    nextEvaluationAt: item.nextEvaluationAt ?? null,
    lookBy: item.lookBy ?? null,
  };
  for (const name of OWN_OF_THE_TABLE) delete monitor[name];
  return monitor as unknown as StoredMonitor;
};

/** Reads whole monitors, consistently; also those that are marked as deleted. */
export const createMonitorReader = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => ({
  async get(id: string): Promise<StoredMonitor | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: monitorKey(id), ConsistentRead: true }),
    );
    return Item && monitorFromItem(Item);
  },

  /** Those that exist, by id. */
  async getMany(ids: readonly string[]): Promise<Map<string, StoredMonitor>> {
    const found = new Map<string, StoredMonitor>();
    for await (const page of readMany(client, tableName, ids.map(monitorKey), { ConsistentRead: true }, waiting))
      for (const item of page) found.set(monitorIdOf(String(item.pk)), monitorFromItem(item));
    return found;
  },
});
