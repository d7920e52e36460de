/**
 * Rows of all monitors in memory, for filters, orders and totals: what settings and status say, without views. A warm
 * function keeps them and reads only what changed since, so that a list of 10,000 monitors costs 130 read units and not
 * 5,000. The keys of the index `changed` move with every change of settings or status, which is all that a row holds.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { ItemKey, Monitor, Status } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { chunksOf } from "../rules/plan.ts";
import { monitorIdOf, monitorKey } from "./keys.ts";
import { createListing, namePlace } from "./listing.ts";
import { type Item, readMany, type Waiting } from "./read.ts";

const TOP_FIELDS = {
  id: true,
  name: true,
  key: true,
  tags: true,
  paused: true,
  status: true,
  since: true,
  createdAt: true,
  updatedAt: true,
  deletedAt: true,
} as const;
const CHECK_FIELDS = { protocol: true, host: true, port: true } as const;

export interface MonitorRow extends Pick<Monitor, keyof typeof TOP_FIELDS | keyof typeof CHECK_FIELDS> {
  /** Position in the list by name. */
  readonly listKey: string;
}

const PROJECTION = {
  ProjectionExpression: [
    "pk",
    ...Object.keys(TOP_FIELDS).map((name) => `#${name}`),
    ...Object.keys(CHECK_FIELDS).map((name) => `#check.#${name}`),
  ].join(", "),
  ExpressionAttributeNames: Object.fromEntries(
    ["check", ...Object.keys(TOP_FIELDS), ...Object.keys(CHECK_FIELDS)].map((name) => [`#${name}`, name]),
  ),
};

const KEYS_AT_ONCE = 100;
const READS_AT_ONCE = 8;
/** How far the indexes may lag, and the clocks of functions differ. */
const OVERLAP_MS = 30_000;
/** All rows are read anew this often: a change whose key came later than `OVERLAP_MS` is then seen. */
const KEPT_MS = 30 * 60_000;
/** Up to so many monitors with a status are read by the index `attention`; for more, the rows of all are cheaper. */
const MOST_BY_STATUS = 1_000;

/** Statuses that the index `attention` holds. */
const isIndexed = (status: Status) => status !== "up";

const rowOf = ({ pk: _pk, check, ...top }: Item): MonitorRow => {
  const fields = { key: null, tags: {}, deletedAt: null, ...top, ...(check as object) } as Omit<MonitorRow, "listKey">;
  return { ...fields, listKey: namePlace(fields).listKey };
};

interface Kept {
  readonly rows: Map<string, MonitorRow>;
  /** Epoch milliseconds. */
  readonly loadedAt: number;
  /** When the last reading of changes began, epoch milliseconds. */
  seenAt: number;
}

export const createMonitorRows = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const listing = createListing(client, tableName);
  let kept: Kept | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const read = async (keys: readonly ItemKey[]): Promise<Map<string, MonitorRow>> => {
    const rows = new Map<string, MonitorRow>();
    await inParallel(chunksOf(keys, KEYS_AT_ONCE), READS_AT_ONCE, async (some) => {
      for await (const page of readMany(client, tableName, some, PROJECTION, waiting))
        for (const item of page) {
          const row = rowOf(item);
          rows.set(row.id, row);
        }
    });
    return rows;
  };

  const allKeys = async () => (await Array.fromAsync(listing.all("listed", "MONITORS"))).flat();

  const catchUp = async ({ rows, seenAt }: Kept) => {
    const from = new Date(seenAt - OVERLAP_MS).toISOString();
    const [changed, count] = await Promise.all([
      Array.fromAsync(listing.all("changed", "MONITORS", { from })),
      listing.count("listed", "MONITORS"),
    ]);
    const update = async (keys: readonly ItemKey[]) => {
      const present = await read(keys);
      for (const { pk } of keys) rows.delete(monitorIdOf(pk));
      for (const [id, row] of present) rows.set(id, row);
    };
    await update(changed.flat());
    if (rows.size === count) return;
    // Monitors were deleted, which leaves nothing in `changed`.
    const keys = await allKeys();
    const listed = new Set(keys.map(({ pk }) => monitorIdOf(pk)));
    for (const id of rows.keys()) if (!listed.has(id)) rows.delete(id);
    await update(keys.filter(({ pk }) => !rows.has(monitorIdOf(pk))));
  };

  const refresh = async (now: number): Promise<readonly MonitorRow[]> => {
    if (kept && Math.abs(now - kept.loadedAt) < KEPT_MS) {
      await catchUp(kept);
      kept.seenAt = now;
    } else kept = { rows: await read(await allKeys()), loadedAt: now, seenAt: now };
    return [...kept.rows.values()];
  };

  return {
    /** Rows of all monitors, in no order, including those marked as deleted; as fresh as the indexes. */
    rows(now: Date): Promise<readonly MonitorRow[]> {
      // One after the other, so that each call sees what was written before it.
      const next = running.then(() => refresh(now.getTime()));
      running = next.catch(() => undefined);
      return next;
    },

    /** Rows of the monitors with one of these statuses, in no order, and perhaps others: see `rows`. */
    async rowsWithStatus(statuses: readonly Status[], now: Date): Promise<readonly MonitorRow[]> {
      if (!statuses.every(isIndexed)) return this.rows(now);
      const keys: ItemKey[] = [];
      for (const status of statuses)
        for await (const page of listing.all("attention", "MONITORS", { prefix: `${status}#` })) {
          keys.push(...page);
          if (keys.length > MOST_BY_STATUS) return this.rows(now);
        }
      return [...(await read(keys)).values()];
    },

    /** Rows of those of these monitors that exist, in no order. */
    rowsOf: async (ids: readonly string[]): Promise<readonly MonitorRow[]> => [
      ...(await read([...new Set(ids)].map(monitorKey))).values(),
    ],

    /** How many monitors there are, including those marked as deleted. */
    count: (): Promise<number | null> => listing.count("listed", "MONITORS"),
  };
};
