import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Operation, Request, Store } from "dynalite/db/index.js";
import dynalite from "dynalite/db/index.js";
import validations from "dynalite/validations/index.js";
import { insufficientStorage, refusalOf } from "../disk/disk.ts";
import { steadyNow } from "../scheduler/clock.ts";
import type { Capacity } from "./capacity.ts";
import { createExpiry } from "./expiry.ts";
import { operations } from "./operations.ts";
import { findDamage, isDamage, isLocked, noteWhole, repair, setAside } from "./repair.ts";
import { measureStorage, type StorageRow } from "./storage.ts";
import { Streams } from "./streams.ts";
import { prepareTable } from "./table-changes.ts";
import type { TableDefinition } from "./table-definition.ts";
import { GroupCommit, storageFailure, watchWrites } from "./writes.ts";

export interface Answer {
  readonly status: number;
  /** The JSON body. */
  readonly body: unknown;
}

/** Fault injection for tests: lets a request proceed, fails it before it is run, or loses its reply. */
export type Intercept = (request: {
  operation: string;
  body: unknown;
  caller: string;
}) => "proceed" | "fail-before" | "fail-after";

export interface DatabaseOptions {
  readonly tables: readonly TableDefinition[];
  /** Data are stored in `<dataFolder>/dynamodb`. Default: in memory. */
  readonly dataFolder?: string;
  /**
   * Milliseconds since the epoch. Default: the wall clock for the expiry of items, which is a date, and a steady clock
   * (clock.ts) for the age of stream records.
   */
  readonly now?: () => number;
  readonly intercept?: Intercept;
  /** Gets the capacity that each request consumed, failed conditions included. Without it, capacity is computed on request only. */
  readonly onCapacity?: (caller: string, operation: string, capacity: Capacity) => void;
  /** Gets a line about damage that was repaired. */
  readonly log?: (line: string) => void;
  /** Called when a write failed; from then on every write is refused until `reopen`. Reads go on. */
  readonly refused?: (error: Error) => void;
}

export interface LocalDatabase {
  /**
   * Answers one request of DynamoDB's API.
   * @param target the header `X-Amz-Target`, or the operation's name alone.
   * @param caller the function that asks: `intercept` and `onCapacity` get its name
   */
  handle(target: string, body: unknown, caller?: string): Promise<Answer>;
  readonly streams: Streams;
  /** Deletes expired items and trims streams; the owner calls it about once a minute. @returns how many items expired. */
  sweep(): Promise<number>;
  /** Storage that AWS would bill. Reads everything. */
  storage(): Promise<StorageRow[]>;
  /**
   * Reopens the files after a write that failed, so that writing goes on after the last intact record. Requests wait
   * meanwhile.
   * @throws when the files cannot be opened; call it again then
   */
  reopen(): Promise<void>;
  /** Waits for requests under way, then closes the files. */
  close(): Promise<void>;
}

const failure = (status: number, type: string, message: string): Answer => ({
  status,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message },
});

/**
 * Opens the local DynamoDB: dynalite's tables and expressions, with streams, expiry (TTL) and exact capacity on top.
 * @throws when another process has the folder open, or a table's key differs from the template's.
 */
export async function openDatabase(options: DatabaseOptions): Promise<LocalDatabase> {
  const store = await openStore(options.dataFolder, options.log);
  const commits = new GroupCommit(store, options.refused);
  const commit = promisify((batch: Operation[], done: (error?: Error | null) => void) => commits.write(batch, done));
  const streams = new Streams(
    store.db,
    { write: commit, clear: (range) => commits.clear(range) },
    options.now ?? steadyNow,
  );
  const expiry = createExpiry(store.db, options.now ?? (() => Date.now()), options.now ?? steadyNow);
  const running = new Set<Promise<unknown>>();
  let reopening: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** Damage found while reading. A repair is tried once only. */
  let damage: Error | undefined;
  let isRepaired = false;
  const prepare = async () => {
    for (const table of options.tables) {
      await prepareTable(store, table, commit);
      await expiry.open(table, commit);
    }
  };
  const repairOnce = async (error: Error) => {
    if (isRepaired || options.dataFolder === undefined) throw error;
    await store.db.close._original();
    await repair(store, pathOf(options.dataFolder), error, options.log);
    isRepaired = true;
    commits.reopened();
    await prepare();
  };

  try {
    await prepare().catch((error: Error) => {
      if (!isDamage(error)) throw error;
      return repairOnce(error);
    });
    for (const { name, arn, stream } of options.tables) if (stream) await streams.open(name, arn, stream);
  } catch (error) {
    await store.db.close();
    throw error;
  }
  const names = options.tables.map(({ name }) => name);
  watchWrites(store, names, commits, ({ table, key, before, after, request }) => [
    ...expiry.append(table, key, before, after),
    ...streams.append({ table, before, after, expired: request.expired === true }),
  ]);

  const run = async (name: string, body: unknown, caller: string): Promise<Answer> => {
    const operation = operations.get(name);
    if (!operation) return failure(400, "UnknownOperationException", refusal(name));
    let request: Request;
    try {
      request = validations.checkTypes(body, operation.types);
      validations.checkValidations(request, operation.types, operation.custom, store);
    } catch (error) {
      return answerOf(error);
    }
    const wanted = request.ReturnConsumedCapacity;
    if (options.onCapacity) request.ReturnConsumedCapacity = "INDEXES";
    try {
      const result = (await promisify(operation.act)(store, request)) as { ConsumedCapacity?: Capacity | Capacity[] };
      const capacity = result.ConsumedCapacity;
      for (const one of [capacity ?? []].flat())
        options.onCapacity?.(caller, name, operation.isWrite ? one : atLeast(one, request));
      return { status: 200, body: { ...result, ConsumedCapacity: shown(capacity, wanted) } };
    } catch (error) {
      const { capacity } = error as { capacity?: Capacity };
      if (capacity) options.onCapacity?.(caller, name, capacity);
      if (isDamage(error) && !commits.hasFailed && !isRepaired) {
        damage = error as Error;
        commits.fail(damage);
      }
      return answerOf(error, commits.hasFailed);
    } finally {
      // A batch may fail halfway; the records that it wrote are announced all the same.
      if (operation.isWrite) for (const table of tablesOf(request)) streams.announce(table);
    }
  };

  /** Registers work under way, for which `close` and `reopen` wait. */
  const tracked = async <T>(begin: () => Promise<T>): Promise<T> => {
    await reopening;
    const work = begin();
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
    }
  };

  const handle: LocalDatabase["handle"] = async (target, body, caller = "") => {
    const operation = target.slice(target.lastIndexOf(".") + 1);
    if (closed) return failure(500, "InternalServerError", "the local database is shutting down");
    const verdict = options.intercept?.({ operation, body, caller }) ?? "proceed";
    if (verdict === "fail-before") return failure(500, "InternalServerError", "injected fault, nothing was done");
    const answer = await tracked(() => run(operation, body, caller));
    return verdict === "fail-after" ? failure(500, "InternalServerError", "injected fault, the reply is lost") : answer;
  };

  const expire = async () => {
    const deleteItem = operations.get("DeleteItem")!.act;
    const expired = await expiry.sweep((request) => promisify(deleteItem)(store, request), commit);
    for (const name of names) streams.announce(name);
    await streams.trim();
    return expired;
  };
  const sweep = async () => (closed ? 0 : tracked(expire));

  const reopen = async () => {
    if (!commits.hasFailed || closed) return;
    const again = async () => {
      await Promise.allSettled(running);
      await store.db.close._original();
      if (damage) await repairOnce(damage);
      else await store.db.open();
      damage = undefined;
      commits.reopened();
    };
    const attempt = again();
    reopening = attempt.catch(() => {});
    await attempt;
  };

  const close = async () => {
    closed = true;
    await reopening;
    await Promise.allSettled(running);
    await store.db.close();
    if (options.dataFolder !== undefined && !commits.hasFailed) noteIfPossible(pathOf(options.dataFolder));
  };
  const storage = () => tracked(() => measureStorage(store.db, options.tables));
  return { handle, streams, sweep, storage, reopen, close };
}

