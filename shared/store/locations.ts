/**
 * Health of locations. `LOCATION` holds the heartbeat that the probe writes every minute, and the stalls that dispatch
 * finds. `STATE` holds the condition that was announced, with an outbox; it is an item of its own, so that heartbeats
 * do not invoke state-change.
 */
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { LocationHealth, LocationNews, OutboxContent, Timestamp } from "../model.ts";
import { CLOCK_TOLERANCE_SECONDS, isPlausible } from "../rules/clock-skew.ts";
import { pending, sequenceFrom } from "../rules/outbox.ts";
import { SILENT_AFTER_SECONDS } from "../rules/quorum.ts";
import { unlessRaced } from "./condition.ts";
import { mustLook } from "./due.ts";
import { locationKey, locationStateKey } from "./keys.ts";

const fromItem = ({ sk, ...item }: Record<string, unknown>): LocationHealth => ({
  name: String(sk),
  lastHeartbeatAt: (item.lastHeartbeatAt as string | undefined) ?? null,
  askingSince: (item.askingSince as string | undefined) ?? null,
  offlineSince: (item.offlineSince as string | undefined) ?? null,
  backSince: (item.backSince as string | undefined) ?? null,
  stalled: (item.stalled as LocationHealth["stalled"] | undefined) ?? {},
});

/** The announced condition of a location, and the work that is left to do because of it. */
export interface LocationState {
  readonly name: string;
  /** The condition that was announced last; null before the first. */
  readonly condition: LocationNews | null;
  /** When the condition was announced. */
  readonly since: Timestamp | null;
  /** Shards whose monitors still have to be decided again because of the condition. */
  readonly toNudge: readonly string[];
  /** Whether the monitors whose status became unknown have been counted for this condition. */
  readonly isCounted: boolean;
  /** Optimistic lock of everything but `toNudge`, whose lock is `nudgeRound`. */
  readonly revision: number;
  /** Changes whenever shards are added to `toNudge`. */
  readonly nudgeRound: number;
  readonly hasOutbox: boolean;
}

export interface News {
  readonly condition?: LocationNews;
  /** Message for the operator. */
  readonly message?: { readonly key: string; readonly content: OutboxContent };
  readonly toNudge?: readonly string[];
  readonly isCounted?: boolean;
}

/**
 * Whether a heartbeat ends a silence, or has to correct a `backSince` that lies in the future.
 * @param last its previous plausible heartbeat
 */
const isBack = (health: LocationHealth | undefined, last: Timestamp | null, now: Date): boolean => {
  const { askingSince = null, backSince = null } = health ?? {};
  if (backSince && !isPlausible(Date.parse(backSince), now)) return true;
  if (!last) return false;
  // Silence counts only from when heartbeats were requested.
  const expectedMs = Math.max(Date.parse(last), askingSince ? Date.parse(askingSince) : 0);
  // Measured by the clock: after a silence the queued jobs arrive together, and the times at which they were made are
  // close.
  return now.getTime() - expectedMs > SILENT_AFTER_SECONDS * 1000;
};

