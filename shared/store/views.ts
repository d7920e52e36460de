/** Store of the probe: reads a shard's members, reads and writes their views from one location. */
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { CheckSettings, Placement, View } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { unlessRaced } from "./condition.ts";
import { mustLook } from "./due.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import type { StoredBelief } from "./monitor-item.ts";
import { type Item, pagesOf, readMany, type Waiting } from "./read.ts";

const WRITES_AT_ONCE = 32;

/** The fields of a monitor that the probe needs. */
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

/** A view as the table holds it. */
export interface StoredView extends View {
  /** Tick of a fence in place of the view's own: what replaces the view must be newer. */
  readonly fence?: number;
}

/** Maps an entry of the index `members`, or a whole item. */
const memberOf = ({ pk, check, beliefs, ...item }: Item): Member => {
  const { paused, settingsVersion, settingsChangedAt, placements, deletedAt } = item;
  return {
    degradedAboveMsByLocation: {},
    errorRate: null,
    unusual: null,
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

  /** Strongly consistent. Missing monitors are left out. */
  async membersById(ids: readonly string[]): Promise<Member[]> {
    const members: Member[] = [];
    const pages = readMany(client, tableName, ids.map(monitorKey), { ConsistentRead: true }, waiting);
    for await (const page of pages) members.push(...page.map(memberOf));
    return members;
  },

  /**
   * Views from one location by monitor id, strongly consistent. Missing monitors, and those without a view, are absent.
   */
  async views(ids: readonly string[], location: string): Promise<Map<string, StoredView>> {
    const views = new Map<string, StoredView>();
    const onlyViews = {
      ProjectionExpression: "pk, #views.#location, #beliefs.#location",
      ExpressionAttributeNames: { "#views": "views", "#beliefs": "beliefs", "#location": location },
      ConsistentRead: true,
    };
    for await (const page of readMany(client, tableName, ids.map(monitorKey), onlyViews, waiting))
      for (const { pk, views: found, beliefs } of page) {
        const view = (found as Record<string, View> | undefined)?.[location];
        const fence = (beliefs as Record<string, StoredBelief> | undefined)?.[location]?.tick ?? view?.tick;
        if (view) views.set(monitorIdOf(String(pk)), fence === view.tick ? view : { ...view, fence });
      }
    return views;
  },

  /**
   * Stores a view, unless the monitor is deleted or paused, its settings version has changed, or it has a newer view.
   * @param onlyIfEmpty for spot checks: stores only if there is no view yet
   * @param now epoch milliseconds
   * @param replaces tick that may be replaced although it is not older: of a view or fence from the future (clock skew),
   *   or of the fence that this run put up
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
