/**
 * Keeps what is needed to read the history of deleted monitors: by their ids it stays readable until it expires, and their names are shown in uptime of the past. A monitor
 * that is created again with the same key has the same id and takes over the placements.
 */
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { DEFAULT_RETENTION, dayExpiry, type Retention } from "../history/retention.ts";
import type { Monitor, Placement, Timestamp } from "../model.ts";
import { isAliveAt } from "./alive.ts";
import { formerKey, monitorIdOf } from "./keys.ts";
import { changePlace } from "./listing.ts";
import { readMany, type Waiting } from "./read.ts";

/** What a deleted monitor was called. */
export interface FormerName {
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Missing in items of earlier versions. */
  readonly maintenanceCountsAsDowntime?: boolean | undefined;
  readonly deletedAt: Timestamp;
}

/** A deleted monitor. */
export interface FormerMonitor extends FormerName, Pick<Monitor, "placements" | "locations" | "quorum"> {}

interface Options extends Waiting {
  readonly retention?: Retention | undefined;
}

export const createFormerStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  { retention = DEFAULT_RETENTION, ...waiting }: Options = {},
) => ({
  /**
   * Stores what is kept of a monitor, for as long as its daily figures; to be called before its item is deleted. A
   * repeated call only moves the last `toTick`. The item takes the monitor's place in the index `changed`.
   */
  async remember(monitor: Monitor, now: Date): Promise<void> {
    const { id, name, placements, locations, quorum, tags, maintenanceCountsAsDowntime = false, deletedAt } = monitor;
    const nowSeconds = Math.floor(now.getTime() / 1000);
    const kept: Omit<FormerMonitor, "id"> = {
      name,
      placements: placements.map((place) => ({ ...place, toTick: place.toTick ?? nowSeconds })),
      locations,
      quorum,
      tags,
      maintenanceCountsAsDowntime,
      deletedAt: deletedAt ?? now.toISOString(),
    };
    const written = {
      ...kept,
      expiresAtSeconds: dayExpiry(now.toISOString().slice(0, 10), retention),
      ...changePlace(id, now.toISOString()),
    };
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: formerKey(id),
        UpdateExpression: `SET ${Object.keys(written)
          .map((field) => `#${field} = :${field}`)
          .join(", ")}`,
        ExpressionAttributeNames: Object.fromEntries(Object.keys(written).map((field) => [`#${field}`, field])),
        ExpressionAttributeValues: Object.fromEntries(
          Object.entries(written).map(([field, value]) => [`:${field}`, value]),
        ),
      }),
    );
  },

  /** A deleted monitor whose history may still exist. */
  async get(id: string, now: Date): Promise<FormerMonitor | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: formerKey(id), ConsistentRead: true }),
    );
    // Items of before the name was kept have placements only.
    if (!Item?.name || !isAliveAt(Item, now.getTime())) return undefined;
    const { name, placements, locations, quorum, tags, maintenanceCountsAsDowntime, deletedAt } = Item as FormerMonitor;
    return { id, name, placements, locations, quorum, tags, maintenanceCountsAsDowntime, deletedAt };
  },

  /** Former placements by id, oldest first, all of them ended; ids without any are absent. */
  async recall(ids: readonly string[]): Promise<Map<string, readonly Placement[]>> {
    const found = new Map<string, readonly Placement[]>();
    for await (const page of readMany(client, tableName, ids.map(formerKey), { ConsistentRead: true }, waiting))
      for (const { pk, placements } of page) found.set(monitorIdOf(String(pk)), placements as readonly Placement[]);
    return found;
  },

  /** Names by id, of those that are remembered with one. */
  async names(ids: readonly string[]): Promise<Map<string, FormerName>> {
    const found = new Map<string, FormerName>();
    for await (const page of readMany(client, tableName, ids.map(formerKey), {}, waiting))
      for (const { pk, name, tags, maintenanceCountsAsDowntime, deletedAt } of page) {
        const id = monitorIdOf(String(pk));
        if (name === undefined) continue; // of an earlier version
        found.set(id, {
          id,
          name: String(name),
          tags: tags as FormerName["tags"],
          maintenanceCountsAsDowntime: maintenanceCountsAsDowntime === true,
          deletedAt: String(deletedAt),
        });
      }
    return found;
  },
});
export type FormerStore = ReturnType<typeof createFormerStore>;
