/**
 * Places monitors in shards of up to 250 members per lane; one that is swept has a shard for itself. Placing increments a shard's member counter on condition
 * that there is room; compaction recounts, which frees the seats of deleted and moved monitors.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { MINUTE_SECONDS } from "../durations.ts";
import { LANES, type Lane, SHARD_CAPACITY } from "../model.ts";
import { shardsPerJob } from "../rules/plan.ts";
import { shardKey, shardName, sweepShardName } from "./keys.ts";
import { pagesOf } from "./read.ts";

export interface Seats {
  readonly shard: string;
  /** Seats taken in this shard: at least one, maybe fewer than asked for. */
  readonly count: number;
  /** Whether dispatch has never planned one of these locations for the shard: invoke it, or wait up to a minute. */
  readonly isUnplanned: boolean;
}

/**
 * The second within its interval at which a shard is due; shards that share a job have the same. Multiples of the
 * golden ratio spread any number of jobs evenly; an offset per lane keeps the first jobs of all lanes apart.
 */
const phaseOf = (lane: Lane, number: number) => {
  const job = Math.floor(number / shardsPerJob(lane));
  return Math.floor(((job * 0.618_033_988_75 + LANES.indexOf(lane) * 0.414_213_562_37) % 1) * lane);
};

/** Sweeps begin at whole minutes, so that slices of several which are due together share a job. */
const sweepPhaseOf = (lane: Lane, number: number) =>
  Math.floor((((number + 1) * 0.618_033_988_75) % 1) * (lane / MINUTE_SECONDS)) * MINUTE_SECONDS;

interface Kind {
  readonly capacity: number;
  readonly name: (lane: Lane, number: number) => string;
  readonly phase: (lane: Lane, number: number) => number;
}
const CHECKED: Kind = { capacity: SHARD_CAPACITY, name: shardName, phase: phaseOf };
const SWEPT: Kind = { capacity: 1, name: sweepShardName, phase: sweepPhaseOf };

/** @param item the shard's item after the write that added these locations */
const isUnplanned = (item: Record<string, unknown> | undefined, locations: readonly string[]) => {
  const planned = (item?.planned ?? {}) as Record<string, number>;
  return locations.some((location) => planned[location] === undefined);
};

export const createShardStore = (client: DynamoDBDocumentClient, tableName: string) => {
  const numberedMembers = async (lane: Lane, { name }: Kind) => {
    const prefix = name(lane, 0).slice(0, -1);
    const members = new Map<number, number>();
    const pages = pagesOf(client, {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :lane)",
      ExpressionAttributeValues: { ":pk": "SHARD", ":lane": prefix },
      ProjectionExpression: "sk, members",
      ConsistentRead: true,
    });
    for await (const page of pages)
      for (const { sk, members: count } of page)
        members.set(Number(String(sk).slice(prefix.length)), Number(count ?? 0));
    return members; // those of the other kind have no number
  };

  /** Takes seats in one shard. @returns undefined if a concurrent write has taken them */
  const take = async (
    lane: Lane,
    number: number,
    count: number,
    locations: readonly string[],
    { name, phase, capacity }: Kind,
  ) => {
    const shard = name(lane, number);
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: shardKey(shard),
          UpdateExpression:
            "SET phase = if_not_exists(phase, :phase) ADD members :count, locations :locations, settingsRevision :one",
          ConditionExpression: "attribute_not_exists(members) OR members <= :room",
          ExpressionAttributeValues: {
            ":phase": phase(lane, number),
            ":count": count,
            ":locations": new Set(locations),
            ":room": capacity - count,
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
     * Asks for a sweep now, beside those of the shard's ticks; dispatch plans it. While one of the same settings is under way none is
     * added: two at a time would connect twice as fast as the target bears.
     * @param seconds how long one takes at most
     * @param ended tick of one that is known to have ended sooner
     * @returns tick of the sweep, new or under way
     */
    async askSweep(
      shard: string,
      tick: number,
      {
        settingsVersion,
        seconds,
        ended = 0,
      }: { readonly settingsVersion: number; readonly seconds: number; readonly ended?: number },
    ): Promise<number> {
      try {
        await client.send(
          new UpdateCommand({
            TableName: tableName,
            Key: shardKey(shard),
            UpdateExpression: "SET askedTick = :tick, askedVersion = :version",
            ConditionExpression:
              "attribute_not_exists(askedTick) OR askedVersion <> :version OR askedTick = :ended OR NOT askedTick BETWEEN :oldest AND :tick",
            ExpressionAttributeValues: {
              ":tick": tick,
              ":version": settingsVersion,
              ":ended": ended,
              ":oldest": tick - seconds,
            },
          }),
        );
        return tick;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        const { Item } = await client.send(
          new GetCommand({ TableName: tableName, Key: shardKey(shard), ConsistentRead: true }),
        );
        return Number(Item?.askedTick ?? tick);
      }
    },

    /**
     * Invalidates the probes' caches of a shard's members: they read the members again when `settingsRevision` changes,
     * and at every tick for half a minute after that. Adds locations that are new to the shard.
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

    /**
     * Takes up to `wanted` seats in the first shard of the lane with room; creates the shard if necessary.
     * @param isSwept whether they are for monitors that are swept
     */
    async place(lane: Lane, locations: readonly string[], wanted = 1, isSwept = false): Promise<Seats> {
      const kind = isSwept ? SWEPT : CHECKED;
      const members = await numberedMembers(lane, kind);
      for (let number = 0; ; number++) {
        const count = Math.min(wanted, kind.capacity - (members.get(number) ?? 0));
        const seats = count > 0 ? await take(lane, number, count, locations, kind) : undefined;
        if (seats) return seats;
      }
    },
  };
};
export type ShardStore = ReturnType<typeof createShardStore>;
