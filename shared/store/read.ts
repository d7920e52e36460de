/** Reads many items: all pages of a query, or all items of a list of keys (BatchGetItem with backoff). */
import { setTimeout } from "node:timers/promises";
import type { KeysAndAttributes } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/lib-dynamodb";
import type { ItemKey } from "../model.ts";
import { chunksOf } from "../rules/plan.ts";

export type Item = Record<string, unknown>;

/** How a store waits; replaced in tests and simulations. */
export interface Waiting {
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Limit of BatchGetItem. */
const KEYS_PER_READ = 100;
/** Pause before the first retry of throttled keys (`UnprocessedKeys`); it doubles each time. */
const FIRST_PAUSE_MS = 25;
const ATTEMPTS = 9;

/** Yields the pages of a query that are not empty. */
export async function* pagesOf(client: DynamoDBDocumentClient, input: QueryCommandInput): AsyncGenerator<Item[]> {
  let from: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(new QueryCommand({ ...input, ExclusiveStartKey: from }));
    if (Items.length > 0) yield Items;
    from = LastEvaluatedKey;
  } while (from);
}

/**
 * Reads any number of items by their keys, page by page and in no order; missing ones are left out. A key may be named more than once
 * (DynamoDB refuses that), and its item comes once.
 * @throws Error if the table goes on throttling
 */
export async function* readMany(
  client: DynamoDBDocumentClient,
  tableName: string,
  keys: readonly ItemKey[],
  how: Omit<KeysAndAttributes, "Keys">,
  { sleep = setTimeout }: Waiting = {},
): AsyncGenerator<Item[]> {
  const unique = [...new Map(keys.map((key) => [JSON.stringify([key.pk, key.sk]), key])).values()];
  for (const some of chunksOf(unique, KEYS_PER_READ)) {
    let left: Item[] = some.map(({ pk, sk }) => ({ pk, sk }));
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt === ATTEMPTS) throw new Error(`${left.length} items of ${tableName} were not given`);
      if (attempt > 0) await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { ...how, Keys: left } } }),
      );
      yield Responses?.[tableName] ?? [];
      left = UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
  }
}
