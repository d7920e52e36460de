/** What dispatch reads and writes: shards and how far each is planned. */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { laneOf, shardKey } from "./keys.ts";

export interface Shard {
  readonly name: string;
  readonly intervalSeconds: number;
  /** Seconds after a multiple of the interval at which the shard is due. */
  readonly phase: number;
  readonly members: number;
  /** Locations that some member is, or was, checked from. */
  readonly locations: readonly string[];
  /** Ticks up to and including this epoch second have their jobs; undefined before the first plan. */
  readonly plannedUntil: number | undefined;
}

const fromItem = ({ sk, phase, members, locations, plannedUntil }: Record<string, unknown>): Shard => ({
  name: String(sk),
  intervalSeconds: laneOf(String(sk)),
  phase: Number(phase ?? 0),
  members: Number(members ?? 0),
  locations: [...((locations as Set<string> | undefined) ?? [])].toSorted(),
  plannedUntil: plannedUntil === undefined ? undefined : Number(plannedUntil),
});

export const createPlanningStore = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** All shards, page by page. */
  async *shards(): AsyncGenerator<Shard[]> {
    let from: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": "SHARD" },
          ConsistentRead: true,
          ExclusiveStartKey: from,
        }),
      );
      yield (page.Items ?? []).map(fromItem);
      from = page.LastEvaluatedKey;
    } while (from);
  },

  async shard(name: string): Promise<Shard | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: shardKey(name), ConsistentRead: true }),
    );
    return Item && fromItem(Item);
  },

  /** Moves the watermark, unless somebody else did since it was read. @returns whether it moved */
  async advance({ name, plannedUntil }: Shard, until: number): Promise<boolean> {
    try {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: shardKey(name),
          UpdateExpression: "SET plannedUntil = :until",
          ConditionExpression:
            plannedUntil === undefined ? "attribute_not_exists(plannedUntil)" : "plannedUntil = :read",
          ExpressionAttributeValues: { ":until": until, ...(plannedUntil !== undefined && { ":read": plannedUntil }) },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  },
});
export type PlanningStore = ReturnType<typeof createPlanningStore>;
