import type { Item, Level } from "dynalite/db/index.js";
import { itemSize } from "./item-size.ts";
import type { TableDefinition } from "./table-definition.ts";

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
export async function measureStorage(level: Level, tables: readonly TableDefinition[]): Promise<StorageRow[]> {
  const measure = async (table: string, index: string | null): Promise<StorageRow> => {
    const prefix = index === null ? `item-${table}~` : `index-global~${table}~${index}~`;
    const values = level.values({ gt: prefix, lt: `${prefix}\x7f` });
    let [items, bytes] = [0, 0];
    for (let page = await values.nextv(500); page.length > 0; page = await values.nextv(500)) {
      items += page.length;
      for (const item of page) bytes += itemSize(item as Item) + OVERHEAD_BYTES;
    }
    await values.close();
    return { table, index, items, bytes };
  };
  const rows: StorageRow[] = [];
  for (const { name, indexes } of tables) {
    for (const index of [null, ...indexes.map(({ IndexName }) => IndexName)]) rows.push(await measure(name, index));
  }
  return rows;
}
