/**
 * Store of the API: creates, changes, lists monitors and marks them as deleted. Views and decisions have stores of
 * their own. Every write increments `revision`, but the optimistic lock of settings is `updatedAt`, which only a change
 * of settings moves (always forward): views and alerts do not invalidate an ETag.
 */
import { randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Acknowledgement, ItemKey, Monitor } from "../model.ts";
import { completed, FIELD_NAMES, storedSettings } from "../monitor/settings.ts";
import type { Baseline } from "../rules/changes.ts";
import { unlessRaced } from "./condition.ts";
import type { Page } from "./cursor.ts";
import { mustLook } from "./due.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import { attentionPlace, changePlace, createListing, namePlace } from "./listing.ts";
import { createMonitorReader, type StoredMonitor } from "./monitor-item.ts";
import { createMonitorRows } from "./monitor-rows.ts";
import type { Waiting } from "./read.ts";

/** Maps a monitor to its item, without timers: their index keys must be absent, not null. */
export const monitorItem = (monitor: StoredMonitor) => {
  const { nextEvaluationAt: _own, lookBy: _look, ...standing } = monitor;
  for (const name of FIELD_NAMES) delete (standing as Record<string, unknown>)[name];
  return {
    ...monitorKey(monitor.id),
    ...standing,
    ...storedSettings(monitor),
    beliefs: Object.fromEntries(
      Object.entries(monitor.views).map(([location, { health, tick }]) => [location, { health, tick }]),
    ),
    ...namePlace(monitor),
    ...(monitor.paused ? pausedPlace(monitor) : attentionPlace(monitor.id, monitor.status, monitor.since)),
    ...changePlace(monitor.id, monitor.updatedAt),
  };
};

/** The place of a paused monitor among those that are not up. Its stored status becomes `paused` a moment later. */
const pausedPlace = ({ id, status, since, updatedAt }: Monitor) =>
  attentionPlace(id, "paused", status === "paused" ? since : updatedAt);

/** Attributes that are reset when something else is checked, because the old views no longer apply. */
const resetAttributes = (after: StoredMonitor) => ({
  settingsVersion: after.settingsVersion,
  settingsChangedAt: after.settingsChangedAt,
  views: after.views,
  beliefs: {},
  status: after.status,
  since: after.since,
  undecidedSince: after.undecidedSince,
  ...attentionPlace(after.id, after.status, after.since),
});

/** Fills in defaults of fields that did not exist when the monitor was stored. */
const withDefaults = (monitor: StoredMonitor): StoredMonitor =>
  FIELD_NAMES.every((name) => monitor[name] !== undefined) ? monitor : { ...monitor, ...completed(monitor, []) };

interface MonitorPage extends Page<StoredMonitor> {
  /** Position in the list by monitor id. A monitor that was renamed just now may still stand at its former name. */
  readonly positions: ReadonlyMap<string, string>;
}

interface Options extends Waiting {
  /** Makes a unique id. Default: a UUID. */
  readonly newId?: (() => string) | undefined;
}

