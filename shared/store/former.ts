/**
 * Where the outcomes of a deleted monitor lie. One that is created again by the same key has the same id and so the same
 * history, but until compact has been there its outcomes are in blocks, which only `placements` lead to.
 */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import type { Monitor, Placement } from "../model.ts";
import { formerKey, monitorIdOf } from "./keys.ts";
import { readMany, type Waiting } from "./read.ts";

/** Longer than blocks are kept: after that there is nothing left to lead to. */
const KEPT_SECONDS = 30 * DAY_SECONDS;

export const createFormerStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => ({
  /** To be called before a monitor's item is removed. Doing it twice changes nothing but the last moment. */
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

  /** All ended, oldest first, by id; an id that nobody had is absent. */
  async recall(ids: readonly string[]): Promise<Map<string, readonly Placement[]>> {
    const found = new Map<string, readonly Placement[]>();
    for await (const page of readMany(client, tableName, ids.map(formerKey), { ConsistentRead: true }, waiting))
      for (const { pk, placements } of page) found.set(monitorIdOf(String(pk)), placements as readonly Placement[]);
    return found;
  },
});
export type FormerStore = ReturnType<typeof createFormerStore>;
