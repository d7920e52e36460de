import type { GroupCommit } from "./group-commit.ts";
import { beginningWith, indexesPrefix } from "./item-keys.ts";
import type { Store } from "./store.ts";
import type { StoredTable } from "./table.ts";
import {
  assertSameKeys,
  assertSameProjections,
  sameIndexes,
  type TableDefinition,
  type TableDescription,
} from "./table-definition.ts";

const tableKey = (name: string) => `table~${name}`;

/** Number of the present form of index entries: indexes of another form are rebuilt. Earlier versions noted none. */
const INDEX_FORM = 2;

/** The table as DescribeTable shows it. */
export const describedIn = (store: Store, name: string) => store.get(tableKey(name)) as TableDescription;

/**
 * Creates the table, or changes the one on disk to the template's definition: indexes are rebuilt when they changed.
 * @throws when the table's own key changed.
 */
export async function prepareTable(store: Store, table: StoredTable, commits: GroupCommit): Promise<void> {
  const wanted = table.definition;
  const stored = store.get(tableKey(wanted.name)) as TableDescription | undefined;
  if (stored) {
    assertSameKeys(stored, wanted);
    assertSameProjections(stored, wanted);
  }
  const note = (definition: TableDefinition) =>
    commits.write([{ type: "put", key: tableKey(wanted.name), value: description(definition, stored) }]);
  if (!stored || stored.IndexForm !== INDEX_FORM || !sameIndexes(stored, wanted)) {
    // A start that is cut short here leaves a table without indexes, so that the next start rebuilds them.
    await note({ ...wanted, indexes: [] });
    await commits.clear(beginningWith(indexesPrefix(wanted.name)));
    if (wanted.indexes.length > 0)
      for await (const items of table.items())
        await commits.write(items.flatMap((item) => table.indexOperations(undefined, item)));
  }
  await note(wanted);
}

function description(table: TableDefinition, stored: TableDescription | undefined): TableDescription {
  return {
    TableName: table.name,
    TableArn: table.arn,
    IndexForm: INDEX_FORM,
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
