/**
 * Reads items with a TTL. DynamoDB deletes an expired item days after `expiresAtSeconds`, so reads leave expired items
 * out.
 */
import type { DynamoDBDocumentClient, QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { type Item, pagesOf } from "./read.ts";

/** @param nowMs epoch milliseconds */
export const isAliveAt = ({ expiresAtSeconds }: Item, nowMs: number) =>
  !(typeof expiresAtSeconds === "number" && expiresAtSeconds <= nowMs / 1000);

export const createAliveReader = (client: DynamoDBDocumentClient, tableName: string, now: () => number) => {
  const isAlive = (item: Item | undefined): item is Item => item !== undefined && isAliveAt(item, now());

  /** Queries one partition and yields the items that have not expired. */
  async function* query(input: Omit<QueryCommandInput, "TableName">): AsyncGenerator<Item> {
    for await (const page of pagesOf(client, { TableName: tableName, ...input })) yield* page.filter(isAlive);
  }

  return { isAlive, query };
};
export type AliveReader = ReturnType<typeof createAliveReader>;
