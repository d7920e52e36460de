/** What the probe reads and writes of monitors: what to check, and what its location believes. */
import type { KeysAndAttributes } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, type DynamoDBDocumentClient, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { CheckSettings, Placement, View } from "../model.ts";
import { chunksOf } from "../rules/plan.ts";
import { unlessRaced } from "./condition.ts";
import { mustLook } from "./due.ts";
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

/** DynamoDB takes 100 keys in one read. */
const KEYS_PER_READ = 100;

/** Items of monitors, however many, read consistently unless said otherwise, in no order. */
async function* readAll(
  client: DynamoDBDocumentClient,
  tableName: string,
  ids: readonly string[],
  projection: Pick<KeysAndAttributes, "ProjectionExpression" | "ExpressionAttributeNames" | "ConsistentRead"> = {},
): AsyncGenerator<Record<string, unknown>> {
  for (const some of chunksOf(ids, KEYS_PER_READ)) {
    let keys: Record<string, unknown>[] = some.map(monitorKey);
    while (keys.length > 0) {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true, ...projection } } }),
      );
      yield* Responses?.[tableName] ?? [];
      keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
  }
}

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

  /** Read consistently. A monitor that is gone is left out. */
  async membersById(ids: readonly string[]): Promise<Member[]> {
    return (await Array.fromAsync(readAll(client, tableName, ids))) as unknown as Member[];
  },

  /**
   * The present views of one location, read consistently. A monitor that is gone, or has no view yet, is absent.
   * @param isHint a view that is a second old will do, at half the price
   */
  async views(
    ids: readonly string[],
    location: string,
    { isHint = false }: { isHint?: boolean } = {},
  ): Promise<Map<string, View>> {
    const views = new Map<string, View>();
    const onlyViews = {
      ProjectionExpression: "pk, #views.#location",
      ExpressionAttributeNames: { "#views": "views", "#location": location },
      ConsistentRead: !isHint,
    };
    for await (const { pk, views: found } of readAll(client, tableName, ids, onlyViews)) {
      const view = (found as Record<string, View> | undefined)?.[location];
      if (view) views.set(monitorIdOf(String(pk)), view);
    }
    return views;
  },

  /**
   * Stores a view, unless the monitor is gone, paused, checks something else by now, or has a newer view. A spot check
   * only fills an empty place.
   * @param now epoch milliseconds
   * @param replaces tick of a view from the future, which a clock that was ahead left: it gives way, and no other
   * @returns whether it was stored
   */
  async save(
    id: string,
    settingsVersion: number,
    location: string,
    view: View,
    now: number,
    { onlyIfEmpty = false, replaces }: { onlyIfEmpty?: boolean; replaces?: number | undefined } = {},
  ): Promise<boolean> {
    const fresh = onlyIfEmpty
      ? "attribute_not_exists(#views.#location)"
      : "(attribute_not_exists(#views.#location) OR #views.#location.tick < :tick OR #views.#location.tick = :replaces)";
    const { pk, sk } = monitorKey(id);
    const look = mustLook(pk, now);
    return unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { pk, sk },
          UpdateExpression: `SET #views.#location = :view, ${look.set} ADD revision :one`,
          ConditionExpression: `attribute_exists(pk) AND settingsVersion = :version AND paused = :false AND deletedAt = :null AND ${fresh}`,
          ExpressionAttributeNames: { "#views": "views", "#location": location },
          ExpressionAttributeValues: {
            ":view": view,
            ":one": 1,
            ":version": settingsVersion,
            ":false": false,
            ":null": null,
            ...look.values,
            ...(!onlyIfEmpty && {
              ":tick": view.tick,
              ":replaces": replaces ?? null,
            }),
          },
        }),
      ),
    );
  },
});
export type ViewStore = ReturnType<typeof createViewStore>;
