/** A global secondary index: what of an item it shows, some time after the item was written. */
import type { Index } from "dynalite/db/index.js";
import { DueHeap } from "../../infra/local/sqs/due-heap.ts";
import { type Document, invalid, sizeOf, typeOf } from "./document.ts";
import { SEPARATOR, SortedRows } from "./sorted.ts";

/** DynamoDB projects at most so many named attributes into one index. */
const MAX_PROJECTED_NAMES = 20;

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
  readonly name: string;
  readonly hash: string;
  readonly range: string;
  /** Attributes that the index shows; undefined for all. */
  readonly #shown: readonly string[] | undefined;
  readonly #partitions = new Map<string, SortedRows<Entry>>();
  /** By item: what stands in the index now. */
  readonly #present = new Map<string, Document>();
  /** By item: what is on its way, in the order of the writes. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #due = new DueHeap();
  readonly #tableKeys: readonly [string, string];

  /** @throws when the definition asks for more than DynamoDB does, or for what is not done here */
  constructor({ IndexName, KeySchema, Projection }: Index, tableKeys: readonly [string, string]) {
    const [hash, range] = KeySchema;
    if (!hash || !range) throw new Error(`index ${IndexName}: only indexes with a sort key are supported here`);
    const named = Projection.NonKeyAttributes ?? [];
    if (named.length > MAX_PROJECTED_NAMES)
      throw new Error(`index ${IndexName}: DynamoDB projects ${MAX_PROJECTED_NAMES} names, this has ${named.length}`);
    this.name = IndexName;
    this.hash = hash.AttributeName;
    this.range = range.AttributeName;
    this.#tableKeys = tableKeys;
    this.#shown =
      Projection.ProjectionType === "ALL" ? undefined : [...new Set([...tableKeys, this.hash, this.range, ...named])];
  }

  /** @throws ValidationException: a key of an index is text or absent, never NULL or empty */
  assertKeys(item: Document): void {
    for (const name of [this.hash, this.range]) {
      const value = item[name];
      if (value === undefined) continue;
      if (typeof value !== "string")
        throw invalid(
          `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: S Actual: ${typeOf(value)} IndexName: ${this.name}`,
        );
      if (value === "")
        throw invalid(
          `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${this.name}, IndexKey: ${name}`,
        );
    }
  }

  /** @param atMs when the index shows it; never before what was written to the item earlier */
  write(key: string, before: Document | undefined, after: Document | undefined, atMs: number, nowMs: number): void {
    if (this.#looksAlike(before, after)) return;
    const item = after && this.#isIn(after) ? this.#project(after) : undefined;
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
    const [hash, range] = this.#tableKeys;
    return [item[this.range], item[hash], item[range]].join(SEPARATOR);
  }

  #isIn(item: Document): boolean {
    return typeof item[this.hash] === "string" && typeof item[this.range] === "string";
  }

  /** Most writes change nothing that the index shows. */
  #looksAlike(before: Document | undefined, after: Document | undefined): boolean {
    if (!before || !after || !this.#shown) return before === after;
    return this.#shown.every((name) => before[name] === after[name]);
  }

  #project(item: Document): Document {
    if (!this.#shown) return item;
    const shown: Record<string, unknown> = {};
    for (const name of this.#shown) if (item[name] !== undefined) shown[name] = item[name];
    return Object.freeze(shown);
  }

  #show(key: string, item: Document | undefined): void {
    const present = this.#present.get(key);
    if (present) this.#partitions.get(String(present[this.hash]))?.delete(this.placeOf(present));
    if (!item) {
      this.#present.delete(key);
      return;
    }
    this.#present.set(key, item);
    const hash = String(item[this.hash]);
    let partition = this.#partitions.get(hash);
    if (!partition) {
      partition = new SortedRows();
      this.#partitions.set(hash, partition);
    }
    partition.set(this.placeOf(item), { item, size: sizeOf(item) });
  }
}
