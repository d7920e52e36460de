/** What the probe reads and writes of monitors: what to check, and what its location believes. */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { CheckSettings, Placement, View } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { unlessRaced } from "./condition.ts";
import { mustLook } from "./due.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import type { StoredBelief } from "./monitor-item.ts";
import { type Item, pagesOf, readMany, type Waiting } from "./read.ts";

const WRITES_AT_ONCE = 32;

/** A monitor as far as the probe needs it. */
export interface Member extends CheckSettings {
  readonly id: string;
  readonly locations: readonly string[];
  readonly paused: boolean;
  readonly settingsVersion: number;
  readonly settingsChangedAt: string;
  readonly placements: readonly Placement[];
  readonly deletedAt: string | null;
  /** By location. */
  readonly beliefs: Readonly<Record<string, StoredBelief>>;
}

/** From the index `members`, or from a whole item. */
const memberOf = ({ pk, check, beliefs, ...item }: Item): Member => {
  const { paused, settingsVersion, settingsChangedAt, placements, deletedAt } = item;
  return {
    ...(check as object),
    id: monitorIdOf(String(pk)),
    beliefs: beliefs ?? {},
    paused,
    settingsVersion,
    settingsChangedAt,
    placements,
    deletedAt,
  } as unknown as Member;
};

export const createViewStore = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => ({
  /** All monitors of a shard; eventually consistent. */
  async members(shard: string): Promise<Member[]> {
    const members: Member[] = [];
    const pages = pagesOf(client, {
      TableName: tableName,
      IndexName: "members",
      KeyConditionExpression: "#shard = :shard",
      ExpressionAttributeNames: { "#shard": "shard" },
      ExpressionAttributeValues: { ":shard": shard },
    });
    for await (const page of pages) members.push(...page.map(memberOf));
    return members;
  },

  /** Read consistently. A monitor that is gone is left out. */
  async membersById(ids: readonly string[]): Promise<Member[]> {
    const members: Member[] = [];
    const pages = readMany(client, tableName, ids.map(monitorKey), { ConsistentRead: true }, waiting);
    for await (const page of pages) members.push(...page.map(memberOf));
    return members;
  },

  /**
   * The present views of one location, read consistently. A monitor that is gone, or has no view yet, is absent.
   */
  async views(ids: readonly string[], location: string): Promise<Map<string, View>> {
    const views = new Map<string, View>();
    const onlyViews = {
      ProjectionExpression: "pk, #views.#location",
      ExpressionAttributeNames: { "#views": "views", "#location": location },
      ConsistentRead: true,
    };
    for await (const page of readMany(client, tableName, ids.map(monitorKey), onlyViews, waiting))
      for (const { pk, views: found } of page) {
        const view = (found as Record<string, View> | undefined)?.[location];
        if (view) views.set(monitorIdOf(String(pk)), view);
      }
    return views;
  },

  /**
   * Stores a view, unless the monitor is gone, paused, checks something else by now, or has a newer view. A spot check
   * only fills an empty place.
   * @param now epoch milliseconds
   * @param replaces tick of a view from the future, which a clock that was ahead left, or of the fence that this run put
   *   up: what stands there gives way, and nothing else
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
      : "(attribute_not_exists(#views.#location) OR #beliefs.#location.tick < :tick OR #beliefs.#location.tick = :replaces)";
    const { pk, sk } = monitorKey(id);
    const look = mustLook(pk, now);
    return unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { pk, sk },
          UpdateExpression: `SET #views.#location = :view, #beliefs.#location = :belief, ${look.set} ADD revision :one`,
          ConditionExpression: `attribute_exists(pk) AND settingsVersion = :version AND paused = :false AND deletedAt = :null AND ${fresh}`,
          ExpressionAttributeNames: { "#views": "views", "#beliefs": "beliefs", "#location": location },
          ExpressionAttributeValues: {
            ":belief": { health: view.health, tick: view.tick } satisfies StoredBelief,
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

  /**
   * Refuses views of ticks before this one, and of other runs at it: a process that was frozen, or a request that is still
   * on its way, may try to store one minutes later.
   * @param tick of the run that puts the fence up; it stores its own views with `replaces: tick`
   * @returns ids of the monitors that have one now; those without a view need none
   */
  async fence(ids: readonly string[], location: string, tick: number): Promise<Set<string>> {
    const fenced = new Set<string>();
    await inParallel(ids, WRITES_AT_ONCE, async (id) => {
      const isDone = await unlessRaced(
        client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: monitorKey(id),
            UpdateExpression: "SET #beliefs.#location.tick = :tick",
            ConditionExpression:
              "#beliefs.#location.tick < :tick OR (#beliefs.#location.tick = :tick AND #views.#location.tick <> :tick)",
            ExpressionAttributeNames: { "#views": "views", "#beliefs": "beliefs", "#location": location },
            ExpressionAttributeValues: { ":tick": tick },
          }),
        ),
      );
      if (isDone) fenced.add(id);
    });
    return fenced;
  },
});
export type ViewStore = ReturnType<typeof createViewStore>;
