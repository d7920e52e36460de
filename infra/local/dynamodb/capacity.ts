import type { Index, Item, Table } from "dynalite/db/index.js";
import { isIndexed } from "./index-entries.ts";
import { itemSize } from "./item-size.ts";
import { sameItem } from "./streams.ts";

/** Consumed capacity as in DynamoDB's answers: units of the table and of each index. */
export interface Capacity {
  TableName: string;
  CapacityUnits: number;
  Table?: { CapacityUnits: number };
  GlobalSecondaryIndexes?: Record<string, { CapacityUnits: number }>;
}

const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;

const writeUnits = (...items: (Item | null | undefined)[]) =>
  Math.max(1, ...items.map((item) => (item ? Math.ceil(itemSize(item) / WRITE_UNIT_BYTES) : 0)));

/** Read units of one item by its key; a missing item costs as much as the smallest. */
export function readCapacity(table: string, item: Item | undefined, consistent: boolean): Capacity {
  const blocks = item ? Math.max(1, Math.ceil(itemSize(item) / READ_UNIT_BYTES)) : 1;
  const units = consistent ? blocks : blocks / 2;
  return { TableName: table, CapacityUnits: units, Table: { CapacityUnits: units } };
}

/**
 * Write units of a change: the larger of both images for the table, and for each index the removal of the old entry and
 * the writing of the new one; an unchanged entry costs nothing (Developer Guide, "Write capacity" of global secondary indexes).
 */
export function writeCapacity(table: Table, before: Item | undefined, after: Item | null): Capacity {
  const ofTable = writeUnits(before, after);
  const indexes = Object.fromEntries(
    (table.GlobalSecondaryIndexes ?? [])
      .map((index) => [index.IndexName, { CapacityUnits: indexUnits(table, index, before, after) }] as const)
      .filter(([, { CapacityUnits }]) => CapacityUnits > 0),
  );
  const ofIndexes = Object.values(indexes).reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
  return {
    TableName: table.TableName,
    CapacityUnits: ofTable + ofIndexes,
    Table: { CapacityUnits: ofTable },
    ...(ofIndexes > 0 ? { GlobalSecondaryIndexes: indexes } : {}),
  };
}

function indexUnits(table: Table, index: Index, before: Item | undefined, after: Item | null): number {
  const entry = (item: Item | null | undefined) => (item ? projected(table, index, item) : undefined);
  const [old, now] = [entry(before), entry(after)];
  if (!old || !now) return old || now ? writeUnits(old, now) : 0;
  if (sameItem(old, now)) return 0;
  const moved = index.KeySchema.some(
    ({ AttributeName }) => !sameItem(pick(old, [AttributeName]), pick(now, [AttributeName])),
  );
  return moved ? writeUnits(old) + writeUnits(now) : writeUnits(old, now);
}

/** @returns the item's entry in the index, or nothing where it lacks a key attribute of it. */
function projected(table: Table, index: Index, item: Item): Item | undefined {
  const names = (schema: Table["KeySchema"]) => schema.map(({ AttributeName }) => AttributeName);
  const keys = names(index.KeySchema);
  if (!isIndexed(table, index, item)) return undefined;
  if (index.Projection.ProjectionType === "ALL") return item;
  return pick(item, [...keys, ...names(table.KeySchema), ...(index.Projection.NonKeyAttributes ?? [])]);
}

const pick = (item: Item, names: string[]): Item =>
  Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
