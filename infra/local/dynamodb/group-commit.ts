import type { Operation, Range, Store } from "./store.ts";

/** A batch that waits to be written. */
interface Waiting {
  readonly operations: Operation[];
  done(failure: Error | null): void;
}

/**
 * Group commit: batches are written one after another, and writes that arrive meanwhile go together into the next.
 *
 * After a failed batch nothing is written until the files have been closed and opened again: LevelDB would append after
 * the torn record, and the next start could read neither.
 */
export class GroupCommit {
  readonly #store: Store;
  readonly #refused: (error: Error) => void;
  #waiting: Waiting[] = [];
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

  /** Writes in the order of the calls. Resolves once all of the operations are on disk; after an error none is. */
  write(operations: Operation[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, done: (failure) => (failure ? reject(failure) : resolve()) });
      if (!this.#writing) void this.#commit();
    });
  }

  /** Removes a range of keys, to which nothing may be written meanwhile. */
  async clear(range: Range): Promise<void> {
    for await (const page of this.#store.keyPages(range)) await this.write(page.map((key) => ({ type: "del", key })));
  }

  async #commit(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        if (!this.#failure) await this.#store.batch(group.flatMap(({ operations }) => operations));
      } catch (error) {
        this.fail(error as Error);
      }
      for (const { done } of group) done(this.#failure);
    }
    this.#writing = false;
  }
}

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
