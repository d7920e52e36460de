/** The parts of dynalite 4.0.0 that are used here. It ships no types; its internals are private, so the version is pinned. */
declare module "dynalite/db/index.js" {
  export type Item = Record<string, Record<string, unknown>>;
  export type Done = (error?: Error | null, result?: unknown) => void;

  export interface Index {
    IndexName: string;
    KeySchema: { AttributeName: string; KeyType: string }[];
    Projection: { ProjectionType: string; NonKeyAttributes?: string[] };
  }
  export interface Table {
    TableName: string;
    TableArn: string;
    TableStatus: string;
    AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
    KeySchema: { AttributeName: string; KeyType: string }[];
    GlobalSecondaryIndexes?: Index[];
    LocalSecondaryIndexes?: Index[];
  }
  export type Operation = { type: "put"; key: string; value: unknown } | { type: "del"; key: string };
  export interface Range {
    gt?: string;
    gte?: string;
    lt?: string;
    lte?: string;
    limit?: number;
    reverse?: boolean;
    /** For LevelDB on disk: bytes at which `nextv` ends a page; default 16 KB. */
    highWaterMarkBytes?: number;
    /** Default `json`. */
    valueEncoding?: "utf8";
  }
  /** An open LevelDB, on disk or in memory, whose values are JSON. */
  export interface Level {
    readonly constructor: { repair(location: string): Promise<void> };
    open(): Promise<void>;
    get(key: string): Promise<unknown>;
    batch(operations: Operation[]): Promise<void>;
    clear(range: Range): Promise<void>;
    /** After dynalite's wrapper the database cannot be opened again; after `_original` it can. */
    close: { (): Promise<void>; readonly _original: () => Promise<void> };
    iterator(range: Range): {
      nextv(size: number): Promise<[string, unknown][]>;
      close(): Promise<void>;
    };
    keys(range: Range): { nextv(size: number): Promise<string[]>; close(): Promise<void> };
    values(range: Range): { nextv(size: number): Promise<unknown[]>; close(): Promise<void> };
  }
  export interface SubDb {
    put(key: string, value: unknown, done: Done): void;
    del(key: string, done: Done): void;
    createValueStream(range: Range): NodeJS.ReadableStream;
  }
  export interface Store {
    readonly db: Level;
    readonly tableDb: SubDb;
    getItemDb(table: string): SubDb;
    getIndexDb(kind: "global" | "local", table: string, index: string): SubDb;
  }
  /** A request after dynalite's validation. */
  export type Request = Record<string, unknown> & { TableName: string };
  interface IndexActions {
    puts: { index: string; key: string; item: Item }[];
    deletes: { index: string; key: string }[];
  }
  const db: {
    create(options: Record<string, unknown>): Store;
    createKey(item: Item, table: Table): string;
    itemSize(item: Item): number;
    validationError(message: string): Error;
    checkConditional(request: Request, before?: Item): (Error & { body: Record<string, unknown> }) | null | undefined;
    addConsumedCapacity(request: Request, isRead: boolean, item?: Item, other?: Item): unknown;
    updateIndexes(store: Store, table: Table, before: Item | undefined, after: Item | null, done: Done): void;
    getIndexActions(indexes: Index[], before: Item | undefined, after: Item | null, table: Table): IndexActions;
  };
  export default db;
}

declare module "dynalite/validations/index.js" {
  import type { Request, Store } from "dynalite/db/index.js";

  const validations: {
    checkTypes(body: unknown, types: Record<string, unknown>): Request;
    checkValidations(request: Request, types: Record<string, unknown>, custom: unknown, store: Store): void;
  };
  export default validations;
}

declare module "dynalite/validations/*.js" {
  const validation: { types: Record<string, unknown>; custom: unknown };
  export default validation;
}

declare module "dynalite/actions/*.js" {
  import type { Done, Request, Store } from "dynalite/db/index.js";

  const action: (store: Store, request: Request, done: Done) => void;
  export default action;
}
