/** What the probe reads and writes of monitors: what to check, and what its location believes. */
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import type { CheckSettings, Placement, View } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";

/** A monitor as far as the probe needs it. */
export interface Member extends CheckSettings {
  readonly id: string;
  readonly locations: readonly string[];
  readonly paused: boolean;
  readonly settingsVersion: number;
  readonly settingsChangedAt: string;
  readonly placements: readonly Placement[];
  readonly deletedAt: string | null;
}

const BATCH = 100;

export const createViewStore = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** All monitors of a shard; eventually consistent. */
  async members(shard: string): Promise<Member[]> {
    const members: Member[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "by-shard",
          KeyConditionExpression: "#shard = :shard",
          ExpressionAttributeNames: { "#shard": "shard" },
          ExpressionAttributeValues: { ":shard": shard },
          ExclusiveStartKey: from,
        }),
      );
      for (const item of page.Items ?? []) members.push(item as unknown as Member);
      from = page.LastEvaluatedKey;
    } while (from);
    return members;
  },

  async member(id: string): Promise<Member | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: monitorKey(id), ConsistentRead: true }),
    );
    return Item as Member | undefined;
  },

  /** The present views of one location, read consistently. A monitor that is gone, or has no view yet, is absent. */
  async views(ids: readonly string[], location: string): Promise<Map<string, View>> {
    const views = new Map<string, View>();
    for (let start = 0; start < ids.length; start += BATCH) {
      let keys: Record<string, unknown>[] = ids.slice(start, start + BATCH).map(monitorKey);
      while (keys.length > 0) {
        const { Responses, UnprocessedKeys } = await client.send(
          new BatchGetCommand({
            RequestItems: {
              [tableName]: {
                Keys: keys,
                ConsistentRead: true,
                ProjectionExpression: "pk, #views.#location",
                ExpressionAttributeNames: { "#views": "views", "#location": location },
              },
            },
          }),
        );
        for (const { pk, views: found } of Responses?.[tableName] ?? [])
          if (found?.[location]) views.set(monitorIdOf(pk), found[location] as View);
        keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
      }
    }
    return views;
  },

  /**
   * Stores a view, unless the monitor is gone, checks something else by now, or has a newer view. A spot check only
   * fills an empty place.
   * @returns whether it was stored
   */
  async save(
    id: string,
    settingsVersion: number,
    location: string,
    view: View,
    { onlyIfEmpty = false }: { onlyIfEmpty?: boolean } = {},
  ): Promise<boolean> {
    const fresh = onlyIfEmpty
      ? "attribute_not_exists(#views.#location)"
      : "(attribute_not_exists(#views.#location) OR #views.#location.tick < :tick)";
    return unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: monitorKey(id),
          UpdateExpression: "SET #views.#location = :view ADD revision :one",
          ConditionExpression: `attribute_exists(pk) AND settingsVersion = :version AND ${fresh}`,
          ExpressionAttributeNames: { "#views": "views", "#location": location },
          ExpressionAttributeValues: {
            ":view": view,
            ":one": 1,
            ":version": settingsVersion,
            ...(!onlyIfEmpty && { ":tick": view.tick }),
          },
        }),
      ),
    );
  },
});
export type ViewStore = ReturnType<typeof createViewStore>;
