/**
 * Compacted history: chunks, days, and how far compaction has got. Writes are idempotent: an item's content follows
 * from its outcomes alone, its expiry from their time.
 */
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { decodeChunk, encodeChunk } from "../history/chunk.ts";
import { startOfDate, startOfDay } from "../history/day.ts";
import type { PastOutcome } from "../history/outcome.ts";
import { bytesOf, readable } from "../history/packing.ts";
import { chunkExpiry, dayExpiry, oldestBlock } from "../history/retention.ts";
import { decodeTally, encodeTally, type Tally } from "../history/tally.ts";
import type { AliveReader } from "./alive.ts";
import { unlessRaced } from "./condition.ts";
import type { HistoryStoreOptions } from "./history.ts";
import { chunkKey, dayKey, progressKey, tickKey } from "./keys.ts";
import { writeAll } from "./write-all.ts";

export interface ChunkWrite {
  readonly monitorId: string;
  readonly location: string;
  readonly shard: string;
  /** Oldest first, at least one. */
  readonly outcomes: readonly PastOutcome[];
}

export interface DayWrite {
  readonly monitorId: string;
  /** Or `MERGED`. */
  readonly location: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly tally: Tally;
}

/** How far a shard's blocks have become chunks and days. Moments are epoch seconds. */
export interface Progress {
  /** By location: every tick before this is in a chunk, or its block is gone. */
  readonly chunkedUntil: ReadonlyMap<string, number>;
  /** Every date before this one has its day items, or its blocks are gone. */
  readonly daysUntil: number;
  /** Hashes of the rosters of compacted blocks, by `<date>#<location>`, until the date's day items are written. */
  readonly rosters: ReadonlyMap<string, ReadonlySet<string>>;
  /** How many members too many the shard's counter had at the last recount. */
  readonly drift: number;
  /**
   * Whether a clock that was ahead wrote this, so that windows and days may have been compacted before they were over.
   * The moments above are then set back, as if none of the existing blocks had been compacted.
   */
  readonly isAhead: boolean;
}

const UNTIL = "until#";
const DAYS_UNTIL = "daysUntil";
/** When any of these moved last, by the clock of the run that moved it. */
const ADVANCED_AT = "advancedAt";
/** Tolerated difference between the clocks of two runs. */
const CLOCK_SKEW_SECONDS = 60;
const ROSTERS = "rosters#";

