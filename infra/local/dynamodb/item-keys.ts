/**
 * Keys of items and index entries in the store. They sort as DynamoDB sorts: the items of a partition lie together, in
 * the order of the UTF-8 bytes of their sort keys. Data folders of earlier versions, which dynalite wrote, have the same keys
 * of items.
 */
import { hash } from "node:crypto";
import type { Document } from "./engine/document.ts";
import type { KeyNames, KeyRange } from "./engine/key-condition-parser.ts";
import type { IndexSchema, ItemKey, TableSchema } from "./engine/schema.ts";

/** Sorts after all keys that begin with the same text: keys are ASCII. */
const LAST = "\x7f";
/** Follows each part of a key. It sorts before the digits. */
const SEPARATOR = "/";

export const itemsPrefix = (table: string) => `item-${table}~`;
/** Every key of the table's indexes in the store begins with this. */
export const indexesPrefix = (table: string) => `index-global~${table}~`;
export const indexPrefix = (table: string, index: string) => `${indexesPrefix(table)}${index}~`;

/** In hexadecimal, which sorts as the bytes do, and keeps the separator out. */
const hexOf = (text: string) => Buffer.from(text, "utf8").toString("hex");

/** dynalite sorts partitions as DynamoDB scans them, by a hash. */
const partitionOf = (key: string) =>
  `${hash("md5", `Outliers${key}`).slice(0, 6)}${SEPARATOR}${hexOf(key)}${SEPARATOR}`;

/** The part of an item's key that follows the table's prefix. */
export const itemSuffix = (schema: TableSchema, { hash: partition, range }: ItemKey): string =>
  partitionOf(partition) + (schema.range === undefined ? "" : hexOf(range) + SEPARATOR);

export const itemKey = (schema: TableSchema, key: ItemKey): string =>
  itemsPrefix(schema.name) + itemSuffix(schema, key);

/** The place of an item's entry in an index: by the index's keys, then by the table's. */
export function entryKey(schema: TableSchema, index: IndexSchema, entry: Document): string {
  const text = (name: string | undefined) => (name === undefined ? "" : hexOf(entry[name] as string) + SEPARATOR);
  const prefix = indexPrefix(schema.name, index.name) + partitionOf(entry[index.hash] as string);
  return prefix + text(index.range) + text(schema.hash) + text(schema.range);
}

/** Keys of the store from one (included) up to another (left out). */
interface Between {
  readonly gte: string;
  readonly lt: string;
}

/** All keys that begin with a text. */
export const beginningWith = (prefix: string): Between => ({ gte: prefix, lt: prefix + LAST });

/** What to read of the store for a query: a key goes on behind its sort key with the separator, which sorts before all digits. */
export function keysOf(prefix: string, names: KeyNames, { hash: partition, low, high }: KeyRange): Between {
  const from = prefix + partitionOf(partition);
  if (names.range === undefined) return beginningWith(from);
  const end = { at: SEPARATOR, after: SEPARATOR + LAST, afterPrefix: LAST };
  return {
    gte: low ? from + hexOf(low.text) + end[low.side] : from,
    lt: high ? from + hexOf(high.text) + end[high.side] : from + LAST,
  };
}

/** What is left of a range after one of its keys. */
export function goingOn({ gte, lt }: Between, after: string, isDescending: boolean): Between {
  if (isDescending) return { gte, lt: after < lt ? after : lt };
  const next = `${after}\0`;
  return { gte: next > gte ? next : gte, lt };
}
