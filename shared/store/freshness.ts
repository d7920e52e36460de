/** Finds the tick of a shard's newest block without reading its data: do checks still store results? */
import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { blockKey } from "./keys.ts";

/** Page size once the newest item is an unfinished tick (claimed, but without a block): more of them may follow. */
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
          // A claimed tick without a block has an item without data.
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
