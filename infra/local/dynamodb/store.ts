/** Where tables are stored: an ordered map of text to JSON, on disk (LevelDB) or in memory. */
import { ClassicLevel } from "classic-level";
import { SortedRows } from "./engine/sorted-rows.ts";

export type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: unknown }
  | { readonly type: "del"; readonly key: string };

export interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly limit?: number | undefined;
  readonly reverse?: boolean;
}

export type Entry = [key: string, value: unknown];

export interface Store {
  get(key: string): unknown;
  /** All entries of a range as they are now, page by page; no page is empty. */
  pages(range: Range): AsyncGenerator<Entry[]>;
  keyPages(range: Range): AsyncGenerator<string[]>;
  /** Does all of the operations or, after a crash, none. */
  batch(operations: Operation[]): Promise<void>;
  close(): Promise<void>;
}

/** Most entries of one page. */
const PAGE = 1_000;
/** Bytes at which LevelDB ends a page. Its default of 16 KB would be five records of 3 KB. */
const PAGE_BYTES = 1024 * 1024;

export class DiskStore implements Store {
  readonly #path: string;
  #opened: ClassicLevel<string, unknown> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get #level(): ClassicLevel<string, unknown> {
    if (!this.#opened) throw new Error(`the tables in ${this.#path} are not open`);
    return this.#opened;
  }

  /** @throws LevelDB's error in `cause` */
  async open(): Promise<void> {
    const level = new ClassicLevel<string, unknown>(this.#path, { valueEncoding: "json" });
    await level.open();
    this.#opened = level;
  }

  /** Rebuilds closed files from what LevelDB can read of them. */
  repair(): Promise<void> {
    return ClassicLevel.repair(this.#path);
  }

  /** Reads without a thread of LevelDB's, which would cost twenty times the reading. */
  get(key: string): unknown {
    return this.#level.getSync(key);
  }

  pages(range: Range): AsyncGenerator<Entry[]> {
    return pagesOf(this.#level.iterator({ ...range, highWaterMarkBytes: PAGE_BYTES }));
  }

  keyPages(range: Range): AsyncGenerator<string[]> {
    return pagesOf(this.#level.keys({ ...range, highWaterMarkBytes: PAGE_BYTES }));
  }

  clear(range: Range): Promise<void> {
    return this.#level.clear(range);
  }

  /** All entries, with values as text: of damaged files they may not be JSON. */
  textPages(): AsyncGenerator<[string, string][]> {
    return pagesOf(this.#level.iterator<string, string>({ valueEncoding: "utf8", highWaterMarkBytes: PAGE_BYTES }));
  }

  batch(operations: Operation[]): Promise<void> {
    return this.#level.batch(operations);
  }

  async close(): Promise<void> {
    await this.#opened?.close();
    this.#opened = undefined;
  }
}

async function* pagesOf<T>(iterator: {
  nextv(size: number): Promise<T[]>;
  close(): Promise<void>;
}): AsyncGenerator<T[]> {
  try {
    // A page may be short; only an empty one means the end.
    for (let page = await iterator.nextv(PAGE); page.length > 0; page = await iterator.nextv(PAGE)) yield page;
  } finally {
    await iterator.close();
  }
}

/** Keeps values as text, so that nobody changes what is stored by what he gave or got. */
export class MemoryStore implements Store {
  readonly #rows = new SortedRows<{ readonly key: string; readonly text: string }>();

  get(key: string): unknown {
    const row = this.#rows.get(key);
    return row && JSON.parse(row.text);
  }

  async *pages(range: Range): AsyncGenerator<Entry[]> {
    const page = this.#within(range).map(({ key, text }): Entry => [key, JSON.parse(text)]);
    if (page.length > 0) yield page;
  }

  async *keyPages(range: Range): AsyncGenerator<string[]> {
    const page = this.#within(range).map(({ key }) => key);
    if (page.length > 0) yield page;
  }

  async batch(operations: Operation[]): Promise<void> {
    for (const operation of operations) {
      const { key } = operation;
      if (operation.type === "del") this.#rows.delete(key);
      else this.#rows.set(key, { key, text: JSON.stringify(operation.value) });
    }
  }

  async close(): Promise<void> {}

  #within({ gt, gte, lt, lte, limit, reverse = false }: Range) {
    const low = gt === undefined ? bound(gte, "at") : bound(gt, "after");
    const high = lt === undefined ? bound(lte, "after") : bound(lt, "at");
    return this.#rows
      .between(low, high, { descending: reverse, start: undefined })
      .take(limit ?? Infinity)
      .toArray();
  }
}

const bound = (text: string | undefined, side: "at" | "after") => (text === undefined ? undefined : { text, side });