/** Notes that the files are intact. On a full disk it cannot, and the next start reads them all instead. */
const noteIfPossible = (path: string): void => {
  try {
    noteWhole(path);
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
  }
};

const pathOf = (dataFolder: string): string => join(dataFolder, "dynamodb");

async function openStore(dataFolder: string | undefined, log?: (line: string) => void): Promise<Store> {
  const path = dataFolder === undefined ? undefined : pathOf(dataFolder);
  if (path) mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = path === undefined ? undefined : await findDamage(path);
  const isDamaged = found !== undefined && found.damaged.length > 0;
  if (isDamaged && (await isLocked(path!))) throw lockedError(path!);
  const store = dynalite.create({ path, createTableMs: 0 });
  if (isDamaged) {
    await store.db.close._original();
    setAside(path!, found.fatal);
    await repair(store, path!, new Error(`${found.damaged.join(", ")} could not be read`), log);
    return store;
  }
  try {
    await store.db.open();
  } catch (error) {
    const { cause } = error as { cause?: Error & { code?: string } };
    if (cause?.code === "LEVEL_LOCKED") throw lockedError(path!, error);
    const failure = storageFailure(cause ?? (error as Error));
    if (refusalOf(failure) !== undefined) throw failure;
    if (!isDamage(cause)) throw new Error(`cannot open the tables in ${path}: ${failure.message}`, { cause: error });
    await repair(store, path!, failure, log);
  }
  return store;
}

const lockedError = (path: string, cause?: unknown): Error =>
  new Error(`cannot open the tables in ${path}: is another Harborlight running on this folder?`, { cause });

const refusal = (name: string) =>
  name.startsWith("Transact")
    ? `${name}: Harborlight's local database has no transactions, because Harborlight uses none.`
    : `${name}: not known to Harborlight's local database.`;

/** The answer to an error that dynalite made for the caller. Throws any other error, which is the disk's or a bug. */
function answerOf(error: unknown, hasFailed = false): Answer {
  const { statusCode, body } = error as { statusCode?: number; body?: unknown };
  if (statusCode === undefined && hasFailed)
    return failure(507, "InternalServerError", insufficientStorage(error as Error).message);
  if (statusCode === undefined) throw error;
  return { status: statusCode, body };
}

/** Corrects dynalite, which counts 0 units for a query without results: it costs as much as the smallest item. */
const atLeast = (capacity: Capacity, { ConsistentRead }: Request): Capacity => ({
  ...capacity,
  CapacityUnits: Math.max(capacity.CapacityUnits, ConsistentRead ? 1 : 0.5),
});

const tablesOf = (request: Request): string[] =>
  request.TableName ? [request.TableName] : Object.keys((request.RequestItems ?? {}) as Record<string, unknown>);

function shown(capacity: Capacity | Capacity[] | undefined, wanted: unknown): unknown {
  if (!capacity || (wanted !== "TOTAL" && wanted !== "INDEXES")) return undefined;
  if (wanted === "INDEXES") return capacity;
  const total = ({ TableName, CapacityUnits }: Capacity) => ({ TableName, CapacityUnits });
  return Array.isArray(capacity) ? capacity.map(total) : total(capacity);
}
