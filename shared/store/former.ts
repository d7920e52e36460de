/**
 * Keeps the placements of deleted monitors. A monitor that is created again with the same key has the same id and
 * history, but outcomes that are not compacted yet are in blocks, which can only be found by the placements.
 */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { Monitor, Placement } from "../model.ts";
import { formerKey, monitorIdOf } from "./keys.ts";
import { readMany, type Waiting } from "./read.ts";

/** Longer than blocks are kept. */
const KEPT_SECONDS = 30 * DAY_SECONDS;

export const createFormerStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => ({
  /**
   * Stores a monitor's placements; to be called before its item is deleted. A repeated call only moves the last
   * `toTick`.
   */
  async remember({ id, placements }: Pick<Monitor, "id" | "placements">, now: Date): Promise<void> {
    const nowSeconds = Math.floor(now.getTime() / 1000);
    const ended = placements.map((place) => ({ ...place, toTick: place.toTick ?? nowSeconds }));
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: formerKey(id),
        UpdateExpression: "SET placements = :placements, expiresAtSeconds = :expiresAtSeconds",
        ExpressionAttributeValues: { ":placements": ended, ":expiresAtSeconds": nowSeconds + KEPT_SECONDS },
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
});
export type FormerStore = ReturnType<typeof createFormerStore>;
