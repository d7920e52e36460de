/** A global secondary index: what of an item it shows, some time after the item was written. */
import { type Document, sizeOf } from "../../infra/local/dynamodb/engine/document.ts";
import type { IndexSchema, TableSchema } from "../../infra/local/dynamodb/engine/schema.ts";
import { SEPARATOR, SortedRows } from "../../infra/local/dynamodb/engine/sorted-rows.ts";
import { DueHeap } from "../../infra/local/sqs/due-heap.ts";

interface Entry {
  readonly item: Document;
  readonly size: number;
}

/** What the index is to show of an item from a moment on; nothing where the item is not in it. */
interface Waiting {
  readonly atMs: number;
  readonly item: Document | undefined;
}

export class SecondaryIndex {
  readonly schema: IndexSchema;
  readonly #tableKeys: readonly string[];
  readonly #partitions = new Map<string, SortedRows<Entry>>();
  /** By item: what stands in the index now. */
  readonly #present = new Map<string, Document>();
  /** By item: what is on its way, in the order of the writes. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #due = new DueHeap();

  constructor(schema: IndexSchema, { keyNames }: TableSchema) {
    this.schema = schema;
    this.#tableKeys = keyNames;
  }

  /** @param atMs when the index shows it; never before what was written to the item earlier */
  write(key: string, before: Document | undefined, after: Document | undefined, atMs: number, nowMs: number): void {
    // Most writes change nothing that the index shows.
    if (before && after && this.schema.isSameEntry(before, after)) return;
    const item = this.schema.entryOf(after);
    const earlier = this.#waiting.get(key);
    if (!earlier && atMs <= nowMs) {
      this.#show(key, item);
      return;
    }
    const waiting = { atMs: Math.max(atMs, earlier?.at(-1)?.atMs ?? 0), item };
    if (earlier) earlier.push(waiting);
    else this.#waiting.set(key, [waiting]);
    this.#due.push(waiting.atMs, key);
  }

  /** Rows of one partition, as they show at a moment. */
  partition(hash: string, nowMs: number): SortedRows<Entry> | undefined {
    for (let next = this.#due.peek(); next && next.atMs <= nowMs; next = this.#due.peek()) {
      this.#due.pop();
      const waiting = this.#waiting.get(next.id)!;
      this.#show(next.id, waiting.shift()!.item);
      if (waiting.length === 0) this.#waiting.delete(next.id);
    }
    return this.#partitions.get(hash);
  }

  /** Where an item stands in its partition: by its sort key, then by its key in the table. */
  placeOf(item: Document): string {
    const { range } = this.schema;
    return [...(range === undefined ? [] : [range]), ...this.#tableKeys].map((name) => item[name]).join(SEPARATOR);
  }

  #show(key: string, item: Document | undefined): void {
    const present = this.#present.get(key);
    if (present) this.#partitions.get(String(present[this.schema.hash]))?.delete(this.placeOf(present));
    if (!item) {
      this.#present.delete(key);
      return;
    }
    this.#present.set(key, item);
    const hash = String(item[this.schema.hash]);
    let partition = this.#partitions.get(hash);
    if (!partition) {
      partition = new SortedRows();
      this.#partitions.set(hash, partition);
    }
    partition.set(this.placeOf(item), { item, size: sizeOf(item) });
  }
}
