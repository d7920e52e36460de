/** Reading many items by their keys, some attributes of each. */
import type { KeysAndAttributes } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { ItemKey } from "../model.ts";
import { chunksOf } from "../rules/plan.ts";

/** DynamoDB takes 100 keys in one read. */
const KEYS_PER_READ = 100;

/** Items of a table, however many, page by page and in no order; those that are gone are left out. */
export async function* readAll(
  client: DynamoDBDocumentClient,
  tableName: string,
  keys: readonly ItemKey[],
  how: Omit<KeysAndAttributes, "Keys">,
): AsyncGenerator<Record<string, unknown>[]> {
  for (const some of chunksOf(keys, KEYS_PER_READ)) {
    let Keys: Record<string, unknown>[] = some.map(({ pk, sk }) => ({ pk, sk }));
    while (Keys.length > 0) {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { ...how, Keys } } }),
      );
      yield Responses?.[tableName] ?? [];
      Keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
  }
}
