/**
 * The write path of dynalite, made whole: an item, its index entries, its place in the order of expiry and its stream
 * record go to disk in one batch. dynalite itself writes them one after another, so that a killed process could leave
 * an index that disagrees with its table, or a change that no stream tells of.
 *
 * dynalite calls `addConsumedCapacity`, `updateIndexes` and the item's `put` or `del` in one synchronous run while it
 * holds the item's lock, and calls the first two through its exports. So the first notes the request, the second
 * gathers what belongs to the write, and the third commits all of it.
 */
import type { Done, Item, Operation, Range, Request, Store, Table } from "dynalite/db/index.js";
import dynalite from "dynalite/db/index.js";
import { type Capacity, readCapacity, writeCapacity } from "./capacity.ts";
import { indexOperations } from "./index-entries.ts";
import { itemSize } from "./item-size.ts";

/** One change about to be written. Whoever watches adds what must be written with it. */
export interface Write {
  readonly table: Table;
  /** Where the item lies in its table. */
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

dynalite.updateIndexes = (store, table, before, after, done) => {
  const gather = gatherers.get(store);
  if (!gather || !current) return updateIndexes(store, table, before, after, done);
  const { request, capacity } = current;
  current = undefined;
  if (capacity) Object.assign(capacity, writeCapacity(table, before, after));
  if (before || after) {
    gathered = [
      ...indexOperations(table, before, after),
      ...gather({ table, before, after, request, key: dynalite.createKey((after ?? before)!, table) }),
    ];
  }
  done(null);
};

/** Adds `ReturnValuesOnConditionCheckFailure`, and what a refused write costs: as much as writing the item that is there. */
dynalite.checkConditional = (request, before) => {
  const error = checkConditional(request, before);
  if (!error) return error;
  if (before && request.ReturnValuesOnConditionCheckFailure === "ALL_OLD") error.body.Item = before;
  if (!wantsCapacity(request)) return error;
  const units = before ? Math.max(1, Math.ceil(itemSize(before) / 1_024)) : 1;
  return Object.assign(error, { capacity: { TableName: request.TableName, CapacityUnits: units } });
};

/**
 * Commits batches one after another; what arrives while one is being written goes together into the next.
 *
 * After a batch that failed nothing more is written until the files were closed and opened again: LevelDB would append
 * behind the torn record, and could read neither at the next start.
 */
export class GroupCommit {
  readonly #store: Store;
  readonly #refused: (error: Error) => void;
  #waiting: { operations: Operation[]; done: Done }[] = [];
  #writing = false;
  #failure: Error | null = null;

  /** @param refused told of each failure after which the files have to be opened again */
  constructor(store: Store, refused: (error: Error) => void = () => {}) {
    this.#store = store;
    this.#refused = refused;
  }

  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Refuses every write from now on: the files have to be opened again. */
  fail(error: Error): void {
    this.#failure = storageFailure(error);
    this.#refused(this.#failure);
  }

  /** The files were opened again. */
  reopened(): void {
    this.#failure = null;
  }

  write(operations: Operation[], done: Done): void {
    this.#waiting.push({ operations, done });
    if (!this.#writing) void this.#commit();
  }

  /** Removes a range of keys; what is in it must not be written to meanwhile. */
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

/** LevelDB's words for what the system calls by a code. */
const LEVELDB_WORDS: Readonly<Record<string, string>> = {
  "No space left on device": "ENOSPC",
  "Disk quota exceeded": "EDQUOT",
  "File too large": "EFBIG",
  "Read-only file system": "EROFS",
  "Input/output error": "EIO",
};

/** LevelDB's error, with the system's code where it names one. */
export const storageFailure = (error: Error): Error => {
  const [, code] = Object.entries(LEVELDB_WORDS).find(([words]) => error.message.includes(words)) ?? [];
  return Object.assign(new Error(error.message, { cause: error }), code && { code });
};

/** Lets all writes to the tables go through `commits`, together with what `gather` adds to them. */
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
