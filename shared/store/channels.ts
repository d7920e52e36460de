/**
 * Alert channels that users set up. Secret settings lie in an item of their own, so that only functions that send or
 * write them may read them. A name belongs to one channel: an item for each name says which.
 */
import { createHash } from "node:crypto";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import type { ChannelName } from "../alerts/channels/index.ts";
import { DAY_SECONDS } from "../durations.ts";
import type { ItemKey, Timestamp } from "../model.ts";
import { isAliveAt } from "./alive.ts";
import { unlessRaced } from "./condition.ts";
import type { Page } from "./cursor.ts";
import { channelKey, channelNameKey, channelSecretKey } from "./keys.ts";
import { foldText } from "./listing.ts";

type Settings = Readonly<Record<string, unknown>>;

export interface StoredChannel {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelName;
  /** Without secrets. */
  readonly settings: Settings;
  /** Names of the secret settings that are set. */
  readonly secrets: readonly string[];
  /** Increases with every change. */
  readonly revision: number;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

/** A channel that was deleted, and has to be told the end of incidents whose beginning it was told: a pager would stay open. */
export interface RetiredChannel extends Pick<StoredChannel, "kind" | "settings"> {
  readonly secrets: Settings;
  /** Ids of these incidents. */
  readonly owed: ReadonlySet<string>;
}

/** What is left of a deleted channel goes after this time, whatever it is owed. */
const RETIRED_SECONDS = DAY_SECONDS;

/** A name that is taken by a channel which does not exist is free after this time: its creation has failed. */
const ABANDONED_AFTER_MS = 60_000;

/** Whatever the case and the accents. */
const isSameName = (a: string, b: string) => foldText(a) === foldText(b);
/** By a hash, because a folded name may be longer than a key. */
const nameKey = (name: string) => channelNameKey(createHash("sha256").update(foldText(name)).digest("hex"));

const fromItem = ({ pk: _pk, sk: _sk, ...channel }: Record<string, unknown>) => channel as unknown as StoredChannel;

export const createChannelStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const read = async (key: ItemKey) =>
    (await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }))).Item;
  const put = (item: Record<string, unknown>, condition?: string, values?: Record<string, unknown>) =>
    unlessRaced(
      client.send(
        new PutCommand({
          TableName: tableName,
          Item: item,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
        }),
      ),
    );
  const remove = (key: ItemKey, condition?: string, values?: Record<string, unknown>) =>
    unlessRaced(
      client.send(
        new DeleteCommand({
          TableName: tableName,
          Key: key,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
        }),
      ),
    );

  const get = async (id: string): Promise<StoredChannel | undefined> => {
    const item = await read(channelKey(id));
    return item && fromItem(item);
  };

  /** Secret settings; empty if it has none. */
  const secrets = async (id: string): Promise<Settings> =>
    ((await read(channelSecretKey(id)))?.secrets as Settings | undefined) ?? {};

  /** Takes a name for a channel. @returns false if another channel has it */
  const takeName = async (name: string, id: string, now: Date): Promise<boolean> => {
    const key = nameKey(name);
    const mine = { ...key, channelId: id, takenAt: now.toISOString() };
    if (await put(mine, "attribute_not_exists(pk) OR channelId = :id", { ":id": id })) return true;
    const holder = await read(key);
    if (!holder) return put(mine, "attribute_not_exists(pk)");
    const channel = await get(String(holder.channelId));
    const isInUse = channel && isSameName(channel.name, name);
    if (isInUse || now.getTime() - Date.parse(String(holder.takenAt)) < ABANDONED_AFTER_MS) return false;
    return put(mine, "channelId = :holder AND takenAt = :at", { ":holder": holder.channelId, ":at": holder.takenAt });
  };
  const freeName = (name: string, id: string) => remove(nameKey(name), "channelId = :id", { ":id": id });

  /** A later change is not overwritten by an earlier one that was delayed. */
  const putSecrets = ({ id, revision }: StoredChannel, secrets: Settings) =>
    put({ ...channelSecretKey(id), secrets, revision }, "attribute_not_exists(pk) OR revision < :revision", {
      ":revision": revision,
    });

  return {
    get,

    /** Channels by id. */
    async list(limit: number, after?: string): Promise<Page<StoredChannel>> {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: after ? "pk = :pk AND sk > :after" : "pk = :pk",
          ExpressionAttributeValues: { ":pk": channelKey("").pk, ...(after && { ":after": after }) },
          ConsistentRead: true,
          Limit: limit,
        }),
      );
      return { items: Items.map(fromItem), next: LastEvaluatedKey ? String(LastEvaluatedKey.sk) : null };
    },

    secrets,

    /** @returns false if another channel has the name */
    async create(channel: StoredChannel, secrets: Settings, now: Date): Promise<boolean> {
      if (!(await takeName(channel.name, channel.id, now))) return false;
      // Before the channel, which is thus never without them.
      await putSecrets(channel, secrets);
      return put({ ...channelKey(channel.id), ...channel }, "attribute_not_exists(pk)");
    },

    async update(
      before: StoredChannel,
      after: StoredChannel,
      secrets: Settings,
      now: Date,
    ): Promise<"updated" | "changed-meanwhile" | "name-taken"> {
      const isRenamed = !isSameName(before.name, after.name);
      if (isRenamed && !(await takeName(after.name, after.id, now))) return "name-taken";
      const isStored = await put({ ...channelKey(after.id), ...after }, "revision = :revision", {
        ":revision": before.revision,
      });
      // After a lost race the new name stays taken: the winner may have it. If it has not, the name is abandoned.
      if (!isStored) return "changed-meanwhile";
      await putSecrets(after, secrets);
      if (isRenamed) await freeName(before.name, after.id);
      return "updated";
    },

    /**
     * Deletes a channel at once. Its secrets stay while it is owed the end of an incident, a day at most.
     * @param readOwed reads ids of these incidents; called once nothing more can be sent to the channel
     * @returns false if it was changed or deleted meanwhile
     */
    async remove(
      { id, name, kind, settings, revision }: StoredChannel,
      readOwed: () => Promise<ReadonlySet<string>>,
      now: Date,
    ): Promise<boolean> {
      if (!(await remove(channelKey(id), "revision = :revision", { ":revision": revision }))) return false;
      await freeName(name, id);
      const owed = await readOwed();
      if (owed.size === 0) await remove(channelSecretKey(id));
      else {
        const expiresAtSeconds = Math.floor(now.getTime() / 1000) + RETIRED_SECONDS;
        const retired = { kind, settings, secrets: await secrets(id), owed, expiresAtSeconds };
        await put({ ...channelSecretKey(id), ...retired, revision: revision + 1 });
      }
      return true;
    },

    /**
     * What is left of a channel that is gone.
     * @returns undefined if it is owed nothing; `leaving` while that is not known yet
     */
    async retired(id: string, now: Date): Promise<RetiredChannel | "leaving" | undefined> {
      const item = await read(channelSecretKey(id));
      if (item && item.expiresAtSeconds === undefined) return "leaving";
      if (!item?.owed || !isAliveAt(item, now.getTime())) return undefined;
      const { kind, settings, secrets, owed } = item as unknown as RetiredChannel;
      return { kind, settings, secrets, owed };
    },

    /** Notes that a deleted channel is not owed the end of an incident any more. With the last one its secrets go. */
    async settleOwed(id: string, incidentId: string, now: Date): Promise<void> {
      const change = (expression: string, condition: string, values: Record<string, unknown>) =>
        unlessRaced(
          client.send(
            new UpdateCommand({
              TableName: tableName,
              Key: channelSecretKey(id),
              UpdateExpression: expression,
              ConditionExpression: condition,
              ExpressionAttributeValues: values,
            }),
          ),
        );
      await change("DELETE owed :incidents", "attribute_exists(owed)", { ":incidents": new Set([incidentId]) });
      // A set without members does not exist. The expiry shows that the channel was deleted.
      const isNothingOwed = "attribute_exists(expiresAtSeconds) AND attribute_not_exists(owed)";
      await change("SET expiresAtSeconds = :now REMOVE secrets, settings", isNothingOwed, {
        ":now": Math.floor(now.getTime() / 1000),
      });
    },
  };
};
export type ChannelStore = ReturnType<typeof createChannelStore>;
