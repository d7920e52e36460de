/**
 * One table in memory, on documents as lib-dynamodb gives and takes them, with the engine of the one-machine stack's tables
 * (`infra/local/dynamodb/engine/`): expressions, conditions, updates and limits are those. It knows neither what is stored in
 * it nor who asks: time, staleness and lag come in. `tables.ts` makes a client of several.
 *
 * Items are frozen and shared: an answer is the stored item itself, which nobody can change.
 */
import type {
  DeleteCommandInput,
  GetCommandInput,
  PutCommandInput,
  QueryCommandInput,
  UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { type Document, isSame, sizeOf } from "../../infra/local/dynamodb/engine/document.ts";
import { prepareGet, prepareQuery, type Row as Read, type Selection } from "../../infra/local/dynamodb/engine/reads.ts";
import { type ItemKey, TableSchema } from "../../infra/local/dynamodb/engine/schema.ts";
import { SEPARATOR, SortedRows } from "../../infra/local/dynamodb/engine/sorted-rows.ts";
import { type ItemWrite, prepareDelete, preparePut, prepareUpdate } from "../../infra/local/dynamodb/engine/writes.ts";
import type { TableDefinition } from "../../infra/local/dynamodb/table-definition.ts";
import { DueHeap } from "../../infra/local/sqs/due-heap.ts";
import { SecondaryIndex } from "./secondary-index.ts";
import { stored } from "./stored.ts";

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

export class Table {
  readonly name: string;
  readonly #schema: TableSchema;
  readonly #surroundings: Surroundings;
  readonly #partitions = new Map<string, SortedRows<Row>>();
  readonly #indexes: readonly SecondaryIndex[];
  readonly #expiring = new DueHeap();
  readonly #tombstones = new DueHeap();

  constructor(definition: TableDefinition, surroundings: Surroundings) {
    this.#schema = new TableSchema(definition);
    this.name = definition.name;
    this.#surroundings = surroundings;
    this.#indexes = this.#schema.indexes.map((index) => new SecondaryIndex(index, this.#schema));
  }

  /** What is stored, without the ways of a read; for whoever watches the table. */
  peek(hash: string, range: string): Document | undefined {
    return this.#partitions.get(hash)?.get(range)?.item;
  }

  /** Names an item, or its key, within this table: what `Surroundings` get as a key. */
  idOf(item: Document): string {
    const { hash, range } = this.#schema;
    return idOf({ hash: String(item[hash]), range: range === undefined ? "" : String(item[range]) });
  }

  /** All items, in no order. */
  *items(): Generator<Document> {
    for (const partition of this.#partitions.values()) for (const { item } of partition.values()) if (item) yield item;
  }

  get(input: GetCommandInput): Document | undefined {
    assertSupported(input, GET);
    const { key, isConsistent, shown } = prepareGet(this.#schema, input);
    const row = this.#partitions.get(key.hash)?.get(key.range);
    const item = row && this.#seen(row, isConsistent).item;
    return item && shown(item);
  }

  /** @returns the attributes that `ReturnValues` asks for */
  put(input: PutCommandInput): Document | undefined {
    assertSupported(input, PUT);
    return this.#perform(preparePut(this.#schema, withValues({ ...input, Item: input.Item && stored(input.Item) })));
  }

  update(input: UpdateCommandInput): Document | undefined {
    assertSupported(input, UPDATE);
    return this.#perform(prepareUpdate(this.#schema, withValues(input)));
  }

  delete(input: DeleteCommandInput): Document | undefined {
    assertSupported(input, DELETE);
    return this.#perform(prepareDelete(this.#schema, withValues(input)));
  }

  query(input: QueryCommandInput): { Items?: Document[]; Count: number; LastEvaluatedKey?: Document } {
    assertSupported(input, QUERY);
    const selection = prepareQuery(this.#schema, withValues(input));
    const page = selection.page<Read>();
    for (const row of this.#select(selection)) if (page.add(row)) break;
    return {
      ...(!selection.isCountOnly && { Items: page.shown.map(({ item }) => item) }),
      Count: page.shown.length,
      ...(page.lastKey && { LastEvaluatedKey: page.lastKey }),
    };
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
      this.#write(key, undefined, true);
      expired++;
    }
    return expired;
  }

  // ---- reading ------------------------------------------------------------------------------------------------------

  #select({ index: wanted, range, isDescending, isConsistent, start }: Selection): Iterable<Read> {
    const { hash, low, high } = range!;
    const index = this.#indexes.find(({ schema }) => schema === wanted);
    const place = start && (index ? index.placeOf(start) : this.#schema.keyOf(start).range);
    const way = { descending: isDescending, start: place };
    const rows = index
      ? index.partition(hash, this.#surroundings.now())?.between(low, high, way)
      : this.#existing(this.#partitions.get(hash)?.between(low, high, way), isConsistent);
    return rows ?? [];
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

  #itemAt({ hash, range }: ItemKey): Document | undefined {
    return this.#partitions.get(hash)?.get(range)?.item;
  }

  // ---- writing ------------------------------------------------------------------------------------------------------

  #perform({ key, run, answer }: ItemWrite): Document | undefined {
    const before = this.#itemAt(key);
    const after = run(before);
    this.#write(key, after);
    return answer(before, after);
  }

  #write(key: ItemKey, after: Document | undefined, hasExpired = false): void {
    const before = this.#itemAt(key);
    // A write that changes nothing leaves no trace in the stream either.
    if (before === after || (before && after && isSame(before, after))) return;
    this.#store(key, after, after ? sizeOf(after) : 0);
    const { now, indexLagMs, onWrite } = this.#surroundings;
    const [nowMs, id] = [now(), idOf(key)];
    for (const index of this.#indexes) {
      const lagMs = indexLagMs?.call(this.#surroundings, this.name, index.schema.name, id) ?? 0;
      index.write(id, before, after, nowMs + lagMs, nowMs);
    }
    this.#noteExpiry(id, before, after);
    onWrite?.call(this.#surroundings, {
      table: this.name,
      key: this.#schema.keyDocument(key),
      before,
      after,
      hasExpired,
    });
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
    const seconds = this.#schema.expiryOf(item);
    return seconds === undefined ? undefined : seconds * 1000;
  }

  #noteExpiry(id: string, before: Document | undefined, after: Document | undefined): void {
    const { now, expiryLagMs } = this.#surroundings;
    const atMs = this.#expiryOf(after);
    if (atMs === undefined || atMs === this.#expiryOf(before) || atMs < now() - OLDEST_EXPIRY_MS) return;
    this.#expiring.push(atMs + (expiryLagMs?.call(this.#surroundings, this.name, id) ?? 0), id);
  }
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

/** The input with values that nobody changes afterwards: an update may store them. */
function withValues<Input extends { readonly ExpressionAttributeValues?: Document | undefined }>(input: Input): Input {
  const { ExpressionAttributeValues: values } = input;
  return values ? { ...input, ExpressionAttributeValues: stored(values) } : input;
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
