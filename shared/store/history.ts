/**
 * The history table: blocks and rosters as the probe writes them, chunks and days as compact makes them of these
 * (`archive.ts`). Everything in it expires. Every list reads one partition by a range of its sort key, page by page.
 */
import { setTimeout } from "node:timers/promises";
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS } from "../durations.ts";
import {
  type Block,
  type BlockPlace,
  decodeBlock,
  decodeRoster,
  encodeBlock,
  encodeRoster,
  rosterHash,
} from "../history/block.ts";
import { bytesOf, type CorruptHistory, readable } from "../history/packing.ts";
import { DEFAULT_RETENTION, type Retention } from "../history/retention.ts";
import { createAliveReader } from "./alive.ts";
import { createArchive } from "./archive.ts";
import { unlessRaced } from "./condition.ts";
import { blockKey, rosterKey, tickKey } from "./keys.ts";

/** How many unfinished ticks (claimed, but without a block) in a row are skipped to find the newest block. */
const CLAIMS_PASSED = 4;

/**
 * A block further ahead than this was written by a wrong clock: more than an early job and the clocks' tolerance
 * explain.
 */
const FUTURE_SECONDS = 80;

/** A lease on a tick: while it lasts, only this run may write the tick's block and views. */
export interface Claim {
  /** Unique id of the run. */
  readonly run: string;
  /** End of the lease, epoch milliseconds. */
  readonly untilMs: number;
  readonly expiresAtSeconds: number;
  /** Id of a run whose block may be replaced, because it was written by a clock that was ahead. */
  readonly replaces?: string | undefined;
}

export interface TickState {
  /** The newest block before it. */
  readonly previous: Block | undefined;
  /** `done`: it has a block. `claimed`: another run holds its lease. */
  readonly state: "free" | "claimed" | "done";
  /** Whether another run has claimed it, and may have written views that `previous` does not reflect. */
  readonly isBegun: boolean;
  /** Whether an earlier tick was claimed and never ended: its run may still be about to store views. */
  readonly isUnfinished: boolean;
  /** The run that wrote a block for this tick while its clock was ahead. */
  readonly replaces?: string | undefined;
}

/** Rosters kept in memory: some 10 KB each. */
const CACHED_ROSTERS = 500;

export interface HistoryStoreOptions {
  readonly retention?: Retention;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Default: a real timer. */
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** Called for corrupt items, which are left out. Default: a line on stderr. */
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

  /** Writes the item of a tick, unless another run has written its block or holds its lease. */
  const putOwn = (
    { shard, location, tick }: BlockPlace,
    item: Record<string, unknown>,
    { run, replaces = "" }: Pick<Claim, "run" | "replaces">,
    nowMs: number,
  ) =>
    unlessRaced(
      client.send(
        new PutCommand({
          TableName: tableName,
          Item: { ...blockKey(shard, location, tick), ...item },
          // A delayed claim must not overwrite the block of its own run.
          ConditionExpression: `attribute_not_exists(pk) OR #run = :replaces OR ${
            item.data ? "#run = :run" : "(#run = :run AND attribute_not_exists(#data))"
          } OR (attribute_not_exists(#data) AND #until < :now)`,
          ExpressionAttributeNames: { "#run": "run", "#data": "data", "#until": "until" },
          ExpressionAttributeValues: { ":run": run, ":replaces": replaces, ":now": nowMs },
        }),
      ),
    );

  const blockOf = (item: Record<string, unknown> | undefined, shard: string, location: string) =>
    item &&
    readable(() => decodeBlock(item.data as Uint8Array, { shard, location, tick: Number(item.sk) }), unreadable);

