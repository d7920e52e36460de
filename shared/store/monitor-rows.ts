/**
 * Rows of all monitors in memory, in the order of their names, for filters, orders, totals and the overview. A warm
 * function keeps them and reads only what changed since: 2 read units instead of 5,000 for 10,000 monitors. The index
 * `changed` moves with every change of settings or status, and with a deletion, but not with views: what a row says of
 * them (`cause`, `certificateEndsMs`, `revision`) may be as old as `KEPT_MS`.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { ItemKey, Status, Timestamp } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { chunksOf } from "../rules/plan.ts";
import { MONITOR_SK, monitorIdOf, monitorKey } from "./keys.ts";
import { compareText, createListing } from "./listing.ts";
import { type MonitorRow, ROW_PROJECTION, rowFromItem } from "./monitor-row.ts";
import { readMany, type Waiting } from "./read.ts";

const KEYS_AT_ONCE = 100;
const READS_AT_ONCE = 8;
/** How far the indexes may lag, and the clocks of functions differ: changes so far back are looked at again. */
const OVERLAP_MS = 300_000;
/** Two changes of a monitor may have the same moment: until this long after it the row is read again in any case. */
const SETTLED_MS = 30_000;
/**
 * All rows are read anew this often, for views and for changes whose key came later than `OVERLAP_MS`. More often is dear:
 * each time costs $0.0006 for 10,000 monitors.
 */
const KEPT_MS = 2 * 3_600_000;
/** Up to so many monitors with a status are read by the index `attention`; for more, the rows of all are cheaper. */
const MOST_BY_STATUS = 1_000;

/** Statuses that the index `attention` holds. */
const isIndexed = (status: Status) => status !== "up";

const byName = (a: MonitorRow, b: MonitorRow) => compareText(a.listKey, b.listKey);

interface Kept {
  readonly rows: ReadonlyMap<string, MonitorRow>;
  /** Epoch milliseconds. */
  readonly loadedAt: number;
  /** When the last reading of changes began, epoch milliseconds. */
  readonly seenAt: number;
  /** By name. */
  readonly sorted: readonly MonitorRow[];
}

/** A change of a monitor's settings or status, or its deletion. */
export interface Changed {
  readonly id: string;
  readonly at: Timestamp;
  /** Whether this is the trace of a deleted monitor. */
  readonly isFormer: boolean;
}

export const createMonitorRows = (client: DynamoDBDocumentClient, tableName: string, waiting: Waiting = {}) => {
  const listing = createListing(client, tableName);
  let kept: Kept | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const read = async (keys: readonly ItemKey[]): Promise<Map<string, MonitorRow>> => {
    const rows = new Map<string, MonitorRow>();
    await inParallel(chunksOf(keys, KEYS_AT_ONCE), READS_AT_ONCE, async (some) => {
      for await (const page of readMany(client, tableName, some, ROW_PROJECTION, waiting))
        for (const item of page) {
          const row = rowFromItem(item);
          rows.set(row.id, row);
        }
    });
    return rows;
  };

  const changedAfter = async (moment: Timestamp): Promise<Changed[]> => {
    const keys = await Array.fromAsync(listing.all("changed", "MONITORS", { from: moment }));
    return keys
      .flat()
      .map(({ pk, sk, position }) => ({ id: monitorIdOf(pk), at: position, isFormer: sk !== MONITOR_SK }))
      .sort((a, b) => (a.at < b.at ? -1 : 1));
  };

  const keep = (rows: ReadonlyMap<string, MonitorRow>, loadedAt: number, seenAt: number): Kept => {
    const sorted = [...rows.values()].sort(byName);
    // In order, so that sorting again after a few changes takes one pass.
    return { rows: new Map(sorted.map((row) => [row.id, row])), sorted, loadedAt, seenAt };
  };

  const refreshed = async (now: number): Promise<Kept> => {
    if (!kept || Math.abs(now - kept.loadedAt) >= KEPT_MS) {
      const keys = await Array.fromAsync(listing.all("listed", "MONITORS"));
      return keep(await read(keys.flat()), now, now);
    }
    const known = kept.rows;
    const settled = new Date(kept.seenAt - SETTLED_MS).toISOString();
    const changed = await changedAfter(new Date(kept.seenAt - OVERLAP_MS).toISOString());
    const isKnown = ({ id, at, isFormer }: Changed) =>
      at < settled && (isFormer ? !known.has(id) : known.get(id)?.changedAt === at);
    const ids = new Set(changed.filter((one) => !isKnown(one)).map(({ id }) => id));
    if (ids.size === 0) return { ...kept, seenAt: now };
    const present = await read([...ids].map(monitorKey));
    const rows = new Map([...kept.rows, ...present]);
    for (const id of ids) if (!present.has(id)) rows.delete(id);
    return keep(rows, kept.loadedAt, now);
  };

  return {
    /** Rows of all monitors by name, including those marked as deleted; as fresh as the indexes, but for their views. */
    rows(now: Date): Promise<readonly MonitorRow[]> {
      // One after the other, so that each call sees what was written before it.
      const next = running.then(async () => {
        kept = await refreshed(now.getTime());
        return kept.sorted;
      });
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

    /** Rows of those of these monitors that exist, in no order, as they are now; eventually consistent. */
    rowsOf: async (ids: readonly string[]): Promise<readonly MonitorRow[]> => [
      ...(await read([...new Set(ids)].map(monitorKey))).values(),
    ],

    /** What changed after a moment, oldest change first. */
    changedAfter,

    /** How many monitors there are, including those marked as deleted. */
    count: (): Promise<number | null> => listing.count("listed", "MONITORS"),
  };
};
export type MonitorRows = ReturnType<typeof createMonitorRows>;
