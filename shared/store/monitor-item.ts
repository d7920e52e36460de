/** Maps a monitor's item to a monitor, and reads monitors. */
import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { Health, Monitor } from "../model.ts";
import { ALERT_DEFAULTS, CHANGE_WATCH_DEFAULTS } from "../monitor/alert-defaults.ts";
import type { Author } from "./audit.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import { type Item, readMany, type Waiting } from "./read.ts";

/**
 * Summary of a location's view: `beliefs.<location>` is written together with `views.<location>`, and is small enough
 * for the index that lists a shard's members.
 */
export interface StoredBelief {
  readonly health: Health;
  /** The tick of the view, or of a later fence: views of earlier ticks are refused. */
  readonly tick: number;
}

/** A monitor with the fields that only the API uses. */
export interface StoredMonitor extends Monitor {
  /** Hash of the idempotency key and body that created it; null when it was created without one. */
  readonly creation: string | null;
  /** Id of the API's last write: a retry after a lost answer fails its condition, and recognises its own first try. */
  readonly writtenBy: string;
  /** Who changed the settings last; null for monitors that were stored before this was noted. */
  readonly updatedBy: Author;
}

/** Attributes for indexes and timers, which are not part of a monitor. */
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

/** The item keeps all settings of the check in one attribute, `check`; the monitor has them beside its other fields. */
export const monitorFromItem = (item: Item): StoredMonitor => {
  const monitor: Item = {
    creation: null,
    writtenBy: "",
    updatedBy: null,
    undecidedSince: null,
    unsettledSince: null,
    lastIncidentEndedAt: null,
    lastStretch: null,
    flapping: null,
    flapState: null,
    minority: null,
    baseline: null,
    changeWatch: CHANGE_WATCH_DEFAULTS,
    dependsOn: [],
    ...item,
    degradedAboveMsByLocation: {},
    errorRate: null,
    unusual: null,
    ...(item.check as object),
    nextEvaluationAt: item.nextEvaluationAt ?? null,
    lookBy: item.lookBy ?? null,
    // Monitors of earlier versions lack the later ones of these settings.
    alerts: { ...ALERT_DEFAULTS, ...(item.alerts as object) },
  };
  for (const name of OWN_OF_THE_TABLE) delete monitor[name];
  return monitor as unknown as StoredMonitor;
};

/** Reads whole monitors, strongly consistent, including those marked as deleted. */
export const createMonitorReader = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => ({
  async get(id: string): Promise<StoredMonitor | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: monitorKey(id), ConsistentRead: true }),
    );
    return Item && monitorFromItem(Item);
  },

  /** Those that exist, by id. */
  async getMany(ids: readonly string[], isConsistent = true): Promise<Map<string, StoredMonitor>> {
    const found = new Map<string, StoredMonitor>();
    for await (const page of readMany(
      client,
      tableName,
      ids.map(monitorKey),
      { ConsistentRead: isConsistent },
      waiting,
    ))
      for (const item of page) found.set(monitorIdOf(String(item.pk)), monitorFromItem(item));
    return found;
  },
});