export const createArchive = (
  client: DynamoDBDocumentClient,
  tableName: string,
  { isAlive, query }: AliveReader,
  { retention, now, sleep, unreadable }: Required<HistoryStoreOptions>,
) => {
  const write = (items: readonly Record<string, unknown>[]) => writeAll(client, tableName, items, sleep);

  /** Advances a watermark; does nothing if it is as far or further already. */
  const advance = async (shard: string, update: { more: string; names: object; values: object }) => {
    await unlessRaced(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: progressKey(shard),
          UpdateExpression: `SET #until = :until, ${ADVANCED_AT} = :now ${update.more}`,
          ConditionExpression: "attribute_not_exists(#until) OR #until < :until",
          ExpressionAttributeNames: { ...update.names },
          ExpressionAttributeValues: { ...update.values, ":now": Math.floor(now() / 1000) },
        }),
      ),
    );
  };

  return {
    putChunks: (chunks: readonly ChunkWrite[]) =>
      write(
        chunks.map(({ monitorId, location, shard, outcomes }) => ({
          ...chunkKey(monitorId, location, outcomes[0]!.tick, shard),
          data: encodeChunk(outcomes),
          expiresAtSeconds: chunkExpiry(outcomes.at(-1)!.tick, retention),
        })),
      ),

    /**
     * Chunks that may hold outcomes with `from <= tick < to`, by first tick. Whole chunks: they may hold others too.
     * Strongly consistent: a caller who has read the progress sees all its chunks.
     */
    async *chunks(monitorId: string, location: string, from: number, to: number) {
      if (to <= from) return;
      // A chunk never crosses midnight.
      const { pk } = chunkKey(monitorId, location, 0, "");
      const items = query({
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": tickKey(startOfDay(from)), ":to": `${tickKey(to - 1)}#~` },
        ConsistentRead: true,
      });
      for await (const item of items) {
        const [firstTick = "", ...shard] = String(item.sk).split("#");
        const what = `chunk ${pk} ${String(item.sk)}`;
        const outcomes = readable(() => decodeChunk(bytesOf(item, what), Number(firstTick), what), unreadable);
        if (outcomes) yield { shard: shard.join("#"), outcomes };
      }
    },

    putDays: (days: readonly DayWrite[]) =>
      write(
        days.map(({ monitorId, location, date, tally }) => ({
          ...dayKey(monitorId, location, date),
          data: encodeTally(tally),
          expiresAtSeconds: dayExpiry(date, retention),
        })),
      ),

    /** Tallies of the days that have one, by their first second. @param from first second of the first day */
    async days(monitorId: string, location: string, from: number, to: number): Promise<Map<number, Tally>> {
      const found = new Map<number, Tally>();
      if (to <= from) return found;
      const date = (moment: number) => new Date(moment * 1000).toISOString().slice(0, 10);
      const { pk, sk } = dayKey(monitorId, location, date(from));
      const items = query({
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": dayKey(monitorId, location, date(to - 1)).sk },
      });
      for await (const item of items) {
        const what = `day ${pk} ${String(item.sk)}`;
        const tally = readable(() => decodeTally(bytesOf(item, what), what), unreadable);
        if (tally) found.set(startOfDate(String(item.sk).slice("DAY#".length)), tally);
      }
      return found;
    },

    /** Strongly consistent. */
    async progress(shard: string): Promise<Progress> {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: progressKey(shard), ConsistentRead: true }),
      );
      const entries = Object.entries(isAlive(Item) ? Item : {});
      const starting = <T>(prefix: string) =>
        new Map(
          entries
            .filter(([name]) => name.startsWith(prefix))
            .map(([name, value]) => [name.slice(prefix.length), value as T]),
        );
      const nowSeconds = now() / 1000;
      const oldest = oldestBlock(nowSeconds, retention);
      const chunkedUntil = starting<number>(UNTIL);
      const daysUntil = Number(Item?.[DAYS_UNTIL] ?? oldest);
      const latest = Math.max(
        daysUntil,
        Number(Item?.[ADVANCED_AT] ?? 0) - CLOCK_SKEW_SECONDS,
        ...chunkedUntil.values(),
      );
      const isAhead = latest > nowSeconds;
      return {
        chunkedUntil: isAhead ? new Map([...chunkedUntil.keys()].map((location) => [location, oldest])) : chunkedUntil,
        daysUntil: isAhead ? Math.min(daysUntil, oldest) : daysUntil,
        isAhead,
        rosters: starting<Set<string>>(ROSTERS),
        drift: Number(Item?.drift ?? 0),
      };
    },

    /** Notes that every tick of a location before `until` is in a chunk. Never moves backwards (but see `setBack`). */
    advanceChunks: (shard: string, location: string, until: number, date: string, rosters: ReadonlySet<string>) =>
      advance(shard, {
        more: rosters.size > 0 ? "ADD #rosters :rosters" : "",
        names: {
          "#until": `${UNTIL}${location}`,
          ...(rosters.size > 0 && { "#rosters": `${ROSTERS}${date}#${location}` }),
        },
        values: { ":until": until, ...(rosters.size > 0 && { ":rosters": new Set(rosters) }) },
      }),

    /** Notes that every date before `until` has its day items, and removes the rosters that were kept for them. */
    advanceDays: (shard: string, until: number, rosterNames: readonly string[]) =>
      advance(shard, {
        more: rosterNames.length > 0 ? `REMOVE ${rosterNames.map((_, i) => `#r${i}`).join(", ")}` : "",
        names: {
          "#until": DAYS_UNTIL,
          ...Object.fromEntries(rosterNames.map((name, i) => [`#r${i}`, `${ROSTERS}${name}`])),
        },
        values: { ":until": until },
      }),

    /**
     * Stores the corrected watermarks of `progress` after clock skew. Compacting again repeats work and loses nothing.
     */
    async setBack(shard: string, { chunkedUntil, daysUntil }: Progress): Promise<void> {
      const untils = [...chunkedUntil].map(([location, until]) => [`${UNTIL}${location}`, until] as const);
      const moments = [[DAYS_UNTIL, daysUntil] as const, ...untils];
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: progressKey(shard),
          UpdateExpression: `SET ${moments.map((_, i) => `#m${i} = :m${i}`).join(", ")} REMOVE ${ADVANCED_AT}`,
          ExpressionAttributeNames: Object.fromEntries(moments.map(([name], i) => [`#m${i}`, name])),
          ExpressionAttributeValues: Object.fromEntries(moments.map(([, moment], i) => [`:m${i}`, moment])),
        }),
      );
    },

    async rememberDrift(shard: string, drift: number): Promise<void> {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: progressKey(shard),
          UpdateExpression: "SET drift = :drift",
          ExpressionAttributeValues: { ":drift": drift },
        }),
      );
    },
  };
};
