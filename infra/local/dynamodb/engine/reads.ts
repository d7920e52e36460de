/** GetItem, Query and Scan: what they ask for, and what they show of what was found. */
import type { Document } from "./document.ts";
import {
  assertBindings,
  type Condition,
  type KeyCondition,
  type Projection,
  parseFilter,
  parseKeyCondition,
  parseProjection,
} from "./expressions.ts";
import type { KeyRange } from "./key-condition-parser.ts";
import type { Bindings } from "./paths.ts";
import { invalid, invalidField } from "./refusal.ts";
import type { IndexSchema, ItemKey, TableSchema } from "./schema.ts";

/** DynamoDB ends a page with the item that brings it to this size. */
const MAX_PAGE_BYTES = 1_024 * 1_024;

export interface ReadInput {
  readonly ConsistentRead?: boolean | undefined;
  readonly ProjectionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
}

export interface GetInput extends ReadInput {
  readonly Key?: Document | undefined;
}

export interface SelectInput extends ReadInput {
  readonly IndexName?: string | undefined;
  /** Of a query only. */
  readonly KeyConditionExpression?: string | undefined;
  readonly FilterExpression?: string | undefined;
  readonly ExpressionAttributeValues?: Document | undefined;
  readonly ScanIndexForward?: boolean | undefined;
  readonly Limit?: number | undefined;
  readonly ExclusiveStartKey?: Document | undefined;
  readonly Select?: string | undefined;
}

export interface ItemRead {
  readonly key: ItemKey;
  readonly isConsistent: boolean;
  /** The item as it is answered; the very item where nothing is left out. */
  shown(item: Document): Document;
}

export function prepareGet(schema: TableSchema, input: GetInput): ItemRead {
  const projection = parseProjection(input.ProjectionExpression);
  const bindings: Bindings = { names: input.ExpressionAttributeNames, values: undefined };
  assertBindings(bindings, [projection]);
  return {
    key: schema.keyOf(input.Key ?? {}),
    isConsistent: input.ConsistentRead === true,
    shown: (item) => (projection ? projection.run(item, bindings) : item),
  };
}

/** A row that was read: of a table, or of an index. */
export interface Row {
  readonly item: Document;
  /** Bytes. */
  readonly size: number;
}

interface PageSettings {
  readonly filter: Condition | undefined;
  readonly projection: Projection | undefined;
  readonly bindings: Bindings;
  readonly limit: number | undefined;
  /** Key attributes of the table, and of the index. */
  readonly keyNames: readonly string[];
}

/** One page of answers, filled row by row in the order of the keys. */
export class Page<Found extends Row> {
  readonly #settings: PageSettings;
  /** What is shown of each row: its item, or the projected part of it. */
  readonly shown: { readonly row: Found; readonly item: Document }[] = [];
  /** Rows that were read, those that the filter leaves out included. */
  scanned = 0;
  bytes = 0;
  /** Where the next page goes on; undefined where the page did not end early. */
  lastKey: Document | undefined;

  constructor(settings: PageSettings) {
    this.#settings = settings;
  }

  /** @returns whether the page ends with this row */
  add(row: Found): boolean {
    const { filter, projection, bindings, limit, keyNames } = this.#settings;
    const { item, size } = row;
    if (!filter || filter.run(item, bindings))
      this.shown.push({ row, item: projection ? projection.run(item, bindings) : item });
    this.scanned++;
    this.bytes += size;
    const isFull = this.scanned === limit || this.bytes >= MAX_PAGE_BYTES;
    if (isFull) this.lastKey = Object.fromEntries(keyNames.map((name) => [name, item[name]]));
    return isFull;
  }
}

export interface Selection {
  readonly index: IndexSchema | undefined;
  /** Undefined for a scan. */
  readonly range: KeyRange | undefined;
  readonly isDescending: boolean;
  readonly isConsistent: boolean;
  /** Key attributes of the row after which to go on. */
  readonly start: Document | undefined;
  /** Most rows to read. */
  readonly limit: number | undefined;
  readonly isCountOnly: boolean;
  page<Found extends Row>(): Page<Found>;
}

export function prepareQuery(schema: TableSchema, input: SelectInput): Selection {
  const keyCondition = parseKeyCondition(input.KeyConditionExpression);
  if (!keyCondition)
    throw invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");
  return select(schema, input, keyCondition);
}

export const prepareScan = (schema: TableSchema, input: SelectInput): Selection => select(schema, input, undefined);

function select(schema: TableSchema, input: SelectInput, keyCondition: KeyCondition | undefined): Selection {
  const { Limit: limit, ExclusiveStartKey: start } = input;
  const projection = parseProjection(input.ProjectionExpression);
  const filter = parseFilter(input.FilterExpression);
  const bindings = { names: input.ExpressionAttributeNames, values: input.ExpressionAttributeValues };
  assertBindings(bindings, [keyCondition, projection, filter]);
  if (limit !== undefined && limit < 1)
    throw invalidField("limit", limit, "Member must have value greater than or equal to 1");
  const index = input.IndexName === undefined ? undefined : schema.indexNamed(input.IndexName);
  if (index && input.ConsistentRead) throw invalid("Consistent reads are not supported on global secondary indexes");
  if (index && input.Select === "ALL_ATTRIBUTES" && !index.showsAll)
    throw invalid(
      `One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`,
    );
  const keys = index ?? schema;
  const range = keyCondition?.run(bindings, keys);
  if (range) assertNotOfKey(filter, bindings, [keys.hash, keys.range]);
  const keyNames = [...new Set([...schema.keyNames, keys.hash, ...(keys.range === undefined ? [] : [keys.range])])];
  assertStart(start, keyNames, keys.hash, range);
  return {
    index,
    range,
    isDescending: input.ScanIndexForward === false,
    isConsistent: input.ConsistentRead === true,
    start,
    limit,
    isCountOnly: input.Select === "COUNT",
    page: <Found extends Row>() => new Page<Found>({ filter, projection, bindings, limit, keyNames }),
  };
}

function assertNotOfKey(
  filter: Condition | undefined,
  bindings: Bindings,
  keyNames: readonly (string | undefined)[],
): void {
  for (const [step] of filter?.paths ?? []) {
    const name = bindings.names?.[String(step)] ?? step;
    if (keyNames.includes(String(name)))
      throw invalid(
        `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${String(name)}`,
      );
  }
}

function assertStart(
  start: Document | undefined,
  keyNames: readonly string[],
  hashName: string,
  range: KeyRange | undefined,
): void {
  if (!start) return;
  if (Object.keys(start).length !== keyNames.length || !keyNames.every((name) => typeof start[name] === "string"))
    throw invalid("The provided starting key is invalid");
  if (range && start[hashName] !== range.hash)
    throw invalid("The provided starting key is outside query boundaries based on provided conditions");
}
