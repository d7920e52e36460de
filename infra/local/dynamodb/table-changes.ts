import type { Item, Operation, Store, Table } from "dynalite/db/index.js";
import { indexesPrefix, indexOperations } from "./index-entries.ts";
import { assertSameKeys, assertSameProjections, sameIndexes, type TableDefinition } from "./table-definition.ts";

type Commit = (operations: Operation[]) => Promise<unknown>;

const tableKey = (name: string) => `table~${name}`;

/**
 * Creates the table, or changes the one on disk to the template's definition: indexes are rebuilt when they changed.
 * @throws when the table's own key changed.
 */
export async function prepareTable(store: Store, wanted: TableDefinition, commit: Commit): Promise<void> {
  const stored = (await store.db.get(tableKey(wanted.name))) as Table | undefined;
  if (stored) {
    assertSameKeys(stored, wanted);
    assertSameProjections(stored, wanted);
  }
  const note = (table: TableDefinition) =>
    commit([{ type: "put", key: tableKey(wanted.name), value: description(table, stored) }]);
  if (!stored || !sameIndexes(stored, wanted)) {
    // A start that is cut short here leaves a table without indexes, so that the next start rebuilds them.
    await note({ ...wanted, indexes: [] });
    await buildIndexes(store, wanted, commit);
  }
  await note(wanted);
}

function description(
  table: TableDefinition,
  stored: (Table & { CreationDateTime?: number }) | undefined,
): Table & Record<string, unknown> {
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableStatus: "ACTIVE",
    CreationDateTime: stored?.CreationDateTime ?? Date.now() / 1_000,
    AttributeDefinitions: [...table.attributes],
    KeySchema: [...table.keys],
    BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
    ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 },
    ItemCount: 0,
    TableSizeBytes: 0,
    ...(table.indexes.length > 0 ? { GlobalSecondaryIndexes: [...table.indexes] } : {}),
  };
}

async function buildIndexes(store: Store, table: TableDefinition, commit: Commit): Promise<void> {
  const all = indexesPrefix(table.name);
  await store.db.clear({ gt: all, lt: `${all}\x7f` });
  const shape = description(table, undefined);
  const items = `item-${table.name}~`;
  const iterator = store.db.values({ gt: items, lt: `${items}\x7f` });
  for (let page = await iterator.nextv(500); page.length > 0; page = await iterator.nextv(500)) {
    await commit(page.flatMap((item) => indexOperations(shape, undefined, item as Item)));
  }
  await iterator.close();
}