export const createLocationStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const get = async (name: string): Promise<LocationHealth | undefined> => {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: locationKey(name), ConsistentRead: true }),
    );
    return Item && fromItem(Item);
  };

  const update = (
    Key: Record<string, string>,
    UpdateExpression: string,
    ConditionExpression?: string,
    values: Record<string, unknown> = {},
    ExpressionAttributeNames?: Record<string, string>,
  ) =>
    unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key,
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeNames,
          ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
        }),
      ),
    );

  return {
    /** All locations that heartbeats were ever requested from. */
    async all(): Promise<LocationHealth[]> {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": "LOCATION" },
          ConsistentRead: true,
        }),
      );
      return Items.map(fromItem);
    },

    get,

    /**
     * Notes that a heartbeat is requested. After a pause of more than `pauseSeconds`, or clock skew, `askingSince`
     * starts anew: without requests there can be no heartbeats.
     */
    async ask(name: string, now: Date, pauseSeconds: number): Promise<void> {
      const at = now.toISOString();
      const recent = new Date(now.getTime() - pauseSeconds * 1000).toISOString();
      const latest = new Date(now.getTime() + CLOCK_TOLERANCE_SECONDS * 1000).toISOString();
      const isAsked = await update(
        locationKey(name),
        "SET lastAskedAt = :at",
        "lastAskedAt BETWEEN :recent AND :latest AND askingSince <= :latest",
        { ":at": at, ":recent": recent, ":latest": latest },
      );
      if (!isAsked)
        await update(locationKey(name), "SET lastAskedAt = :at, askingSince = :at", undefined, { ":at": at });
    },

    /**
     * Stores a heartbeat. It never moves backwards, however late its job ran, unless the previous one lies in the
     * future. After a silence, or when the control targets answer again, sets `backSince`.
     * @param askedAt when the job was made
     * @param isOnline whether the control targets answer; asked only while the location is offline
     */
    async beat(name: string, askedAt: Date, now: Date, isOnline = async () => false): Promise<void> {
      const atMs = Math.min(askedAt.getTime(), now.getTime());
      const at = new Date(atMs).toISOString();
      for (;;) {
        const health = await get(name);
        const { lastHeartbeatAt, offlineSince } = health ?? { lastHeartbeatAt: null, offlineSince: null };
        const last = lastHeartbeatAt && isPlausible(Date.parse(lastHeartbeatAt), now) ? lastHeartbeatAt : null;
        if (last && last >= at) return;
        const isOnlineAgain = offlineSince !== null && (await isOnline());
        // Back from now, not from when the job was made: outcomes in between may be from before the network came back.
        const backSince = isOnlineAgain ? now.toISOString() : isBack(health, last, now) ? at : null;
        const conditions = [
          lastHeartbeatAt ? "lastHeartbeatAt = :last" : "attribute_not_exists(lastHeartbeatAt)",
          ...(isOnlineAgain ? ["offlineSince = :offline"] : []),
        ];
        const isStored = await update(
          locationKey(name),
          `SET lastHeartbeatAt = :at${backSince ? ", backSince = :back" : ""}${isOnlineAgain ? " REMOVE offlineSince" : ""}`,
          conditions.join(" AND "),
          {
            ":at": at,
            ...(backSince && { ":back": backSince }),
            ...(lastHeartbeatAt && { ":last": lastHeartbeatAt }),
            ...(isOnlineAgain && { ":offline": offlineSince }),
          },
        );
        if (isStored) return;
      }
    },

    /** Notes that no control target answers; an earlier `offlineSince` is kept. */
    async setOffline(name: string, since: string): Promise<void> {
      await update(locationKey(name), "SET offlineSince = if_not_exists(offlineSince, :since)", undefined, {
        ":since": since,
      });
    },

    /** Stores the stalls of a location. No lock: only dispatch writes them, and its runs do not overlap. */
    async setStalled(name: string, stalled: LocationHealth["stalled"]): Promise<void> {
      await update(locationKey(name), "SET stalled = :stalled", undefined, { ":stalled": stalled });
    },

    async state(name: string): Promise<LocationState> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: locationStateKey(name), ConsistentRead: true }),
      );
      return {
        name,
        condition: (Item?.condition as LocationNews | undefined) ?? null,
        since: (Item?.since as string | undefined) ?? null,
        toNudge: [...((Item?.toNudge as Set<string> | undefined) ?? [])].toSorted(),
        isCounted: Item?.isCounted === true,
        revision: Number(Item?.revision ?? 0),
        nudgeRound: Number(Item?.nudgeRound ?? 0),
        hasOutbox: Item?.pendingAlerts !== undefined,
      };
    },

    /**
     * Stores news of a location, and adds its message to the outbox, in one write.
     * @returns false when the state changed since it was read
     */
    async announce(
      { name, revision, hasOutbox }: LocationState,
      { condition, message, toNudge = [], isCounted = condition ? false : undefined }: News,
      now: Date,
    ): Promise<boolean> {
      const { pk, sk } = locationStateKey(name);
      if (message && !hasOutbox)
        await update({ pk, sk }, "SET pendingAlerts = if_not_exists(pendingAlerts, :none)", undefined, { ":none": {} });
      const look = mustLook(pk, now.getTime());
      const entry = message && pending(message.content, ["system"], sequenceFrom(revision)(), now.toISOString());
      return update(
        { pk, sk },
        `SET ${[
          "revision = :next",
          ...(isCounted === undefined ? [] : ["isCounted = :counted"]),
          ...(toNudge.length > 0 ? ["nudgeRound = :next"] : []),
          ...(condition ? ["#condition = :condition, since = :now"] : []),
          ...(entry ? ["pendingAlerts.#entry = :entry", look.set] : []),
        ].join(", ")}${toNudge.length > 0 ? " ADD toNudge :shards" : ""}`,
        revision > 0 ? "revision = :read" : "attribute_not_exists(revision)",
        {
          ":next": revision + 1,
          ...(isCounted !== undefined && { ":counted": isCounted }),
          ...(revision > 0 && { ":read": revision }),
          ...(condition && { ":condition": condition, ":now": now.toISOString() }),
          ...(entry && { ":entry": entry, ...look.values }),
          ...(toNudge.length > 0 && { ":shards": new Set(toNudge) }),
        },
        condition || message
          ? { ...(condition && { "#condition": "condition" }), ...(message && { "#entry": message.key }) }
          : undefined,
      );
    },

    /** Notes that the monitors of a shard have been nudged, unless there was further news meanwhile. */
    nudged: ({ name, nudgeRound }: LocationState, shard: string): Promise<boolean> =>
      update(locationStateKey(name), "DELETE toNudge :shards", "nudgeRound = :round", {
        ":shards": new Set([shard]),
        ":round": nudgeRound,
      }),
  };
};
export type LocationStore = ReturnType<typeof createLocationStore>;
