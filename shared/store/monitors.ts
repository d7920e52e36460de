/**
 * Monitors as the API writes them: created, changed, marked as deleted, listed. Views and decisions have stores of
 * their own. Every write adds 1 to `revision`; the guard of a change of settings is `updatedAt`, which only such a
 * change moves (and always forward), so neither views nor alerts make a reader's ETag stale.
 */
import { randomUUID } from "node:crypto";
import { type DynamoDBDocumentClient, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Monitor } from "../model.ts";
import { completed, FIELD_NAMES, storedSettings } from "../monitor/settings.ts";
import { unlessRaced } from "./condition.ts";
import type { Page } from "./cursor.ts";
import { mustLook } from "./due.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import { attentionPlace, changePlace, createListing, namePlace } from "./listing.ts";
import { createMonitorReader, type StoredMonitor } from "./monitor-item.ts";
import type { Waiting } from "./read.ts";

/** A monitor as its item, without timers: index keys of timers must be absent, not null. */
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
    ...attentionPlace(monitor.id, monitor.status, monitor.since),
    ...changePlace(monitor.id, monitor.updatedAt),
  };
};

/** Attributes written when what is checked changed: the views of before say nothing any more. */
const recheckedAttributes = (after: StoredMonitor) => ({
  settingsVersion: after.settingsVersion,
  settingsChangedAt: after.settingsChangedAt,
  views: after.views,
  beliefs: {},
  status: after.status,
  since: after.since,
  undecidedSince: after.undecidedSince,
  ...attentionPlace(after.id, after.status, after.since),
});

/** Fields that did not exist yet when a monitor was stored have their defaults. */
const withDefaults = (monitor: StoredMonitor): StoredMonitor =>
  FIELD_NAMES.every((name) => monitor[name] !== undefined) ? monitor : { ...monitor, ...completed(monitor, []) };

interface Options extends Waiting {
  /** A name that nobody used before. Default: a UUID. */
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

  /** Those that exist, deleted ones included, by id; strongly consistent. */
  const getMany = async (ids: readonly string[]): Promise<Map<string, StoredMonitor>> =>
    new Map([...(await reader.getMany(ids))].map(([id, monitor]) => [id, withDefaults(monitor)]));

  /** A write whose answer was lost is refused when it is sent again: then what stands there is ours. */
  const unlessOthers = async (id: string, writtenBy: string, write: Promise<unknown>): Promise<boolean> =>
    (await unlessRaced(write)) || (await get(id))?.writtenBy === writtenBy;

  /** Writes what must be decided, unless the settings changed, or the monitor was deleted, since it was read. */
  const change = (
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
            Item: { ...monitorItem({ ...monitor, writtenBy }), ...mustLook(monitorKey(monitor.id).pk, now).attributes },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
    },

    /**
     * Stores changed settings, and with them a new version, target and place where those differ.
     * @param now epoch milliseconds
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    saveSettings(before: StoredMonitor, after: StoredMonitor, now: number): Promise<boolean> {
      return change(before, now, {
        ...storedSettings(after),
        ...namePlace(after),
        ...changePlace(after.id, after.updatedAt),
        updatedAt: after.updatedAt,
        ...(after.settingsVersion !== before.settingsVersion && recheckedAttributes(after)),
        ...(after.shard !== before.shard && { shard: after.shard, placements: after.placements }),
        ...(after.target.version !== before.target.version && { target: after.target }),
      });
    },

    /**
     * Marks as deleted; the state-change function closes what is open, delivers what is due and removes the item.
     * @returns false when the settings changed, or the monitor was deleted, since it was read
     */
    markDeleted: (before: Monitor, now: Date): Promise<boolean> =>
      change(before, now.getTime(), { deletedAt: now.toISOString(), ...changePlace(before.id, now.toISOString()) }),

    /**
     * By name, a page, deleted ones included.
     * @param after position of the last monitor seen: `positionOf`
     */
    async list(limit: number, after?: string): Promise<Page<StoredMonitor>> {
      const { keys, hasMore } = await listing.page("listed", "MONITORS", limit, { after });
      const found = await getMany(keys.map(({ pk }) => monitorIdOf(pk)));
      return {
        // One that was removed since it was listed is left out.
        items: keys.flatMap(({ pk }) => found.get(monitorIdOf(pk)) ?? []),
        next: hasMore ? (keys.at(-1)?.position ?? null) : null,
      };
    },

    positionOf: (monitor: Pick<Monitor, "id" | "name">) => namePlace(monitor).listKey,
  };
};
export type MonitorStore = ReturnType<typeof createMonitorStore>;
