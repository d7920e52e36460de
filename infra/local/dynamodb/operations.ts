import { type Capacity, pageCapacity, readCapacity, refusedCapacity, sumOf, writeCapacity } from "./capacity.ts";
import type { Document } from "./engine/document.ts";
import { prepareGet, prepareQuery, prepareScan, type Selection } from "./engine/reads.ts";
import { invalid, invalidField, type Refusal } from "./engine/refusal.ts";
import type { TableSchema } from "./engine/schema.ts";
import { type ItemWrite, prepareDelete, preparePut, prepareUpdate, type WriteInput } from "./engine/writes.ts";
import type { ItemWriter, Outcome, TableWrite } from "./item-writer.ts";
import { type Fields, fields, type Input, list, readInput } from "./request.ts";
import type { StoredTable } from "./table.ts";
import { createTransactWrite, transactGet } from "./transactions.ts";
import { type StoredItem, type WireItem, wireOf } from "./wire.ts";

/** What an operation works on. */
export interface Tables {
  readonly writer: ItemWriter;
  /** @throws ResourceNotFoundException */
  table(name: string | undefined): StoredTable;
  readonly names: readonly string[];
  described(name: string): object;
}

/** What an operation answers: its body, or the refusal that its writes met. */
export interface Result {
  readonly body: object | Refusal;
  /** Computed when it is asked for: it costs as much as a small read. */
  readonly capacity: () => readonly Capacity[];
}

export interface DynamoOperation {
  readonly run: (tables: Tables, body: unknown) => Promise<Result>;
  readonly isWrite: boolean;
}

/** Limits of one request (Developer Guide, "Quotas in Amazon DynamoDB"). */
const MAX_KEYS = 100;
const MAX_BATCH_WRITES = 25;
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

const read = (run: DynamoOperation["run"]): DynamoOperation => ({ run, isWrite: false });
const write = (run: DynamoOperation["run"]): DynamoOperation => ({ run, isWrite: true });

/** A part of an item, or the item itself, in the form of the wire. */
const wireShown = (shown: Document, ...stored: readonly (StoredItem | undefined)[]): WireItem =>
  stored.find((one) => one?.item === shown)?.wire ?? wireOf(shown);

const getItem = read(async (tables, body) => {
  const input = readInput(body, "GetItem");
  const table = tables.table(input.TableName);
  const { key, shown, isConsistent } = prepareGet(table.schema, input);
  const found = table.get(key);
  return {
    body: found ? { Item: shownOf(found, input, shown) } : {},
    capacity: () => [readCapacity(table.name, [found], isConsistent)],
  };
});

/** Without a projection the item goes out as it was stored. */
const shownOf = (found: StoredItem, { ProjectionExpression }: Input, shown: (item: Document) => Document): WireItem =>
  ProjectionExpression === undefined ? found.wire : wireOf(shown(found.item));

const selecting = (what: "Query" | "Scan", prepare: (schema: TableSchema, input: Input) => Selection) =>
  read(async (tables, body) => {
    const input = readInput(body, what);
    const table = tables.table(input.TableName);
    const selection = prepare(table.schema, input);
    const page = await table.read(selection);
    return {
      body: {
        ...(!selection.isCountOnly && { Items: page.shown.map(({ row, item }) => wireShown(item, row)) }),
        Count: page.shown.length,
        ScannedCount: page.scanned,
        ...(page.lastKey && { LastEvaluatedKey: wireOf(page.lastKey) }),
      },
      capacity: () => [pageCapacity(table.name, selection.index?.name, page.bytes, selection.isConsistent)],
    };
  });

const writing = (
  what: "PutItem" | "UpdateItem" | "DeleteItem",
  prepare: (schema: TableSchema, input: WriteInput) => ItemWrite,
) =>
  write(async (tables, body) => {
    const input = readInput(body, what);
    const table = tables.table(input.TableName);
    const itemWrite = prepare(table.schema, input);
    const [outcome] = await tables.writer.write([{ table, write: itemWrite }]);
    const { before, after, refusal } = outcome!;
    if (refusal) return { body: refusal, capacity: () => refusedCapacityOf(table.name, outcome!) };
    const shown = itemWrite.answer(before?.item, after?.item);
    return {
      body: shown ? { Attributes: wireShown(shown, before, after) } : {},
      capacity: () => [writeCapacity(table.schema, before, after)],
    };
  });

/** Only a failed condition costs something: other refusals come before anything is read. */
const refusedCapacityOf = (table: string, { before, refusal }: Outcome): Capacity[] =>
  refusal?.name === "ConditionalCheckFailedException" ? [refusedCapacity(table, before)] : [];

/** The parts of a batch by table. */
const requestsOf = (body: unknown): [table: string, requests: unknown][] => {
  const requests = Object.entries(fields(fields(body, "request").RequestItems ?? {}, "RequestItems"));
  if (requests.length > 0) return requests;
  throw invalidField("requestItems", "{}", "Member must have length greater than or equal to 1");
};

