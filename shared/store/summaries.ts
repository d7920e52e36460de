/**
 * Summaries of all monitors' status in the history table, by bucket of monitors, hour and UTC day; and the changes that no
 * summary includes yet. `compact` writes summaries (`functions/compact/summaries.ts`), the API reads them.
 */
import { setTimeout } from "node:timers/promises";
import {
  BatchWriteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS, HOUR_SECONDS } from "../durations.ts";
import { decodeRoster, encodeRoster, rosterHash } from "../history/block.ts";
import { bytesOf, readable } from "../history/packing.ts";
import { chunkExpiry, DEFAULT_RETENTION, dayExpiry, summaryRosterExpiry } from "../history/retention.ts";
import type { RecordedStretch } from "../history/status-time.ts";
import { decodeRows, encodeRows, type Summary } from "../history/summary.ts";
import type { StretchStart } from "../model.ts";
import { chunksOf } from "../rules/plan.ts";
import { createAliveReader } from "./alive.ts";
import { unlessRaced } from "./condition.ts";
import type { HistoryStoreOptions } from "./history.ts";
import { CHANGE_PREFIX, summaryKey, summaryRosterKey } from "./keys.ts";
import type { Item } from "./read.ts";

/** Limit of BatchWriteItem. */
const ITEMS_PER_WRITE = 25;
const WRITE_ATTEMPTS = 8;
const CACHED_ROSTERS = 500;

export type Period = "HOUR" | "DAY";
export const PERIOD_SECONDS: Readonly<Record<Period, number>> = { HOUR: HOUR_SECONDS, DAY: DAY_SECONDS };

export interface StoredSummary extends Summary {
  /** First second. */
  readonly start: number;
  /** Optimistic lock of writers; 0 if it is not stored. */
  readonly version: number;
  /** How often summaries of earlier hours have been corrected; only the newest hour's counts. */
  readonly corrections: number;
}

/** A stretch that no summary includes yet. */
export interface Change extends RecordedStretch {
  readonly monitorId: string;
  readonly key: { readonly pk: string; readonly sk: string };
}

/** What the newest summaries say, and what happened since. */
export interface Newest {
  /** Summaries of hours, oldest first. */
  readonly hours: readonly StoredSummary[];
  readonly changes: readonly Change[];
}

const changeOf = ({ pk, sk, monitorId, status, since, sequence }: Item): Change => ({
  key: { pk: String(pk), sk: String(sk) },
  monitorId: String(monitorId),
  status: status as StretchStart["status"],
  since: String(since),
  sequence: Number(sequence),
});

const startOf = (sk: string, period: Period) => {
  const text = sk.slice(period.length + 1);
  return Date.parse(period === "HOUR" ? `${text}:00:00Z` : `${text}T00:00:00Z`) / 1000;
};

