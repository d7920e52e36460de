/** Writes many items at once (BatchWriteItem), and again those that DynamoDB throttles. */
import { BatchWriteCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/** Limit of BatchWriteItem. */
const ITEMS_PER_WRITE = 25;
/** The pause starts at 50 ms and doubles: 6 s in all, which outlasts a partition split. */
const WRITE_ATTEMPTS = 8;

/** @throws Error if the table goes on throttling (`UnprocessedItems`) */
export async function writeAll(
  client: DynamoDBDocumentClient,
  tableName: string,
  items: readonly Record<string, unknown>[],
  sleep: (ms: number) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += ITEMS_PER_WRITE) {
    let left = items.slice(start, start + ITEMS_PER_WRITE).map((Item) => ({ PutRequest: { Item } }));
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt === WRITE_ATTEMPTS) throw new Error(`${left.length} items of ${tableName} were not taken`);
      if (attempt > 0) await sleep(25 * 2 ** attempt);
      const { UnprocessedItems } = await client.send(new BatchWriteCommand({ RequestItems: { [tableName]: left } }));
      left = (UnprocessedItems?.[tableName] ?? []) as typeof left;
    }
  }
}
