/**
 * Makes dynalite's writes atomic: an item, its index entries, its entry in the order of expiry and its stream record go to
 * disk in one batch. dynalite itself writes them one after another, so that a killed process could leave an index that
 * disagrees with its table, or a change without a stream record.
 *
 * dynalite calls `addConsumedCapacity`, `updateIndexes` and the item's `put` or `del` in one synchronous run while it
 * holds the item's lock, and calls the first two through its exports, which are replaced here: the first notes the
 * request, the second gathers what belongs to the write, and the third commits all of it.
 */
import type { Done, Item, Operation, Range, Request, Store, Table } from "dynalite/db/index.js";
import dynalite from "dynalite/db/index.js";
import { type Capacity, readCapacity, writeCapacity } from "./capacity.ts";
import { indexOperations } from "./index-entries.ts";
import { itemSize } from "./item-size.ts";

/** A change of an item about to be written, to which a gatherer adds what must be written with it. */
export interface Write {
  readonly table: Table;
  /** Key of the item in dynalite's store. */
  readonly key: string;
  readonly before: Item | undefined;
  readonly after: Item | null;
  readonly request: Request;
}

type Gather = (write: Write) => Operation[];

const gatherers = new WeakMap<Store, Gather>();
let current: { request: Request; capacity: Capacity | undefined } | undefined;
let gathered: Operation[] = [];

const updateIndexes = dynalite.updateIndexes.bind(dynalite);
const checkConditional = dynalite.checkConditional.bind(dynalite);

const wantsCapacity = ({ ReturnConsumedCapacity: how }: Request) => how === "TOTAL" || how === "INDEXES";

dynalite.addConsumedCapacity = (request, isRead, item) => {
  const isWanted = wantsCapacity(request);
  if (isRead) return isWanted ? readCapacity(request.TableName, item, request.ConsistentRead === true) : undefined;
  const capacity = isWanted ? { TableName: request.TableName, CapacityUnits: 0 } : undefined;
  current = { request, capacity };
  return capacity;
};

/** Longest keys in bytes. */
const MAX_KEY_BYTES: Readonly<Record<string, number>> = { HASH: 2_048, RANGE: 1_024 };

/** What DynamoDB says of a changed key that is too long for an index. dynalite checks the keys of the table only. */
const longKey = (table: Table, before: Item | undefined, after: Item | null): string | undefined => {
  for (const { IndexName, KeySchema } of table.GlobalSecondaryIndexes ?? [])
    for (const { AttributeName: name, KeyType } of KeySchema) {
      const value = after?.[name]?.S;
      if (typeof value !== "string" || value === before?.[name]?.S) continue;
      const [size, most] = [Buffer.byteLength(value), MAX_KEY_BYTES[KeyType]!];
      if (size > most)
        return `One or more parameter values were invalid: Size limit exceeded for Index Key ${name} Actual Size: ${size} bytes Max Size: ${most} bytes IndexName: ${IndexName}`;
    }
  return undefined;
};

dynalite.updateIndexes = (store, table, before, after, done) => {
  const gather = gatherers.get(store);
  if (!gather || !current) return updateIndexes(store, table, before, after, done);
  const { request, capacity } = current;
  current = undefined;
  const refusal = longKey(table, before, after);
  if (refusal !== undefined) return done(dynalite.validationError(refusal));
  if (capacity) Object.assign(capacity, writeCapacity(table, before, after));
  if (before || after) {
    gathered = [
      ...indexOperations(table, before, after),
      ...gather({ table, before, after, request, key: dynalite.createKey((after ?? before)!, table) }),
    ];
  }
  done(null);
};

/** Adds `ReturnValuesOnConditionCheckFailure`, and the cost of a failed condition: as much as writing the existing item. */
dynalite.checkConditional = (request, before) => {
  const error = checkConditional(request, before);
  if (!error) return error;
  if (before && request.ReturnValuesOnConditionCheckFailure === "ALL_OLD") error.body.Item = before;
  if (!wantsCapacity(request)) return error;
  const units = before ? Math.max(1, Math.ceil(itemSize(before) / 1_024)) : 1;
  return Object.assign(error, { capacity: { TableName: request.TableName, CapacityUnits: units } });
};

/**
 * Group commit: batches are written one after another, and writes that arrive meanwhile go together into the next.
 *
 * After a failed batch nothing is written until the files have been closed and opened again: LevelDB would append after
 * the torn record, and the next start could read neither.
 */
export class GroupCommit {
  readonly #store: Store;
  readonly #refused: (error: Error) => void;
  #waiting: { operations: Operation[]; done: Done }[] = [];
  #writing = false;
  #failure: Error | null = null;

  /** @param refused called on each failure after which the files must be reopened */
  constructor(store: Store, refused: (error: Error) => void = () => {}) {
    this.#store = store;
    this.#refused = refused;
  }

  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Refuses every write from now on, until the files are reopened. */
  fail(error: Error): void {
    this.#failure = storageFailure(error);
    this.#refused(this.#failure);
  }

  /** Takes writes again; call it when the files were reopened. */
  reopened(): void {
    this.#failure = null;
  }

  write(operations: Operation[], done: Done): void {
    this.#waiting.push({ operations, done });
    if (!this.#writing) void this.#commit();
  }

  /** Removes a range of keys, to which nothing may be written meanwhile. */
  async clear(range: Range): Promise<void> {
    const keys = this.#store.db.keys(range);
    try {
      for (let page = await keys.nextv(CLEARED_AT_ONCE); page.length > 0; page = await keys.nextv(CLEARED_AT_ONCE)) {
        await new Promise<void>((resolve, reject) => {
          const operations = page.map((key): Operation => ({ type: "del", key }));
          this.write(operations, (error) => (error ? reject(error) : resolve()));
        });
      }
    } finally {
      await keys.close();
    }
  }

  async #commit(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        if (!this.#failure) await this.#store.db.batch(group.flatMap(({ operations }) => operations));
      } catch (error) {
        this.fail(error as Error);
      }
      for (const { done } of group) process.nextTick(done, this.#failure);
    }
    this.#writing = false;
  }
}

const CLEARED_AT_ONCE = 1_000;

/** LevelDB's messages for system error codes. */
const LEVELDB_WORDS: Readonly<Record<string, string>> = {
  "No space left on device": "ENOSPC",
  "Disk quota exceeded": "EDQUOT",
  "File too large": "EFBIG",
  "Read-only file system": "EROFS",
  "Input/output error": "EIO",
};

/** LevelDB's error, with the system error code that its message stands for. */
export const storageFailure = (error: Error): Error => {
  const [, code] = Object.entries(LEVELDB_WORDS).find(([words]) => error.message.includes(words)) ?? [];
  return Object.assign(new Error(error.message, { cause: error }), code && { code });
};

/** Redirects all writes to the tables through `commits`, together with what `gather` adds. */
export function watchWrites(store: Store, tables: readonly string[], commits: GroupCommit, gather: Gather): void {
  gatherers.set(store, gather);
  const commit = (operation: Operation, done: Done) => {
    const operations = [...gathered, operation];
    gathered = [];
    commits.write(operations, done);
  };
  for (const table of tables) {
    const items = store.getItemDb(table);
    items.put = (key, value, done) => commit({ type: "put", key: `item-${table}~${key}`, value }, done);
    items.del = (key, done) => commit({ type: "del", key: `item-${table}~${key}` }, done);
  }
}
