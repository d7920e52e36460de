/**
 * The history table: blocks and rosters as the probe writes them, chunks and days as compact makes them of these
 * (`archive.ts`). Everything in it expires. Every list reads one partition by a range of its sort key, page by page.
 */
import { setTimeout } from "node:timers/promises";
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { type Block, decodeBlock, decodeRoster, encodeBlock, encodeRoster, rosterHash } from "../history/block.ts";
import { bytesOf, type CorruptHistory, readable } from "../history/packing.ts";
import { DEFAULT_RETENTION, type Retention } from "../history/retention.ts";
import { createAliveReader } from "./alive.ts";
import { createArchive } from "./archive.ts";
import { unlessRaced } from "./condition.ts";
import { blockKey, rosterKey, tickKey } from "./keys.ts";

const DAY_SECONDS = 86_400;

/** Rosters kept in memory: some 10 KB each. */
const CACHED_ROSTERS = 500;

export interface HistoryStoreOptions {
  readonly retention?: Retention;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Waits so many milliseconds. Default: a real timer. */
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** Told of what cannot be read and is left out. Default: a line on stderr. */
  readonly unreadable?: (error: CorruptHistory) => void;
}

export function createHistoryStore(
  client: DynamoDBDocumentClient,
  tableName: string,
  {
    retention = DEFAULT_RETENTION,
    now = Date.now,
    sleep = setTimeout,
    unreadable = ({ message }) => console.error(message),
  }: HistoryStoreOptions = {},
) {
  const nowSeconds = () => Math.floor(now() / 1000);
  const alive = createAliveReader(client, tableName, now);
  const { isAlive, query } = alive;

  const rosters = new Map<string, readonly string[]>();
  /** When each roster has to be written again, in epoch seconds. */
  const rosterDueAt = new Map<string, number>();

  return {
    ...createArchive(client, tableName, alive, { retention, now, sleep, unreadable }),

    /** For readers of what `blocks` gives. */
    unreadable,

    /** Stores a block unless its tick has one already. @returns whether it was stored. */
    async putBlock(shard: string, location: string, block: Block, expiresAtSeconds: number): Promise<boolean> {
      return unlessRaced(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: { ...blockKey(shard, location, block.tick), data: encodeBlock(block), expiresAtSeconds },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
    },

    /** The newest block up to a tick. Consistent: streaks go on from it. */
    async latestBlock(shard: string, location: string, atOrBeforeTick: number): Promise<Block | undefined> {
      const { pk, sk } = blockKey(shard, location, atOrBeforeTick);
      const { Items: [item] = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND sk <= :sk",
          ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
          ScanIndexForward: false,
          Limit: 1,
          ConsistentRead: true,
        }),
      );
      return isAlive(item)
        ? decodeBlock(item.data as Uint8Array, { shard, location, tick: Number(item.sk) })
        : undefined;
    },

    /** Packed blocks with `fromTick <= tick < toTick`, oldest first; `openBlock` reads their `data`. */
    async *blocks(shard: string, location: string, fromTick: number, toTick: number) {
      const { pk, sk } = blockKey(shard, location, fromTick);
      if (toTick <= fromTick) return;
      const items = query({
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": tickKey(toTick - 1) },
      });
      for await (const item of items) {
        const data = readable(() => bytesOf(item, `block ${shard} ${location} ${Number(item.sk)}`), unreadable);
        if (data) yield { tick: Number(item.sk), data };
      }
    },

    /** The first tick with a block, `fromTick <= tick < toTick`; undefined without any. */
    async firstTick(shard: string, location: string, fromTick: number, toTick: number): Promise<number | undefined> {
      const { pk, sk } = blockKey(shard, location, fromTick);
      if (toTick <= fromTick) return undefined;
      const { Items: [item] = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": tickKey(toTick - 1) },
          Limit: 1,
          ConsistentRead: true,
        }),
      );
      return item && Number(item.sk);
    },

    /**
     * Makes sure that a roster is kept for as long as blocks that name it: writes it if it is new, and again once a
     * day while it is in use.
     * @returns its hash
     */
    async putRoster(ids: readonly string[]): Promise<string> {
      const hash = rosterHash(ids);
      const dueAt = (expiresAtSeconds: number) => expiresAtSeconds - (retention.rosterDays - 1) * DAY_SECONDS;
      if ((rosterDueAt.get(hash) ?? 0) > nowSeconds()) return hash;
      // A fresh process asks first: half a read unit instead of three write units.
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: rosterKey(hash), ProjectionExpression: "expiresAtSeconds" }),
      );
      let expiresAtSeconds = Number(Item?.expiresAtSeconds ?? 0);
      if (dueAt(expiresAtSeconds) <= nowSeconds()) {
        expiresAtSeconds = nowSeconds() + retention.rosterDays * DAY_SECONDS;
        await client.send(
          new PutCommand({
            TableName: tableName,
            Item: { ...rosterKey(hash), data: encodeRoster(ids), expiresAtSeconds },
          }),
        );
      }
      remember(rosterDueAt, hash, dueAt(expiresAtSeconds));
      return hash;
    },

    /** The monitor ids of a roster, or undefined where it is not known (any more) or cannot be read. */
    async roster(hash: string): Promise<readonly string[] | undefined> {
      const known = rosters.get(hash);
      if (known) return known;
      const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: rosterKey(hash) }));
      if (!isAlive(Item)) return undefined;
      const ids = readable(() => decodeRoster(bytesOf(Item, `roster ${hash}`), hash), unreadable);
      if (!ids) return undefined;
      remember(rosters, hash, ids);
      return ids;
    },
  };
}
export type HistoryStore = ReturnType<typeof createHistoryStore>;

/** Keeps the newest `CACHED_ROSTERS` entries. */
function remember<V>(cache: Map<string, V>, key: string, value: V) {
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > CACHED_ROSTERS) cache.delete(cache.keys().next().value!);
}
