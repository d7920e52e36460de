/**
 * One table in memory, with DynamoDB's expressions and indexes, on documents as lib-dynamodb gives and takes them. It
 * knows neither what is stored in it nor who asks: time, staleness and lag come in. `tables.ts` makes a client of several.
 *
 * Items are frozen and shared: an answer is the stored item itself, which nobody can change.
 */
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type {
  DeleteCommandInput,
  GetCommandInput,
  PutCommandInput,
  QueryCommandInput,
  UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import type { TableDefinition } from "../../infra/local/dynamodb/table-definition.ts";
import { DueHeap } from "../../infra/local/sqs/due-heap.ts";
import { type Document, invalid, isSame, sizeOf, stored } from "./document.ts";
import type { Bindings } from "./document-paths.ts";
import type { Condition, KeyRange, Projection, Update } from "./expression-parser.ts";
import { assertAllUsed, parseCondition, parseKeyCondition, parseProjection, parseUpdate } from "./expressions.ts";
import { SecondaryIndex } from "./secondary-index.ts";
import { SEPARATOR, SortedRows } from "./sorted.ts";

const MAX_ITEM_BYTES = 400 * 1024;
/** DynamoDB ends a page of a query with the item that brings it to this size. */
const MAX_PAGE_BYTES = 1024 * 1024;
/** DynamoDB leaves items alone whose expiry lies further back: most likely somebody stored another unit by mistake. */
const OLDEST_EXPIRY_MS = 5 * 365 * 24 * 60 * 60 * 1000;
/** Longest that a deleted item may still be seen by a read that is not consistent. */
const TOMBSTONE_MS = 60_000;

/** One write that changed something. */
export interface Change {
  readonly table: string;
  readonly key: Document;
  readonly before: Document | undefined;
  readonly after: Document | undefined;
  /** Deleted because its time was over, by the table itself. */
  readonly hasExpired: boolean;
}

/** What a table takes from its surroundings. All but the time has a default: nothing is stale, late, or left over. */
export interface Surroundings {
  /** Epoch milliseconds. */
  now(): number;
  /** How far behind a read of an item may be that does not ask for consistency. Asked where it makes a difference. */
  staleMs?(table: string, key: string): number;
  /** How long after a write an index shows it. */
  indexLagMs?(table: string, index: string, key: string): number;
  /** How long after its expiry an item is deleted. DynamoDB: within days, mostly minutes. */
  expiryLagMs?(table: string, key: string): number;
  /** How many of a batch are handed back undone. */
  leftOver?(table: string, count: number): number;
  onWrite?(change: Change): void;
}

interface Row {
  item: Document | undefined;
  size: number;
  /** What an inconsistent read may still see. */
  previous: { readonly item: Document | undefined; readonly size: number };
  changedAtMs: number;
}

type Key = Readonly<Record<string, unknown>>;

export class Table {
  readonly name: string;
  readonly #surroundings: Surroundings;
  readonly #hash: string;
  readonly #range: string;
  readonly #partitions = new Map<string, SortedRows<Row>>();
  readonly #indexes: readonly SecondaryIndex[];
  readonly #expiryAttribute: string | null;
  readonly #expiring = new DueHeap();
  readonly #tombstones = new DueHeap();

  /** @throws when the definition has what is not done here: keys that are not text, tables or indexes without a sort key */
  constructor({ name, keys, attributes, indexes, expiryAttribute }: TableDefinition, surroundings: Surroundings) {
    const [hash, range] = keys;
    if (!hash || !range) throw new Error(`table ${name}: only tables with a sort key are supported here`);
    for (const { AttributeName, AttributeType } of attributes)
      if (AttributeType !== "S") throw new Error(`table ${name}: the key ${AttributeName} is not text (S)`);
    this.name = name;
    this.#surroundings = surroundings;
    this.#hash = hash.AttributeName;
    this.#range = range.AttributeName;
    this.#indexes = indexes.map((index) => new SecondaryIndex(index, [this.#hash, this.#range]));
    this.#expiryAttribute = expiryAttribute;
  }

  /** What is stored, without the ways of a read; for whoever watches the table. */
  peek(hash: string, range: string): Document | undefined {
    return this.#partitions.get(hash)?.get(range)?.item;
  }

  /** Names an item, or its key, within this table: what `Surroundings` get as a key. */
  idOf(item: Document): string {
    return idOf({ hash: String(item[this.#hash]), range: String(item[this.#range]) });
  }

  /** All items, in no order. */
  *items(): Generator<Document> {
    for (const partition of this.#partitions.values()) for (const { item } of partition.values()) if (item) yield item;
  }

  get(input: GetCommandInput): Document | undefined {
    assertSupported(input, GET);
    const projection = input.ProjectionExpression ? parseProjection(input.ProjectionExpression) : undefined;
    const bindings = bindingsOf(input.ExpressionAttributeNames, undefined);
    assertAllUsed(bindings, [projection]);
    const row = this.#rowOf(input.Key ?? {});
    const item = row && this.#seen(row, input.ConsistentRead === true).item;
    return item && project(item, projection, bindings);
  }

  /** @returns the attributes that `ReturnValues` asks for */
  put(input: PutCommandInput): Document | undefined {
    assertSupported(input, PUT);
    const bindings = bindingsOf(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
    const item = stored(input.Item ?? {});
    const { [this.#hash]: hash, [this.#range]: range } = item;
    const key = this.#assertKey({ [this.#hash]: hash, [this.#range]: range });
    this.#assertCondition(input.ConditionExpression, key, bindings);
    const before = this.#write(key, item, "Item size has exceeded the maximum allowed size");
    return returned(input.ReturnValues, before, undefined);
  }

  update(input: UpdateCommandInput): Document | undefined {
    assertSupported(input, UPDATE);
    const bindings = bindingsOf(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
    const key = this.#assertKey(input.Key ?? {});
    const update = input.UpdateExpression ? parseUpdate(input.UpdateExpression) : undefined;
    this.#assertCondition(input.ConditionExpression, key, bindings, update);
    const before = this.#itemAt(key);
    const base = before ?? stored({ [this.#hash]: key.hash, [this.#range]: key.range });
    const after = update ? update.run(base, bindings) : base;
    for (const name of [this.#hash, this.#range])
      if (after[name] !== base[name])
        throw invalid(
          `One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`,
        );
    this.#write(key, after, "Item size to update has exceeded the maximum allowed size");
    return returned(input.ReturnValues, before, after);
  }

  delete(input: DeleteCommandInput): Document | undefined {
    assertSupported(input, DELETE);
    const bindings = bindingsOf(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
    const key = this.#assertKey(input.Key ?? {});
    this.#assertCondition(input.ConditionExpression, key, bindings);
    return returned(input.ReturnValues, this.#write(key, undefined), undefined);
  }

  query(input: QueryCommandInput): { Items?: Document[]; Count: number; LastEvaluatedKey?: Document } {
    assertSupported(input, QUERY);
    const bindings = bindingsOf(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
    const keyCondition = parseKeyCondition(input.KeyConditionExpression ?? "");
    const projection = input.ProjectionExpression ? parseProjection(input.ProjectionExpression) : undefined;
    const filter = input.FilterExpression ? parseCondition(input.FilterExpression) : undefined;
    assertAllUsed(bindings, [keyCondition, projection, filter]);
    if (input.Limit !== undefined && input.Limit < 1) throw invalid("Limit must be greater than or equal to 1");
    const { rows, keyOf } = this.#select(input, keyCondition.run(bindings));
    const items: Document[] = [];
    let [read, bytes] = [0, 0];
    const answer = () => ({ ...(input.Select !== "COUNT" && { Items: items }), Count: items.length });
    for (const { item, size } of rows) {
      // What the filter leaves out was read all the same, and counts for the page.
      if (!filter || filter.run(item, bindings)) items.push(project(item, projection, bindings));
      read++;
      bytes += size;
      if (read === input.Limit || bytes >= MAX_PAGE_BYTES) return { ...answer(), LastEvaluatedKey: keyOf(item) };
    }
    return answer();
  }

  /** Deletes what expired. @returns how many items */
  sweep(): number {
    const nowMs = this.#surroundings.now();
    for (const id of dueOf(this.#tombstones, nowMs)) this.#bury(id, nowMs);
    let expired = 0;
    for (const id of dueOf(this.#expiring, nowMs)) {
      const key = keyOfId(id);
      const expiresAtMs = this.#expiryOf(this.#itemAt(key));
      // Its expiry may have been moved since.
      if (expiresAtMs === undefined || expiresAtMs > nowMs) continue;
      this.#write(key, undefined, undefined, true);
      expired++;
    }
    return expired;
  }

  // ---- reading ------------------------------------------------------------------------------------------------------

  #select(
    { IndexName, ConsistentRead = false, ScanIndexForward = true, ExclusiveStartKey }: QueryCommandInput,
    { hashName, hash, rangeName, low, high }: KeyRange,
  ) {
    const index = IndexName === undefined ? undefined : this.#indexes.find(({ name }) => name === IndexName);
    if (IndexName !== undefined && !index) throw invalid(`The table does not have the specified index: ${IndexName}`);
    if (index && ConsistentRead) throw invalid("Consistent reads are not supported on global secondary indexes");
    const [wantedHash, wantedRange] = index ? [index.hash, index.range] : [this.#hash, this.#range];
    if (hashName !== wantedHash) throw invalid(`Query condition missed key schema element: ${wantedHash}`);
    if (rangeName !== undefined && rangeName !== wantedRange)
      throw invalid(`Query condition missed key schema element: ${wantedRange}`);
    if (typeof hash !== "string") throw invalid("Condition parameter type does not match schema type");
    const keyNames = [...new Set([this.#hash, this.#range, wantedHash, wantedRange])];
    const keyOf = (item: Document) => Object.fromEntries(keyNames.map((name) => [name, item[name]]));
    if (ExclusiveStartKey && !keyNames.every((name) => typeof ExclusiveStartKey[name] === "string"))
      throw invalid("The provided starting key is invalid");
    const placeOf = (key: Document) => (index ? index.placeOf(key) : String(key[this.#range]));
    const way = { descending: !ScanIndexForward, start: ExclusiveStartKey && placeOf(ExclusiveStartKey) };
    const rows = index
      ? index.partition(hash, this.#surroundings.now())?.between(low, high, way)
      : this.#existing(this.#partitions.get(hash)?.between(low, high, way), ConsistentRead);
    return { rows: rows ?? [], keyOf };
  }

  *#existing(rows: Iterable<Row> | undefined, isConsistent: boolean) {
    for (const row of rows ?? []) {
      const { item, size } = this.#seen(row, isConsistent);
      if (item) yield { item, size };
    }
  }

  /** As a read sees it: without consistency possibly as it was before its last change. */
  #seen(row: Row, isConsistent: boolean): { readonly item: Document | undefined; readonly size: number } {
    const { staleMs, now } = this.#surroundings;
    if (isConsistent || !staleMs) return row;
    const ageMs = now() - row.changedAtMs;
    if (ageMs >= TOMBSTONE_MS) return row;
    const id = this.idOf((row.item ?? row.previous.item)!);
    return ageMs < staleMs.call(this.#surroundings, this.name, id) ? row.previous : row;
  }

  #rowOf(key: Key): Row | undefined {
    const { hash, range } = this.#assertKey(key);
    return this.#partitions.get(hash)?.get(range);
  }

  #itemAt({ hash, range }: ItemKey): Document | undefined {
    return this.#partitions.get(hash)?.get(range)?.item;
  }

  #assertKey(key: Key): ItemKey {
    const { [this.#hash]: hash, [this.#range]: range, ...others } = key;
    if (typeof hash !== "string" || typeof range !== "string" || Object.keys(others).length > 0)
      throw invalid("The provided key element does not match the schema");
    if (hash === "" || range === "")
      throw invalid(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.",
      );
    return { hash, range };
  }

  // ---- writing ------------------------------------------------------------------------------------------------------

  #assertCondition(text: string | undefined, key: ItemKey, bindings: Bindings, update?: Update): void {
    const condition: Condition | undefined = text ? parseCondition(text) : undefined;
    assertAllUsed(bindings, [condition, update]);
    if (condition && !condition.run(this.#itemAt(key), bindings))
      throw new ConditionalCheckFailedException({ message: "The conditional request failed", $metadata: {} });
  }

  /** @returns what stood there before */
  #write(key: ItemKey, after: Document | undefined, tooLarge = "", hasExpired = false): Document | undefined {
    const size = after ? sizeOf(after) : 0;
    if (size > MAX_ITEM_BYTES) throw invalid(tooLarge);
    if (after) for (const index of this.#indexes) index.assertKeys(after);
    const before = this.#itemAt(key);
    // A write that changes nothing leaves no trace in the stream either.
    if (before === after || (before && after && isSame(before, after))) return before;
    this.#store(key, after, size);
    const { now, indexLagMs, onWrite } = this.#surroundings;
    const [nowMs, id] = [now(), idOf(key)];
    for (const index of this.#indexes) {
      const lagMs = indexLagMs?.call(this.#surroundings, this.name, index.name, id) ?? 0;
      index.write(id, before, after, nowMs + lagMs, nowMs);
    }
    this.#noteExpiry(id, before, after);
    onWrite?.call(this.#surroundings, {
      table: this.name,
      key: { [this.#hash]: key.hash, [this.#range]: key.range },
      before,
      after,
      hasExpired,
    });
    return before;
  }

  #store({ hash, range }: ItemKey, item: Document | undefined, size: number): void {
    let partition = this.#partitions.get(hash);
    if (!partition) {
      partition = new SortedRows();
      this.#partitions.set(hash, partition);
    }
    const changedAtMs = this.#surroundings.now();
    const row = partition.get(range);
    const previous = { item: row?.item, size: row?.size ?? 0 };
    if (row) Object.assign(row, { item, size, previous, changedAtMs });
    else partition.set(range, { item, size, previous, changedAtMs });
    if (!item) this.#tombstones.push(changedAtMs + TOMBSTONE_MS, idOf({ hash, range }));
  }

  #bury(id: string, nowMs: number): void {
    const { hash, range } = keyOfId(id);
    const partition = this.#partitions.get(hash);
    const row = partition?.get(range);
    if (!partition || !row || row.item || row.changedAtMs + TOMBSTONE_MS > nowMs) return;
    partition.delete(range);
    if (partition.size === 0) this.#partitions.delete(hash);
  }

  #expiryOf(item: Document | undefined): number | undefined {
    const seconds = this.#expiryAttribute === null ? undefined : item?.[this.#expiryAttribute];
    return typeof seconds === "number" ? seconds * 1000 : undefined;
  }

  #noteExpiry(id: string, before: Document | undefined, after: Document | undefined): void {
    const { now, expiryLagMs } = this.#surroundings;
    const atMs = this.#expiryOf(after);
    if (atMs === undefined || atMs === this.#expiryOf(before) || atMs < now() - OLDEST_EXPIRY_MS) return;
    this.#expiring.push(atMs + (expiryLagMs?.call(this.#surroundings, this.name, id) ?? 0), id);
  }
}

interface ItemKey {
  readonly hash: string;
  readonly range: string;
}

/** Names an item within its table. */
const idOf = ({ hash, range }: ItemKey) => hash + SEPARATOR + range;
const keyOfId = (id: string): ItemKey => {
  const [hash = "", range = ""] = id.split(SEPARATOR);
  return { hash, range };
};

function* dueOf(heap: DueHeap, nowMs: number): Generator<string> {
  for (let next = heap.peek(); next && next.atMs <= nowMs; next = heap.peek()) {
    heap.pop();
    yield next.id;
  }
}

const bindingsOf = (names: Bindings["names"], values: Bindings["values"]): Bindings => ({
  names,
  values,
});

const project = (item: Document, projection: Projection | undefined, bindings: Bindings): Document =>
  projection ? projection.run(item, bindings) : item;

function returned(wanted: string | undefined, before: Document | undefined, after: Document | undefined) {
  if (wanted === "ALL_OLD") return before;
  return wanted === "ALL_NEW" ? after : undefined;
}

const NAMES_AND_VALUES = ["ExpressionAttributeNames", "ExpressionAttributeValues"] as const;
const READ = ["TableName", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"] as const;
const WRITE = ["TableName", "ConditionExpression", "ReturnValues", ...NAMES_AND_VALUES] as const;
const GET = new Set<keyof GetCommandInput>([...READ, "Key"]);
const PUT = new Set<keyof PutCommandInput>([...WRITE, "Item"]);
const UPDATE = new Set<keyof UpdateCommandInput>([...WRITE, "Key", "UpdateExpression"]);
const DELETE = new Set<keyof DeleteCommandInput>([...WRITE, "Key"]);
const QUERY = new Set<keyof QueryCommandInput>([
  ...READ,
  "IndexName",
  "KeyConditionExpression",
  "FilterExpression",
  "ExpressionAttributeValues",
  "ScanIndexForward",
  "Limit",
  "ExclusiveStartKey",
  // COUNT alone; anything else is what would be answered without it.
  "Select",
]);

/** @throws Error (ours, not DynamoDB's) for a field that would be ignored here */
function assertSupported<Input extends object>(input: Input, known: ReadonlySet<keyof Input>): void {
  for (const field in input)
    if (!known.has(field) && input[field] !== undefined)
      throw new Error(`the table in memory does not know ${field}: add it to test/simulation/table.ts`);
}