export const createMonitorStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  { newId = randomUUID, ...waiting }: Options = {},
) => {
  const reader = createMonitorReader(client, tableName, waiting);
  const listing = createListing(client, tableName);

  /** Strongly consistent; also finds a monitor that is marked as deleted. */
  const get = async (id: string): Promise<StoredMonitor | undefined> => {
    const found = await reader.get(id);
    return found && withDefaults(found);
  };

  /** Existing monitors by id, including those marked as deleted; strongly consistent unless said. */
  const getMany = async (ids: readonly string[], isConsistent = true): Promise<Map<string, StoredMonitor>> =>
    new Map([...(await reader.getMany(ids, isConsistent))].map(([id, monitor]) => [id, withDefaults(monitor)]));

  /** Like `unlessRaced`, but recognises its own write: the SDK's retry after a lost answer fails the condition. */
  const unlessOthers = async (id: string, writtenBy: string, write: Promise<unknown>): Promise<boolean> =>
    (await unlessRaced(write)) || (await get(id))?.writtenBy === writtenBy;

  /**
   * Writes attributes and starts the watchdog, unless the settings changed or the monitor was deleted since it was
   * read.
   */
  const update = (
    { id, updatedAt }: Monitor,
    now: number,
    attributes: Readonly<Record<string, unknown>>,
  ): Promise<boolean> => {
    const { pk, sk } = monitorKey(id);
    const look = mustLook(pk, now);
    const writtenBy = newId();
    const written = Object.entries({ ...attributes, writtenBy });
    return unlessOthers(
      id,
      writtenBy,
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { pk, sk },
          UpdateExpression: `SET ${[...written.map(([name]) => `#${name} = :${name}`), look.set].join(", ")} ADD revision :one`,
          ConditionExpression: "updatedAt = :read AND deletedAt = :null",
          ExpressionAttributeNames: Object.fromEntries(written.map(([name]) => [`#${name}`, name])),
          ExpressionAttributeValues: {
            ...Object.fromEntries(written.map(([name, value]) => [`:${name}`, value])),
            ...look.values,
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
    getMany,
    ...createMonitorRows(client, tableName, waiting),

    /**
     * @param now epoch milliseconds
     * @returns false if a monitor of this id exists, even one marked as deleted
     */
    create(monitor: StoredMonitor, now: number): Promise<boolean> {
      const writtenBy = newId();
      return unlessOthers(
        monitor.id,
        writtenBy,
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: { ...monitorItem({ ...monitor, writtenBy }), ...mustLook(monitorKey(monitor.id).pk, now).attributes },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
    },

    /**
     * Stores changed settings, with the version, target and placements that changed with them.
     * @param now epoch milliseconds
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    saveSettings(before: StoredMonitor, after: StoredMonitor, now: number): Promise<boolean> {
      return update(before, now, {
        ...storedSettings(after),
        ...namePlace(after),
        ...changePlace(after.id, after.updatedAt),
        updatedAt: after.updatedAt,
        updatedBy: after.updatedBy,
        ...(after.settingsVersion !== before.settingsVersion && resetAttributes(after)),
        ...(after.paused && pausedPlace(after)),
        ...(after.shard !== before.shard && { shard: after.shard, placements: after.placements }),
        ...(after.target.version !== before.target.version && { target: after.target }),
      });
    },

    /**
     * Marks as deleted; the state-change function closes what is open, delivers what is due and removes the item.
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    markDeleted: (before: Monitor, now: Date): Promise<boolean> =>
      update(before, now.getTime(), { deletedAt: now.toISOString(), ...changePlace(before.id, now.toISOString()) }),

    /**
     * Notes on the incident in progress that somebody has taken it on, and has the monitor decided again.
     * @returns false when the monitor has changed since it was read
     */
    acknowledge({ id, revision }: StoredMonitor, acknowledged: Acknowledgement, now: Date): Promise<boolean> {
      const { pk, sk } = monitorKey(id);
      const look = mustLook(pk, now.getTime());
      return unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: { pk, sk },
            UpdateExpression: `SET incident.acknowledged = :acknowledged, changedAt = :changedAt, ${look.set} ADD revision :one`,
            ConditionExpression: "revision = :read",
            ExpressionAttributeValues: {
              ":acknowledged": acknowledged,
              // Who polls the overview hears of it.
              ":changedAt": now.toISOString(),
              ...look.values,
              ":read": revision,
              ":one": 1,
            },
          }),
        ),
      );
    },

    /**
     * Stores a baseline that somebody has changed, and has the monitor decided again.
     * @returns false when the monitor has changed since it was read
     */
    saveBaseline({ id, revision }: StoredMonitor, baseline: Baseline, now: Date): Promise<boolean> {
      const { pk, sk } = monitorKey(id);
      const look = mustLook(pk, now.getTime());
      return unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: { pk, sk },
            UpdateExpression: `SET baseline = :baseline, ${look.set} ADD revision :one`,
            ConditionExpression: "revision = :read",
            ExpressionAttributeValues: { ":baseline": baseline, ...look.values, ":read": revision, ":one": 1 },
          }),
        ),
      );
    },

    /** Keys of all monitors that are down or degraded, page by page. */
    async *notUp(): AsyncGenerator<ItemKey[]> {
      for (const status of ["down", "degraded"]) yield* listing.all("attention", "MONITORS", { prefix: `${status}#` });
    },

    /**
     * A page of monitors by name, including those marked as deleted.
     * @param after position of the last monitor seen
     */
    async list(limit: number, after?: string): Promise<MonitorPage> {
      const { keys, hasMore } = await listing.page("listed", "MONITORS", limit, { after });
      const found = await getMany(keys.map(({ pk }) => monitorIdOf(pk)));
      return {
        // The index is eventually consistent: a monitor may be gone.
        items: keys.flatMap(({ pk }) => found.get(monitorIdOf(pk)) ?? []),
        next: hasMore ? (keys.at(-1)?.position ?? null) : null,
        positions: new Map(keys.map(({ pk, position }) => [monitorIdOf(pk), position])),
      };
    },
  };
};
export type MonitorStore = ReturnType<typeof createMonitorStore>;
