import type { Item, Level, Operation, Request, Table } from "dynalite/db/index.js";
import { DAY_SECONDS } from "../../../shared/durations.ts";
import type { TableDefinition } from "./table-definition.ts";

/** DynamoDB does not delete items that expired longer ago: most likely the expiry was stored in another unit. */
const OLDEST_SECONDS = 5 * 365 * DAY_SECONDS;
/** The marker's value for a table whose items do not expire. */
const NONE = "";
/** Items that a sweep reads and deletes at a time. */
const PAGE = 500;

const prefix = (table: string) => `expiry~${table}~`;
const entryKey = (table: string, seconds: number, key: string) => `${prefix(table)}${pad(seconds)}~${key}`;
const pad = (seconds: number) => String(Math.max(0, Math.floor(seconds))).padStart(15, "0");

/**
 * Expiry of items (TTL). Each item that expires has an entry in an index sorted by expiry, written together with the
 * item, so that a sweep reads only what is due: scanning half a million blocks of history would take seconds each minute.
 */
export function createExpiry(level: Level, now: () => number, steadyNow: () => number) {
  const clock = createExpiryClock(level, now, steadyNow);
  const attributes = new Map<string, string>();

  const secondsOf = (attribute: string, item: Item | null | undefined) => {
    const number = item?.[attribute]?.N;
    return typeof number === "string" ? Number(number) : undefined;
  };

  return {
    /** Builds the index when the template names another TTL attribute than the one on disk. */
    async open(table: TableDefinition, commit: (operations: Operation[]) => Promise<unknown>): Promise<void> {
      const marker = `expiry-attribute~${table.name}`;
      const attribute = table.expiryAttribute;
      if (attribute !== null) attributes.set(table.name, attribute);
      const marked = await level.get(marker);
      if (marked !== undefined && marked === (attribute ?? NONE)) return;
      // The marker is removed first: a start that is cut short here builds the index again.
      await commit([{ type: "del", key: marker }]);
      await level.clear({ gt: prefix(table.name), lt: `${prefix(table.name)}\x7f` });
      const items = `item-${table.name}~`;
      const iterator = level.iterator({ gt: items, lt: `${items}\x7f` });
      for (let page = await iterator.nextv(PAGE); page.length > 0; page = await iterator.nextv(PAGE)) {
        const entries = page.flatMap(([key, item]): Operation[] => {
          const seconds = attribute === null ? undefined : secondsOf(attribute, item as Item);
          const rest = key.slice(items.length);
          if (seconds === undefined) return [];
          return [{ type: "put", key: entryKey(table.name, seconds, rest), value: keyOf(table.keys, item as Item) }];
        });
        await commit(entries);
      }
      await iterator.close();
      await commit([{ type: "put", key: marker, value: attribute ?? NONE }]);
    },

    /** @returns the index's changes, to be written together with the item. */
    append(table: Table, key: string, before: Item | undefined, after: Item | null): Operation[] {
      const attribute = attributes.get(table.TableName);
      if (attribute === undefined) return [];
      const [was, is] = [secondsOf(attribute, before), secondsOf(attribute, after)];
      if (was === is) return [];
      const operations: Operation[] = [];
      if (was !== undefined) operations.push({ type: "del", key: entryKey(table.TableName, was, key) });
      if (is !== undefined) {
        operations.push({
          type: "put",
          key: entryKey(table.TableName, is, key),
          value: keyOf(table.KeySchema, after!),
        });
      }
      return operations;
    },

    /** Deletes expired items, unless their expiry was changed meanwhile. @returns how many */
    async sweep(
      deleteItem: (request: Request) => Promise<unknown>,
      commit: (operations: Operation[]) => Promise<unknown>,
    ): Promise<number> {
      const nowSeconds = Math.floor((await clock.read(commit)) / 1_000);
      let expired = 0;
      for (const [table, attribute] of attributes) {
        const from = prefix(table) + pad(nowSeconds - OLDEST_SECONDS);
        const iterator = level.iterator({ gte: from, lt: prefix(table) + pad(nowSeconds) });
        for (let page = await iterator.nextv(PAGE); page.length > 0; page = await iterator.nextv(PAGE)) {
          const deleted = await Promise.all(
            page.map(([, key]) => {
              const due = { ComparisonOperator: "LT", AttributeValueList: [{ N: String(nowSeconds) }] };
              const Expected = { [attribute]: due };
              return deleteItem({ TableName: table, Key: key, Expected, expired: true }).then(
                () => 1,
                (error: { body?: { __type?: string } }) => {
                  if (error.body?.__type?.endsWith("ConditionalCheckFailedException")) return 0;
                  throw error;
                },
              );
            }),
          );
          expired += deleted.reduce<number>((sum, one) => sum + one, 0);
        }
        await iterator.close();
      }
      return expired;
    },
  };
}

const CLOCK_KEY = "expiry-clock";
/**
 * Expiry's clock runs at most this many times as fast as real time. After a month without running it has caught up in
 * little more than a day; a machine whose clock is years ahead for an hour, until NTP corrects it, loses only a day of its
 * oldest history.
 */
const FASTEST = 24;

/** The wall clock without jumps ahead. The newest reading is stored, so that it does not jump at a restart either. */
const createExpiryClock = (level: Level, now: () => number, steadyNow: () => number) => {
  let last: number | undefined;
  let lastAt = steadyNow();
  return {
    /** @returns milliseconds since the epoch */
    read: async (commit: (operations: Operation[]) => Promise<unknown>): Promise<number> => {
      last ??= (await level.get(CLOCK_KEY)) as number | undefined;
      const at = steadyNow();
      last = Math.min(now(), last === undefined ? Number.POSITIVE_INFINITY : last + FASTEST * (at - lastAt));
      lastAt = at;
      await commit([{ type: "put", key: CLOCK_KEY, value: last }]);
      return last;
    },
  };
};

const keyOf = (keys: Table["KeySchema"], item: Item): Item =>
  Object.fromEntries(keys.map(({ AttributeName }) => [AttributeName, item[AttributeName]!]));
