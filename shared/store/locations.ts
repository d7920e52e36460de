/**
 * How locations are: the heartbeat that the probe writes every minute, and what was made of it (`STATE`, an item of
 * its own with an outbox, so that the heartbeat itself wakes nobody).
 */
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { LocationHealth, LocationNews, PendingAlert } from "../model.ts";
import { unlessRaced } from "./condition.ts";
import { dueBucket, locationKey, locationStateKey } from "./keys.ts";

const fromItem = ({ sk, lastHeartbeatAt, askingSince, offlineSince }: Record<string, unknown>): LocationHealth => ({
  name: String(sk),
  lastHeartbeatAt: (lastHeartbeatAt as string | undefined) ?? null,
  askingSince: (askingSince as string | undefined) ?? null,
  offlineSince: (offlineSince as string | undefined) ?? null,
});

export const createLocationStore = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** All locations that ever had a heartbeat. */
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

  async get(name: string): Promise<LocationHealth | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: locationKey(name), ConsistentRead: true }),
    );
    return Item && fromItem(Item);
  },

  /**
   * Notes that a heartbeat is asked for. After a pause of more than `pauseSeconds` asking begins anew: nobody can have
   * answered meanwhile.
   */
  async ask(name: string, now: Date, pauseSeconds: number): Promise<void> {
    const at = now.toISOString();
    const recent = new Date(now.getTime() - pauseSeconds * 1000).toISOString();
    const isAsked = await unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: locationKey(name),
          UpdateExpression: "SET lastAskedAt = :at",
          ConditionExpression: "lastAskedAt >= :recent",
          ExpressionAttributeValues: { ":at": at, ":recent": recent },
        }),
      ),
    );
    if (isAsked) return;
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: locationKey(name),
        UpdateExpression: "SET lastAskedAt = :at, askingSince = :at",
        ExpressionAttributeValues: { ":at": at },
      }),
    );
  },

  /** A heartbeat never moves backwards, however late its job ran. */
  async beat(name: string, at: string): Promise<void> {
    await unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: locationKey(name),
          UpdateExpression: "SET lastHeartbeatAt = :at",
          ConditionExpression: "attribute_not_exists(lastHeartbeatAt) OR lastHeartbeatAt < :at",
          ExpressionAttributeValues: { ":at": at },
        }),
      ),
    );
  },

  async setOffline(name: string, since: string | null): Promise<void> {
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: locationKey(name),
        ...(since
          ? {
              UpdateExpression: "SET offlineSince = if_not_exists(offlineSince, :since)",
              ExpressionAttributeValues: { ":since": since },
            }
          : { UpdateExpression: "REMOVE offlineSince" }),
      }),
    );
  },

  /** What was last made of a location's health; null before anything was said. */
  async announced(name: string): Promise<LocationNews | null> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: locationStateKey(name), ConsistentRead: true }),
    );
    return (Item?.condition as LocationNews) ?? null;
  },

  /** Stores a new condition together with what people have to be told. @returns false when somebody else did */
  async announce(
    name: string,
    previous: LocationNews | null,
    condition: LocationNews,
    outbox: Readonly<Record<string, PendingAlert>>,
    now: Date,
  ): Promise<boolean> {
    const { pk } = locationStateKey(name);
    const waiting = Object.keys(outbox).length > 0;
    return unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: locationStateKey(name),
          UpdateExpression: `SET #condition = :condition, since = :now, pendingAlerts = :outbox${waiting ? ", nextEvaluationAt = :now, dueBucket = :bucket" : ""} ADD revision :one`,
          ConditionExpression: previous ? "#condition = :previous" : "attribute_not_exists(pk)",
          ExpressionAttributeNames: { "#condition": "condition" },
          ExpressionAttributeValues: {
            ":condition": condition,
            ":now": now.toISOString(),
            ":outbox": outbox,
            ":one": 1,
            ...(previous && { ":previous": previous }),
            ...(waiting && { ":bucket": dueBucket(pk) }),
          },
        }),
      ),
    );
  },
});
export type LocationStore = ReturnType<typeof createLocationStore>;
