/** Rows of one partition in the order of their sort keys. */

/** A place between sort keys: right before all that begin at `text`, right after `text` itself, after all with that prefix. */
export interface Bound {
  readonly text: string;
  readonly side: "at" | "after" | "afterPrefix";
}

/** Follows a sort key within a longer key, as the place where equal ones are told apart. Keys contain none. */
export const SEPARATOR = "\0";
const AFTER_SEPARATOR = "\u0001";
const LAST = "\uffff";

export class SortedRows<Row> {
  readonly #keys: string[] = [];
  readonly #rows = new Map<string, Row>();

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  set(key: string, row: Row): void {
    if (!this.#rows.has(key)) {
      const last = this.#keys.at(-1);
      if (last === undefined || last < key) this.#keys.push(key);
      else this.#keys.splice(this.#placeOf(key), 0, key);
    }
    this.#rows.set(key, row);
  }

  delete(key: string): void {
    if (this.#rows.delete(key)) this.#keys.splice(this.#placeOf(key), 1);
  }

  get size(): number {
    return this.#keys.length;
  }

  values(): IterableIterator<Row> {
    return this.#rows.values();
  }

  /**
   * Rows between two bounds.
   * @param start the key after which to go on, in the direction asked for
   */
  *between(
    low: Bound | undefined,
    high: Bound | undefined,
    { descending, start }: { readonly descending: boolean; readonly start: string | undefined },
  ): Generator<Row> {
    let from = low ? this.#boundOf(low) : 0;
    let to = high ? this.#boundOf(high) : this.#keys.length;
    if (start !== undefined) {
      const place = this.#placeOf(start);
      if (descending) to = Math.min(to, place);
      else from = Math.max(from, this.#keys[place] === start ? place + 1 : place);
    }
    if (descending) for (let index = to - 1; index >= from; index--) yield this.#rows.get(this.#keys[index]!)!;
    else for (let index = from; index < to; index++) yield this.#rows.get(this.#keys[index]!)!;
  }

  #boundOf({ text, side }: Bound): number {
    const suffix = { at: "", after: AFTER_SEPARATOR, afterPrefix: LAST }[side];
    return this.#placeOf(text + suffix);
  }

  /** Index of the first key that is not before this one. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