export const createSummaryStore = (
  client: DynamoDBDocumentClient,
  tableName: string,
  {
    retention = DEFAULT_RETENTION,
    now = Date.now,
    sleep = setTimeout,
    unreadable = ({ message }) => console.error(message),
  }: HistoryStoreOptions = {},
) => {
  const { isAlive, query } = createAliveReader(client, tableName, now);
  const nowSeconds = () => now() / 1000;
  /** Ids by hash, each with when it expires. */
  const rosters = new Map<string, { readonly ids: readonly string[]; readonly expiresAtSeconds: number }>();
  /** Rosters of different hours have most ids in common: each id is in memory once. */
  const known = new Map<string, string>();
  const once = (id: string) => {
    const same = known.get(id) ?? id;
    known.set(same, same);
    return same;
  };
  const remember = (hash: string, all: readonly string[], expiresAtSeconds: number) => {
    const ids = all.map(once);
    rosters.delete(hash);
    rosters.set(hash, { ids, expiresAtSeconds });
    if (rosters.size > CACHED_ROSTERS) rosters.delete(rosters.keys().next().value!);
    return ids;
  };

  const roster = async (bucket: number, hash: string): Promise<readonly string[] | undefined> => {
    const known = rosters.get(hash);
    if (known) return known.ids;
    const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: summaryRosterKey(bucket, hash) }));
    if (!isAlive(Item)) return undefined;
    const ids = readable(() => decodeRoster(bytesOf(Item, `roster ${hash}`), hash), unreadable);
    return ids && remember(hash, ids, Number(Item.expiresAtSeconds));
  };

  /** Makes sure that a roster outlives the summaries that refer to it; it is written again once a month. */
  const putRoster = async (bucket: number, ids: readonly string[]): Promise<string> => {
    const hash = rosterHash(ids);
    const wanted = summaryRosterExpiry(nowSeconds(), retention);
    if (!rosters.has(hash)) await roster(bucket, hash);
    if ((rosters.get(hash)?.expiresAtSeconds ?? 0) > wanted - 31 * DAY_SECONDS) return hash;
    const expiresAtSeconds = Math.floor(wanted);
    await client.send(
      new PutCommand({
        TableName: tableName,
        Item: { ...summaryRosterKey(bucket, hash), data: encodeRoster(ids), expiresAtSeconds },
      }),
    );
    remember(hash, ids, expiresAtSeconds);
    return hash;
  };

  /** A corrupt summary has no rows; its version stays known, so that it can be replaced. */
  const fromItem = async (bucket: number, period: Period, item: Item): Promise<StoredSummary> => {
    const what = `summary ${bucket} ${String(item.sk)}`;
    const ids = await roster(bucket, String(item.roster));
    const rows = ids && readable(() => decodeRows(bytesOf(item, what), ids.length, what), unreadable);
    return {
      start: startOf(String(item.sk), period),
      ids: rows ? ids : [],
      rows: rows ?? [],
      version: Number(item.version),
      corrections: Number(item.corrections ?? 0),
    };
  };

  /** Summaries that begin within `from <= t < to`, by their first second. */
  const summaries = async (
    bucket: number,
    period: Period,
    from: number,
    to: number,
    { isConsistent = false }: { readonly isConsistent?: boolean } = {},
  ) => {
    const found = new Map<number, StoredSummary>();
    if (to <= from) return found;
    const { pk, sk } = summaryKey(bucket, period, from);
    const items = query({
      KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
      ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": summaryKey(bucket, period, to - 1).sk },
      ConsistentRead: isConsistent,
    });
    for await (const item of items) {
      const summary = await fromItem(bucket, period, item);
      found.set(summary.start, summary);
    }
    return found;
  };

  return {
    summaries,

    /**
     * Hours that begin at or after `from`, and all changes that they lack. Read backwards: changes before hours, because
     * `compact` deletes a change after it has stored the hours that include it.
     */
    async newest(bucket: number, from: number): Promise<Newest> {
      const changes: Change[] = [];
      const hours: StoredSummary[] = [];
      const { pk, sk } = summaryKey(bucket, "HOUR", from);
      const items = query({
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":pk": pk, ":from": sk, ":to": `${CHANGE_PREFIX}~` },
        ScanIndexForward: false,
      });
      for await (const item of items) {
        if (String(item.sk).startsWith(CHANGE_PREFIX)) changes.push(changeOf(item));
        else hours.push(await fromItem(bucket, "HOUR", item));
      }
      return { hours: hours.reverse(), changes };
    },

    /** The changes that no summary includes yet; the latest may be missing. */
    async changes(bucket: number): Promise<Change[]> {
      const items = query({
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :new)",
        ExpressionAttributeValues: { ":pk": summaryKey(bucket, "HOUR", 0).pk, ":new": CHANGE_PREFIX },
      });
      return (await Array.fromAsync(items)).map(changeOf);
    },

    /** The newest hour there is, however old, or from a wrong clock; strongly consistent. */
    async newestHour(bucket: number): Promise<StoredSummary | undefined> {
      const { pk } = summaryKey(bucket, "HOUR", 0);
      const { Items: [item] = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :hour)",
          ExpressionAttributeValues: { ":pk": pk, ":hour": "HOUR#" },
          ScanIndexForward: false,
          Limit: 1,
          ConsistentRead: true,
        }),
      );
      return isAlive(item) ? fromItem(bucket, "HOUR", item) : undefined;
    },

    /**
     * Stores a summary, unless another run has stored it since it was read.
     * @param version that was read; 0 for none
     * @returns whether it was stored
     */
    async put(
      bucket: number,
      period: Period,
      { start, ids, rows, version, corrections }: StoredSummary,
    ): Promise<boolean> {
      const hash = await putRoster(bucket, ids);
      const end = start + PERIOD_SECONDS[period];
      const expiresAtSeconds =
        period === "HOUR"
          ? chunkExpiry(end, retention)
          : dayExpiry(new Date(start * 1000).toISOString().slice(0, 10), retention);
      return unlessRaced(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: {
              ...summaryKey(bucket, period, start),
              data: encodeRows(rows),
              roster: hash,
              version: version + 1,
              corrections,
              expiresAtSeconds,
            },
            ConditionExpression: version === 0 ? "attribute_not_exists(pk)" : "#version = :read",
            ...(version !== 0 && {
              ExpressionAttributeNames: { "#version": "version" },
              ExpressionAttributeValues: { ":read": version },
            }),
          }),
        ),
      );
    },

    /** Deletes changes that summaries include. */
    async forget(changes: readonly Change[]): Promise<void> {
      for (const some of chunksOf(changes, ITEMS_PER_WRITE)) {
        let left = some.map(({ key }) => ({ DeleteRequest: { Key: { ...key } } }));
        for (let attempt = 0; left.length > 0; attempt++) {
          if (attempt === WRITE_ATTEMPTS) throw new Error(`${left.length} items of ${tableName} were not deleted`);
          if (attempt > 0) await sleep(25 * 2 ** attempt);
          const { UnprocessedItems } = await client.send(
            new BatchWriteCommand({ RequestItems: { [tableName]: left } }),
          );
          left = (UnprocessedItems?.[tableName] ?? []) as typeof left;
        }
      }
    },
  };
};
export type SummaryStore = ReturnType<typeof createSummaryStore>;
