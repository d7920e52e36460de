import { isSame, sizeOf } from "./engine/document.ts";
import type { IndexSchema, TableSchema } from "./engine/schema.ts";
import type { StoredItem } from "./wire.ts";

/** Consumed capacity as in DynamoDB's answers: units of the table and of each index. */
export interface Capacity {
  TableName: string;
  CapacityUnits: number;
  Table?: { CapacityUnits: number };
  GlobalSecondaryIndexes?: Record<string, { CapacityUnits: number }>;
}

const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;

const unitsOf = (bytes: number) => Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));

const capacityOf = (table: string, units: number): Capacity => ({
  TableName: table,
  CapacityUnits: units,
  Table: { CapacityUnits: units },
});

/** Read units of what is read together: one item by its key, or a page. Nothing costs as much as the smallest item. */
const readUnits = (bytes: number, isConsistent: boolean) =>
  Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (isConsistent ? 1 : 0.5);

/** Read units of items by their keys; undefined stands for one that is not there. */
export const readCapacity = (table: string, items: readonly (StoredItem | undefined)[], isConsistent: boolean) =>
  capacityOf(
    table,
    items.reduce((sum, item) => sum + readUnits(item?.size ?? 0, isConsistent), 0),
  );

/** @param index the name of the index that was read; undefined for the table */
export function pageCapacity(table: string, index: string | undefined, bytes: number, isConsistent: boolean): Capacity {
  const CapacityUnits = readUnits(bytes, isConsistent);
  if (index === undefined) return capacityOf(table, CapacityUnits);
  return {
    ...capacityOf(table, 0),
    CapacityUnits,
    GlobalSecondaryIndexes: { [index]: { CapacityUnits } },
  };
}

/** Write units of a failed condition: as many as writing the existing item. */
export const refusedCapacity = (table: string, before: StoredItem | undefined): Capacity => ({
  TableName: table,
  CapacityUnits: unitsOf(before?.size ?? 0),
});

/**
 * Write units of a change: the larger of both images for the table, and for each index the removal of the old entry and
 * the writing of the new one; an unchanged entry costs nothing (Developer Guide, "Write capacity" of global secondary indexes).
 */
export function writeCapacity(
  schema: TableSchema,
  before: StoredItem | undefined,
  after: StoredItem | undefined,
): Capacity {
  const ofTable = unitsOf(Math.max(before?.size ?? 0, after?.size ?? 0));
  const indexes = Object.fromEntries(
    schema.indexes
      .map((index) => [index.name, { CapacityUnits: indexUnits(index, before, after) }] as const)
      .filter(([, { CapacityUnits }]) => CapacityUnits > 0),
  );
  const ofIndexes = Object.values(indexes).reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
  return {
    ...capacityOf(schema.name, ofTable),
    CapacityUnits: ofTable + ofIndexes,
    ...(ofIndexes > 0 ? { GlobalSecondaryIndexes: indexes } : {}),
  };
}

function indexUnits(index: IndexSchema, before: StoredItem | undefined, after: StoredItem | undefined): number {
  const [old, now] = [index.entryOf(before?.item), index.entryOf(after?.item)];
  const [oldBytes, newBytes] = [old ? sizeOf(old) : 0, now ? sizeOf(now) : 0];
  if (!old || !now) return old || now ? unitsOf(oldBytes + newBytes) : 0;
  if (isSame(old, now)) return 0;
  const isMoved = [index.hash, index.range].some((name) => name !== undefined && old[name] !== now[name]);
  return isMoved ? unitsOf(oldBytes) + unitsOf(newBytes) : unitsOf(Math.max(oldBytes, newBytes));
}

/** Capacities of several items, added up for each table. @param factor 2 for a transaction */
export function sumOf(capacities: readonly Capacity[], factor = 1): Capacity[] {
  const byTable = Map.groupBy(capacities, ({ TableName }) => TableName);
  return [...byTable].map(([table, all]) =>
    capacityOf(table, factor * all.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0)),
  );
}
