/**
 * Seats for monitors: shards of up to 250 members per lane. Members are counted up here, on a condition, and recounted
 * by compaction; seats of deleted or moved monitors come free with that recount.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { LANES, type Lane, SHARD_CAPACITY } from "../model.ts";
import { shardsPerJob } from "../rules/plan.ts";
import { shardKey, shardName } from "./keys.ts";
import { pagesOf } from "./read.ts";

export interface Seats {
  readonly shard: string;
  /** How many of the seats asked for this shard gave: at least one. */
  readonly count: number;
  /** Whether dispatch has never planned one of these locations there: it has to be told, or they wait for a minute. */
  readonly isUnplanned: boolean;
}

/**
 * The second within its interval at which a shard is due, the same for those that share a job. Multiples of the golden
 * ratio spread any number of jobs evenly; the lane's own offset keeps the first ones of all lanes from meeting.
 */
const phaseOf = (lane: Lane, number: number) => {
  const job = Math.floor(number / shardsPerJob(lane));
  return Math.floor(((job * 0.618_033_988_75 + LANES.indexOf(lane) * 0.414_213_562_37) % 1) * lane);
};

/** @param item of the shard, as the write that named these locations left it */
const isUnplanned = (item: Record<string, unknown> | undefined, locations: readonly string[]) => {
  const planned = (item?.planned ?? {}) as Record<string, number>;
  return locations.some((location) => planned[location] === undefined);
};

export const createShardStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const numberedMembers = async (lane: Lane) => {
    const members = new Map<number, number>();
    const pages = pagesOf(client, {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :lane)",
      ExpressionAttributeValues: { ":pk": "SHARD", ":lane": `${lane}#` },
      ProjectionExpression: "sk, members",
      ConsistentRead: true,
    });
    for await (const page of pages)
      for (const { sk, members: count } of page)
        members.set(Number(String(sk).slice(`${lane}#`.length)), Number(count ?? 0));
    return members;
  };

  /** Takes seats in one shard. @returns undefined when somebody else took them first. */
  const take = async (lane: Lane, number: number, count: number, locations: readonly string[]) => {
    const shard = shardName(lane, number);
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: shardKey(shard),
          UpdateExpression:
            "SET phase = if_not_exists(phase, :phase) ADD members :count, locations :locations, settingsRevision :one",
          ConditionExpression: "attribute_not_exists(members) OR members <= :room",
          ExpressionAttributeValues: {
            ":phase": phaseOf(lane, number),
            ":count": count,
            ":locations": new Set(locations),
            ":room": SHARD_CAPACITY - count,
            ":one": 1,
          },
          ReturnValues: "ALL_NEW",
        }),
      );
      return { shard, count, isUnplanned: isUnplanned(Attributes, locations) } satisfies Seats;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  };

  return {
    /**
     * Tells the probes that a member's settings change: they remember a shard's members until this number grows, and
     * read them anew for half a minute after that. Adds locations that are new to the shard.
     */
    async settingsChanged(shard: string, locations: readonly string[]): Promise<Pick<Seats, "isUnplanned">> {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: shardKey(shard),
          UpdateExpression: "ADD settingsRevision :one, locations :locations",
          ExpressionAttributeValues: { ":one": 1, ":locations": new Set(locations) },
          ReturnValues: "ALL_NEW",
        }),
      );
      return { isUnplanned: isUnplanned(Attributes, locations) };
    },

    /** Takes up to `wanted` seats in the first shard of the lane that has any, making the shard if need be. */
    async place(lane: Lane, locations: readonly string[], wanted = 1): Promise<Seats> {
      const members = await numberedMembers(lane);
      for (let number = 0; ; number++) {
        const count = Math.min(wanted, SHARD_CAPACITY - (members.get(number) ?? 0));
        const seats = count > 0 ? await take(lane, number, count, locations) : undefined;
        if (seats) return seats;
      }
    },
  };
};
export type ShardStore = ReturnType<typeof createShardStore>;
