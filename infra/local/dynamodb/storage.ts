import { beginningWith, indexPrefix, itemsPrefix } from "./item-keys.ts";
import type { Store } from "./store.ts";
import type { TableDefinition } from "./table-definition.ts";
import { StoredItem, type WireItem } from "./wire.ts";

/** What DynamoDB adds to every item, and to every entry of an index, when it bills storage (pricing page). */
const OVERHEAD_BYTES = 100;

export interface StorageRow {
  readonly table: string;
  /** Null for the table itself. */
  readonly index: string | null;
  readonly items: number;
  /** Billed bytes, overhead included. */
  readonly bytes: number;
}

/** Adds up what is stored, by table and index. Reads everything, so it is for benchmarks and tests. */
export async function measureStorage(store: Store, tables: readonly TableDefinition[]): Promise<StorageRow[]> {
  const measure = async (table: string, index: string | null): Promise<StorageRow> => {
    const prefix = index === null ? itemsPrefix(table) : indexPrefix(table, index);
    let [items, bytes] = [0, 0];
    for await (const page of store.pages(beginningWith(prefix))) {
      items += page.length;
      for (const [, wire] of page) bytes += StoredItem.ofWire(wire as WireItem).size + OVERHEAD_BYTES;
    }
    return { table, index, items, bytes };
  };
  const rows: StorageRow[] = [];
  for (const { name, indexes } of tables) {
    for (const index of [null, ...indexes.map(({ IndexName }) => IndexName)]) rows.push(await measure(name, index));
  }
  return rows;
}
