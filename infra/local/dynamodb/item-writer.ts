import { isSame } from "./engine/document.ts";
import { Refusal } from "./engine/refusal.ts";
import type { ItemKey } from "./engine/schema.ts";
import type { ItemWrite } from "./engine/writes.ts";
import type { GroupCommit } from "./group-commit.ts";
import { itemKey } from "./item-keys.ts";
import type { Operation } from "./store.ts";
import type { StoredTable } from "./table.ts";
import { StoredItem } from "./wire.ts";

/** A change of one item that is about to be written, beside which more is to be written. */
export interface Change {
  readonly table: StoredTable;
  readonly key: ItemKey;
  readonly before: StoredItem | undefined;
  readonly after: StoredItem | undefined;
  /** Deleted by the table itself, because its time was over. */
  readonly hasExpired: boolean;
}

export interface TableWrite {
  readonly table: StoredTable;
  readonly write: ItemWrite;
  readonly hasExpired?: boolean;
}

/** What became of a write. */
export interface Outcome {
  readonly before: StoredItem | undefined;
  readonly after: StoredItem | undefined;
  /** Why nothing was written. */
  readonly refusal: Refusal | undefined;
}

/**
 * Writes items atomically: an item, its index entries, its entry in the order of expiry and its stream record, or those of
 * all items of a transaction, go to disk in one batch. Writes of one item wait for each other until they are on disk.
 */
export class ItemWriter {
  readonly #commits: GroupCommit;
  readonly #beside: (change: Change) => Operation[];
  /** By the item's key in the store: when the last write of it is done. */
  readonly #busy = new Map<string, Promise<unknown>>();

  /** @param beside tells what is to be written together with a change, which is then written for certain, or the disk failed */
  constructor(commits: GroupCommit, beside: (change: Change) => Operation[]) {
    this.#commits = commits;
    this.#beside = beside;
  }

  /** Writes all, or nothing if one is refused. @returns an outcome for each */
  async write(writes: readonly TableWrite[]): Promise<Outcome[]> {
    const keys = writes.map(({ table, write }) => itemKey(table.schema, write.key));
    const earlier = keys.flatMap((key) => this.#busy.get(key) ?? []);
    const work =
      earlier.length > 0 ? Promise.allSettled(earlier).then(() => this.#perform(writes)) : this.#perform(writes);
    for (const key of keys) this.#busy.set(key, work);
    try {
      return await work;
    } finally {
      for (const key of keys) if (this.#busy.get(key) === work) this.#busy.delete(key);
    }
  }

  async #perform(writes: readonly TableWrite[]): Promise<Outcome[]> {
    const outcomes = writes.map(outcomeOf);
    if (outcomes.some(({ refusal }) => refusal)) return outcomes;
    const operations = writes.flatMap(({ table, write: { key }, hasExpired = false }, index) => {
      const { before, after } = outcomes[index]!;
      if (before === after) return [];
      return [
        table.itemOperation(key, after),
        ...table.indexOperations(before, after),
        ...this.#beside({ table, key, before, after, hasExpired }),
      ];
    });
    if (operations.length > 0) await this.#commits.write(operations);
    return outcomes;
  }
}

/** `after` is `before` where the write changes nothing. */
function outcomeOf({ table, write }: TableWrite): Outcome {
  const before = table.get(write.key);
  try {
    const item = write.run(before?.item);
    const isChanged = item && before ? !isSame(item, before.item) : item !== before?.item;
    return { before, after: isChanged ? item && StoredItem.ofItem(item) : before, refusal: undefined };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { before, after: before, refusal: error };
  }
}
