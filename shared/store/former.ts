/**
 * Keeps what is needed of deleted monitors: their names for uptime of the past, and their placements. A monitor that is
 * created again with the same key has the same id and history, but outcomes that are not compacted yet are in blocks,
 * which can only be found by the placements.
 */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { Monitor, Placement, Timestamp } from "../model.ts";
import { formerKey, monitorIdOf } from "./keys.ts";
import { changePlace } from "./listing.ts";
import { readMany, type Waiting } from "./read.ts";

/** Longer than summaries of their status are kept: 25 months, unless deployed otherwise. */
const KEPT_SECONDS = 800 * DAY_SECONDS;

/** What a deleted monitor was called. */
export interface FormerName {
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly deletedAt: Timestamp;
}

export const createFormerStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => ({
  /**
   * Stores a monitor's name and placements; to be called before its item is deleted. A repeated call only moves the last
   * `toTick`. The item takes the monitor's place in the index `changed`.
   */
  async remember(
    { id, placements, name, tags, deletedAt }: Pick<Monitor, "id" | "placements" | "name" | "tags" | "deletedAt">,
    now: Date,
  ): Promise<void> {
    const nowSeconds = Math.floor(now.getTime() / 1000);
    const fields: Record<string, unknown> = {
      placements: placements.map((place) => ({ ...place, toTick: place.toTick ?? nowSeconds })),
      name,
      tags,
      deletedAt,
      expiresAtSeconds: nowSeconds + KEPT_SECONDS,
      ...changePlace(id, now.toISOString()),
    };
    const names = Object.keys(fields);
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: formerKey(id),
        UpdateExpression: `SET ${names.map((field) => `#${field} = :${field}`).join(", ")}`,
        ExpressionAttributeNames: Object.fromEntries(names.map((field) => [`#${field}`, field])),
        ExpressionAttributeValues: Object.fromEntries(names.map((field) => [`:${field}`, fields[field]])),
      }),
    );
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
      for (const { pk, name, tags, deletedAt } of page) {
        const id = monitorIdOf(String(pk));
        if (name === undefined) continue; // of an earlier version
        found.set(id, { id, name: String(name), tags: tags as FormerName["tags"], deletedAt: String(deletedAt) });
      }
    return found;
  },
});
export type FormerStore = ReturnType<typeof createFormerStore>;