  /** The newest item up to a tick, the newest block among them, and the claims newer than that block. */
  const latest = async (shard: string, location: string, atOrBeforeTick: number) => {
    const { pk, sk } = blockKey(shard, location, atOrBeforeTick);
    const read = async (Limit: number) => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND sk <= :sk",
          ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
          ScanIndexForward: false,
          Limit,
          ConsistentRead: true,
        }),
      );
      return Items.filter(isAlive);
    };
    let items = await read(1);
    if (items[0] && !items[0].data) items = await read(CLAIMS_PASSED);
    const [newest] = items;
    const place = items.findIndex(({ data }) => data);
    return {
      newest,
      claims: items.slice(0, place < 0 ? undefined : place),
      block: blockOf(items[place], shard, location),
    };
  };

  /** Whether there are blocks in the future: then they were written by a clock that was ahead. */
  const hasFuture = async (shard: string, location: string) => {
    const { Items: [newest] = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": blockKey(shard, location, 0).pk },
        ProjectionExpression: "sk",
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    // The clock is read after the answer: a process that was frozen meanwhile must not take the present for the future.
    return newest !== undefined && Number(newest.sk) > nowSeconds() + FUTURE_SECONDS;
  };

  /** Whether a claim is of an earlier tick, and its run had to be at its end by now. */
  const isOver = ({ sk, until }: Record<string, unknown>, tick: number, nowMs: number) =>
    String(sk) < tickKey(tick) && Number(until) < nowMs;

  const previousOf = async ({ shard, location, tick }: BlockPlace, nowMs: number) => {
    const { block, claims } = await latest(shard, location, tick - 1);
    return { previous: block, isUnfinished: claims.some((claim) => isOver(claim, tick, nowMs)) };
  };

  return {
    ...createArchive(client, tableName, alive, { retention, now, sleep, unreadable }),

    /** Callback for corrupt items, for callers that decode what `blocks` yields. */
    unreadable,

    /**
     * Acquires the lease on a tick, so that no other run writes its block or views until the lease ends. Fails if
     * another run holds it or has written the block.
     * @returns whether the run holds the lease
     */
    claimTick(place: BlockPlace, claim: Claim, nowMs: number): Promise<boolean> {
      const { run, untilMs, expiresAtSeconds } = claim;
      return putOwn(place, { run, until: untilMs, expiresAtSeconds }, claim, nowMs);
    },

    /** Stores a block, unless another run owns its tick. @returns whether it was stored */
    putBlock(block: Omit<Block, "version">, claim: Omit<Claim, "untilMs">, nowMs: number): Promise<boolean> {
      const { run, expiresAtSeconds } = claim;
      return putOwn(block, { run, data: encodeBlock(block), expiresAtSeconds }, claim, nowMs);
    },

    /**
     * The newest block up to a tick. Strongly consistent, because streaks continue from it. Undefined if it is corrupt,
     * or if too many unfinished ticks precede it.
     */
    async latestBlock(shard: string, location: string, atOrBeforeTick: number): Promise<Block | undefined> {
      return (await latest(shard, location, atOrBeforeTick)).block;
    },

    /** The newest block before a tick, and whether a run after that block never ended. Strongly consistent. */
    previousOf,

    /** The state of a tick, and the newest block before it. Strongly consistent. */
    async tickState(place: BlockPlace, nowMs: number): Promise<TickState> {
      const { shard, location, tick } = place;
      const { block, newest, claims } = await latest(shard, location, tick);
      const isMine = newest?.sk === tickKey(tick);
      const before = { previous: block, isUnfinished: claims.some((claim) => isOver(claim, tick, nowMs)) };
      if (!isMine) return { ...before, state: "free", isBegun: false };
      const isBegun = true;
      if (!newest.data) return { ...before, state: Number(newest.until) < nowMs ? "free" : "claimed", isBegun };
      if (!(await hasFuture(shard, location))) return { ...before, previous: undefined, state: "done", isBegun };
      return { ...(await previousOf(place, nowMs)), state: "free", isBegun, replaces: String(newest.run ?? "") };
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
        if (item.data === undefined) continue; // claimed, but not finished
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
     * Makes sure that a roster outlives the blocks that refer to it: writes it if it is new, and extends its expiry
     * once a day while it is in use.
     * @returns its hash
     */
    async putRoster(ids: readonly string[]): Promise<string> {
      const hash = rosterHash(ids);
      const dueAt = (expiresAtSeconds: number) => expiresAtSeconds - (retention.rosterDays - 1) * DAY_SECONDS;
      if ((rosterDueAt.get(hash) ?? 0) > nowSeconds()) return hash;
      // A new process reads first: half a read unit instead of three write units.
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

    /** The monitor ids of a roster; undefined if it is missing, expired or corrupt. */
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

/** Puts an entry into a cache, and evicts the oldest beyond `CACHED_ROSTERS`. */
function remember<V>(cache: Map<string, V>, key: string, value: V) {
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > CACHED_ROSTERS) cache.delete(cache.keys().next().value!);
}
