import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { insufficientStorage, refusalOf } from "../disk/disk.ts";
import { steadyNow } from "../scheduler/clock.ts";
import type { Capacity } from "./capacity.ts";
import { notFound, Refusal } from "./engine/refusal.ts";
import { Expiry } from "./expiry.ts";
import { GroupCommit, storageFailure } from "./group-commit.ts";
import { ItemWriter } from "./item-writer.ts";
import { createOperations, type Result, type Tables } from "./operations.ts";
import { findDamage, isDamage, isLocked, noteWhole, repair, setAside } from "./repair.ts";
import type { Fields } from "./request.ts";
import { measureStorage, type StorageRow } from "./storage.ts";
import { DiskStore, MemoryStore, type Store } from "./store.ts";
import { Streams } from "./streams.ts";
import { StoredTable } from "./table.ts";
import { describedIn, prepareTable } from "./table-changes.ts";
import type { TableDefinition } from "./table-definition.ts";
import { wireOf } from "./wire.ts";

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
 * Opens the local DynamoDB: tables with streams, expiry (TTL), and DynamoDB's expressions, limits and capacity.
 * @throws when another process has the folder open, or a table's key differs from the template's.
 */
export async function openDatabase(options: DatabaseOptions): Promise<LocalDatabase> {
  const disk = options.dataFolder === undefined ? undefined : await openDisk(options.dataFolder, options.log);
  const store: Store = disk ?? new MemoryStore();
  const commits = new GroupCommit(store, options.refused);
  const streams = new Streams(store, commits, options.now ?? steadyNow);
  const expiry = new Expiry(store, commits, options.now ?? (() => Date.now()), options.now ?? steadyNow);
  const all = new Map(options.tables.map((definition) => [definition.name, new StoredTable(definition, store)]));
  const writer = new ItemWriter(commits, (change) => [...expiry.append(change), ...streams.append(change)]);
  const tables: Tables = {
    writer,
    names: [...all.keys()],
    table(name) {
      const found = all.get(name ?? "");
      if (!found) throw notFound(`: Table: ${name} not found`);
      return found;
    },
    described: (name) => describedIn(store, name),
  };
  const operations = createOperations(options.now ?? steadyNow);
  const running = new Set<Promise<unknown>>();
  let reopening: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** Damage found while reading. A repair is tried once only. */
  let damage: Error | undefined;
  let isRepaired = false;
  const prepare = async () => {
    for (const table of all.values()) {
      await prepareTable(store, table, commits);
      await expiry.open(table);
    }
  };
  const repairOnce = async (error: Error) => {
    if (isRepaired || !disk) throw error;
    await disk.close();
    await repair(disk, pathOf(options.dataFolder!), error, options.log);
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
    await store.close();
    throw error;
  }

  const run = async (name: string, body: unknown, caller: string): Promise<Answer> => {
    const operation = operations.get(name);
    if (!operation)
      return failure(400, "UnknownOperationException", `${name}: not known to Harborlight's local database.`);
    try {
      const result = await operation.run(tables, body);
      for (const one of options.onCapacity ? result.capacity() : []) options.onCapacity?.(caller, name, one);
      return answerOf(result, body as Fields);
    } catch (error) {
      if (error instanceof Refusal) return refused(error);
      if (isDamage(error) && !commits.hasFailed && !isRepaired) {
        damage = error as Error;
        commits.fail(damage);
      }
      if (commits.hasFailed) return failure(507, "InternalServerError", insufficientStorage(error as Error).message);
      throw error;
    } finally {
      // A batch may fail halfway; the records that it wrote are announced all the same.
      if (operation.isWrite) for (const table of tables.names) streams.announce(table);
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
    const expired = await expiry.sweep([...all.values()], writer);
    for (const name of tables.names) streams.announce(name);
    await streams.trim();
    return expired;
  };
  const sweep = async () => (closed ? 0 : tracked(expire));

  const reopen = async () => {
    if (!commits.hasFailed || closed || !disk) return;
    const again = async () => {
      await Promise.allSettled(running);
      await disk.close();
      if (damage) await repairOnce(damage);
      else await disk.open();
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
    await store.close();
    if (options.dataFolder !== undefined && !commits.hasFailed) noteIfPossible(pathOf(options.dataFolder));
  };
  const storage = () => tracked(() => measureStorage(store, options.tables));
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

async function openDisk(dataFolder: string, log?: (line: string) => void): Promise<DiskStore> {
  const path = pathOf(dataFolder);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { damaged, fatal } = await findDamage(path);
  if (damaged.length > 0 && (await isLocked(path))) throw lockedError(path);
  const store = new DiskStore(path);
  if (damaged.length > 0) {
    setAside(path, fatal);
    await repair(store, path, new Error(`${damaged.join(", ")} could not be read`), log);
    return store;
  }
  try {
    await store.open();
  } catch (error) {
    const { cause } = error as { cause?: Error & { code?: string } };
    if (cause?.code === "LEVEL_LOCKED") throw lockedError(path, error);
    const failure = storageFailure(cause ?? (error as Error));
    if (refusalOf(failure) !== undefined) throw failure;
    if (!isDamage(cause)) throw new Error(`cannot open the tables in ${path}: ${failure.message}`, { cause: error });
    await repair(store, path, failure, log);
  }
  return store;
}

const lockedError = (path: string, cause?: unknown): Error =>
  new Error(`cannot open the tables in ${path}: is another Harborlight running on this folder?`, { cause });

function refused({ name, message, item, reasons }: Refusal): Answer {
  const { status, body } = failure(400, name, message);
  const CancellationReasons = reasons?.map((reason) => ({
    Code: reason.code,
    ...(reason.message !== undefined && { Message: reason.message }),
    ...(reason.item && { Item: wireOf(reason.item) }),
  }));
  return {
    status,
    body: {
      ...(body as object),
      ...(item && { Item: wireOf(item) }),
      ...(CancellationReasons && { CancellationReasons }),
    },
  };
}

/** @param request whose `ReturnConsumedCapacity` says what to show of the capacity */
function answerOf(
  { body, capacity }: Result,
  { ReturnConsumedCapacity: wanted, RequestItems, TransactItems }: Fields,
): Answer {
  if (body instanceof Refusal) return refused(body);
  if (wanted !== "TOTAL" && wanted !== "INDEXES") return { status: 200, body };
  const total = ({ TableName, CapacityUnits }: Capacity) => ({ TableName, CapacityUnits });
  const all = wanted === "INDEXES" ? capacity() : capacity().map(total);
  return { status: 200, body: { ...body, ConsumedCapacity: RequestItems || TransactItems ? all : all[0] } };
}
