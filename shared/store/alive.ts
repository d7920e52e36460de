/**
 * Reading what expires. DynamoDB deletes within days of `expiresAtSeconds`, not at it; so reads leave out what is due.
 */
import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from "@aws-sdk/lib-dynamodb";

type Item = Record<string, unknown>;

export const createAliveReader = (client: DynamoDBDocumentClient, tableName: string, now: () => number) => {
  const isAlive = (item: Item | undefined): item is Item =>
    item !== undefined && !(typeof item.expiresAtSeconds === "number" && item.expiresAtSeconds <= now() / 1000);

  /** What is alive in a range of one partition, page by page. */
  async function* query(input: Omit<QueryCommandInput, "TableName">): AsyncGenerator<Item> {
    let from: Item | undefined;
    do {
      const page = await client.send(new QueryCommand({ TableName: tableName, ...input, ExclusiveStartKey: from }));
      yield* (page.Items ?? []).filter(isAlive);
      from = page.LastEvaluatedKey;
    } while (from);
  }

  return { isAlive, query };
};
export type AliveReader = ReturnType<typeof createAliveReader>;