function assertDistinct(keys: readonly string[]): void {
  if (new Set(keys).size < keys.length) throw invalid("Provided list of item keys contains duplicates");
}

const nameOfKey = ({ table, write: { key } }: TableWrite) => JSON.stringify([table.name, key.hash, key.range]);

const batchGetItem = read(async (tables, body) => {
  readInput(body, "Whole", ["RequestItems"]);
  const parts = requestsOf(body).map(([name, request]) => {
    const { Keys, ...input } = fields(request, name);
    const table = tables.table(name);
    const settings = readInput(input, "BatchGetKeys");
    const keys = list(Keys, "Keys").map((Key) => fields(Key, "Keys"));
    const reads = keys.map((Key) => prepareGet(table.schema, { ...settings, ...readInput({ Key }, "TransactGet") }));
    assertDistinct(reads.map(({ key }) => JSON.stringify(key)));
    return { table, input, settings, keys, reads };
  });
  if (parts.reduce((sum, { keys }) => sum + keys.length, 0) > MAX_KEYS)
    throw invalid("Too many items requested for the BatchGetItem call");
  let bytes = 0;
  const Responses: Record<string, WireItem[]> = {};
  const UnprocessedKeys: Record<string, Fields> = {};
  const capacities: (() => Capacity)[] = [];
  for (const { table, input, settings, keys, reads } of parts) {
    const done: (StoredItem | undefined)[] = [];
    for (const { key } of reads) {
      const found = table.get(key);
      bytes += found?.size ?? 0;
      if (bytes > MAX_RESPONSE_BYTES) break;
      done.push(found);
    }
    Responses[table.name] = done.flatMap((item, index) => (item ? [shownOf(item, settings, reads[index]!.shown)] : []));
    // What would make the answer too large is handed back.
    if (done.length < keys.length) UnprocessedKeys[table.name] = { ...input, Keys: keys.slice(done.length) };
    capacities.push(() => readCapacity(table.name, done, settings.ConsistentRead === true));
  }
  return { body: { Responses, UnprocessedKeys }, capacity: () => capacities.map((one) => one()) };
});

const batchWriteItem = write(async (tables, body) => {
  readInput(body, "Whole", ["RequestItems"]);
  const writes = requestsOf(body).flatMap(([name, requests]) => {
    const table = tables.table(name);
    return list(requests, name).map((request): TableWrite => {
      const { PutRequest, DeleteRequest } = fields(request, name);
      if ((PutRequest === undefined) === (DeleteRequest === undefined))
        throw invalid("Supplied WriteRequest must contain exactly one of PutRequest and DeleteRequest");
      if (PutRequest !== undefined)
        return { table, write: preparePut(table.schema, readInput(PutRequest, "BatchPut")) };
      return { table, write: prepareDelete(table.schema, readInput(DeleteRequest, "BatchDelete")) };
    });
  });
  if (writes.length > MAX_BATCH_WRITES) throw invalid("Too many items requested for the BatchWriteItem call");
  assertDistinct(writes.map(nameOfKey));
  // Each item for itself: a batch is no transaction.
  const outcomes = await Promise.all(writes.map(async (one) => (await tables.writer.write([one]))[0]!));
  const refusal = outcomes.find((outcome) => outcome.refusal)?.refusal;
  return {
    body: refusal ?? { UnprocessedItems: {} },
    capacity: () =>
      sumOf(
        writes.map(({ table }, index) => writeCapacity(table.schema, outcomes[index]!.before, outcomes[index]!.after)),
      ),
  };
});

const describeTable = read(async (tables, body) => {
  const { TableName } = fields(body, "request");
  return { body: { Table: tables.described(tables.table(String(TableName)).name) }, capacity: () => [] };
});

const listTables = read(async ({ names }) => ({ body: { TableNames: [...names].toSorted() }, capacity: () => [] }));

/**
 * The supported operations. None creates, changes or deletes a table: tables come from the template only.
 * @param now milliseconds by a steady clock, for how long the tokens of transactions are remembered
 */
export const createOperations = (now: () => number): ReadonlyMap<string, DynamoOperation> =>
  new Map([
    ["GetItem", getItem],
    ["BatchGetItem", batchGetItem],
    ["Query", selecting("Query", prepareQuery)],
    ["Scan", selecting("Scan", prepareScan)],
    ["DescribeTable", describeTable],
    ["ListTables", listTables],
    ["PutItem", writing("PutItem", preparePut)],
    ["UpdateItem", writing("UpdateItem", prepareUpdate)],
    ["DeleteItem", writing("DeleteItem", prepareDelete)],
    ["BatchWriteItem", batchWriteItem],
    ["TransactGetItems", read(transactGet)],
    ["TransactWriteItems", write(createTransactWrite(now))],
  ]);
