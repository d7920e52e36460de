import { DAY_SECONDS } from "../../../shared/durations.ts";
import type { ItemKey } from "./engine/schema.ts";
import type { ItemWrite } from "./engine/writes.ts";
import type { GroupCommit } from "./group-commit.ts";
import { beginningWith, itemSuffix } from "./item-keys.ts";
import type { Change, ItemWriter } from "./item-writer.ts";
import type { Operation, Store } from "./store.ts";
import type { StoredTable } from "./table.ts";
import { documentOf, type StoredItem, type WireItem, wireOf } from "./wire.ts";

/** DynamoDB does not delete items that expired longer ago: most likely the expiry was stored in another unit. */
const OLDEST_SECONDS = 5 * 365 * DAY_SECONDS;
/** The marker's value for a table whose items do not expire. */
const NONE = "";

const prefix = (table: string) => `expiry~${table}~`;
const entryKey = ({ schema }: StoredTable, seconds: number, key: ItemKey) =>
  `${prefix(schema.name)}${pad(seconds)}~${itemSuffix(schema, key)}`;
const pad = (seconds: number) => String(Math.max(0, Math.floor(seconds))).padStart(15, "0");

const entryOf = (table: StoredTable, key: ItemKey, seconds: number): Operation => ({
  type: "put",
  key: entryKey(table, seconds, key),
  value: wireOf(table.schema.keyDocument(key)),
});

function entriesOf(table: StoredTable, { item }: StoredItem): Operation[] {
  const seconds = table.schema.expiryOf(item);
  return seconds === undefined ? [] : [entryOf(table, table.schema.keyOfItem(item), seconds)];
}

/**
 * Expiry of items (TTL). Each item that expires has an entry in an index sorted by expiry, written together with the
 * item, so that a sweep reads only what is due: scanning half a million blocks of history would take seconds each minute.
 */
export class Expiry {
  readonly #store: Store;
  readonly #commits: GroupCommit;
  /** @returns milliseconds since the epoch */
  readonly #now: () => Promise<number>;

  constructor(store: Store, commits: GroupCommit, now: () => number, steadyNow: () => number) {
    this.#store = store;
    this.#commits = commits;
    this.#now = createExpiryClock(store, commits, now, steadyNow);
  }

  /** Builds the index when the template names another TTL attribute than the one on disk. */
  async open(table: StoredTable): Promise<void> {
    const marker = `expiry-attribute~${table.name}`;
    const attribute = table.schema.expiryAttribute ?? NONE;
    if (this.#store.get(marker) === attribute) return;
    // The marker is removed first: a start that is cut short here builds the index again.
    await this.#commits.write([{ type: "del", key: marker }]);
    await this.#commits.clear(beginningWith(prefix(table.name)));
    for await (const items of table.items()) await this.#commits.write(items.flatMap((item) => entriesOf(table, item)));
    await this.#commits.write([{ type: "put", key: marker, value: attribute }]);
  }

  /** @returns the index's changes, to be written together with the item. */
  append({ table, key, before, after }: Change): Operation[] {
    if (table.schema.expiryAttribute === null) return [];
    const [was, is] = [table.schema.expiryOf(before?.item), table.schema.expiryOf(after?.item)];
    if (was === is) return [];
    return [
      ...(was === undefined ? [] : [{ type: "del", key: entryKey(table, was, key) } as const]),
      ...(is === undefined ? [] : [entryOf(table, key, is)]),
    ];
  }

  /** Deletes expired items, unless their expiry was changed meanwhile. @returns how many */
  async sweep(tables: readonly StoredTable[], writer: ItemWriter): Promise<number> {
    const nowSeconds = Math.floor((await this.#now()) / 1_000);
    let expired = 0;
    for (const table of tables) {
      const from = prefix(table.name);
      const due = { gte: from + pad(nowSeconds - OLDEST_SECONDS), lt: from + pad(nowSeconds) };
      for await (const page of this.#store.pages(due)) {
        const deletions = page.map(([, wire]) => deletionOf(table, wire as WireItem, nowSeconds));
        const outcomes = await Promise.all(
          deletions.map((write) => writer.write([{ table, write, hasExpired: true }])),
        );
        expired += outcomes.flat().filter(({ before, after }) => before && !after).length;
      }
    }
    return expired;
  }
}

const deletionOf = ({ schema }: StoredTable, key: WireItem, nowSeconds: number): ItemWrite => ({
  key: schema.keyOf(documentOf(key)),
  run(before) {
    const seconds = schema.expiryOf(before);
    return seconds !== undefined && seconds < nowSeconds ? undefined : before;
  },
  answer: () => undefined,
});

const CLOCK_KEY = "expiry-clock";
/**
 * Expiry's clock runs at most this many times as fast as real time. After a month without running it has caught up in
 * little more than a day; a machine whose clock is years ahead for an hour, until NTP corrects it, loses only a day of its
 * oldest history.
 */
const FASTEST = 24;

/** The wall clock without jumps ahead. The newest reading is stored, so that it does not jump at a restart either. */
const createExpiryClock = (store: Store, commits: GroupCommit, now: () => number, steadyNow: () => number) => {
  let last: number | undefined;
  let lastAt = steadyNow();
  return async (): Promise<number> => {
    last ??= store.get(CLOCK_KEY) as number | undefined;
    const at = steadyNow();
    last = Math.min(now(), last === undefined ? Number.POSITIVE_INFINITY : last + FASTEST * (at - lastAt));
    lastAt = at;
    await commits.write([{ type: "put", key: CLOCK_KEY, value: last }]);
    return last;
  };
};
