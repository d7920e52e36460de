/** Whether blocks come in: the ticks of the newest ones, without reading what is in them. */
import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { blockKey } from "./keys.ts";

/** Ticks that were begun and came to no block stand before the newest block where checks die. */
const UNFINISHED_PER_PAGE = 8;

export const createFreshness = (client: DynamoDBDocumentClient, historyTable: string) => ({
  /** The tick of the newest block from a moment on; undefined without any. Eventually consistent. */
  async newestTick(shard: string, location: string, fromTick: number): Promise<number | undefined> {
    const { pk, sk } = blockKey(shard, location, fromTick);
    let from: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: historyTable,
          KeyConditionExpression: "pk = :pk AND sk >= :sk",
          // A tick that is being run has an item without data.
          FilterExpression: "attribute_exists(#data)",
          ProjectionExpression: "sk",
          ExpressionAttributeNames: { "#data": "data" },
          ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
          ScanIndexForward: false,
          Limit: from ? UNFINISHED_PER_PAGE : 1,
          ExclusiveStartKey: from,
        }),
      );
      const [newest] = page.Items ?? [];
      if (newest) return Number(newest.sk);
      from = page.LastEvaluatedKey;
    } while (from);
    return undefined;
  },
});
export type Freshness = ReturnType<typeof createFreshness>;
