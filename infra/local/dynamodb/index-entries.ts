import type { Index, Item, Operation, Table } from "dynalite/db/index.js";
import dynalite from "dynalite/db/index.js";

const indexPrefix = (table: string, index = "") => `index-global~${table}~${index && `${index}~`}`;

/** Every key of the table's indexes in the store begins with this. */
export const indexesPrefix = (table: string) => indexPrefix(table);

/**
 * Whether the item has an entry in the index: it has all of the index's key attributes, in the right type. Items older
 * than the index may hold another type (a NULL, for example); as in DynamoDB, the index leaves them out.
 */
export const isIndexed = (table: Table, index: Index, item: Item): boolean =>
  index.KeySchema.every(({ AttributeName: name }) => {
    const type = table.AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)!.AttributeType;
    return item[name]?.[type] !== undefined;
  });

/** The changes of the table's indexes when an item changes, is created (no `before`) or deleted (no `after`). */
export function indexOperations(table: Table, before: Item | undefined, after: Item | null): Operation[] {
  return (table.GlobalSecondaryIndexes ?? []).flatMap((index) => {
    const was = before && isIndexed(table, index, before) ? before : undefined;
    const is = after && isIndexed(table, index, after) ? after : null;
    const { deletes, puts } = dynalite.getIndexActions([index], was, is, table);
    const prefix = indexPrefix(table.TableName, index.IndexName);
    return [
      ...deletes.map(({ key }): Operation => ({ type: "del", key: prefix + key })),
      ...puts.map(({ key, item }): Operation => ({ type: "put", key: prefix + key, value: item })),
    ];
  });
}
