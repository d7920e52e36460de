/** Writes blocks as probes would have, for tests and benchmarks of history; keeps the plain outcomes to compare with. */
import { BatchWriteCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type BlockEntry, encodeBlock, pausedEntry } from "../../shared/history/block.ts";
import { latencyCode, latencyOf } from "../../shared/history/latency.ts";
import type { PastOutcome } from "../../shared/history/outcome.ts";
import { blockExpiry, DEFAULT_RETENTION } from "../../shared/history/retention.ts";
import type { Health } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { blockKey, laneOf } from "../../shared/store/keys.ts";
import type { NoisyOutcome } from "./noise.ts";

/** What a member of a shard shows at a tick: an outcome, that it is paused, or nothing because it is not there. */
export type Member = (tick: number, location: string) => NoisyOutcome | "paused" | null;

export interface ShardRun {
  readonly shard: string;
  readonly locations: readonly string[];
  /** Ticks with `from <= tick < to`, `phase` seconds after multiples of the interval. */
  readonly from: number;
  readonly to: number;
  readonly phase?: number;
  readonly members: ReadonlyMap<string, Member>;
  /** No block at all: the location was silent, or the job was lost. */
  readonly isMissing?: (tick: number, location: string) => boolean;
  readonly isOffline?: (tick: number, location: string) => boolean;
}

export interface Database {
  readonly history: HistoryStore;
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly history: string };
}

/** Plain outcomes by `<monitor id> <location>`, oldest first within a shard. */
export type Plain = Map<string, PastOutcome[]>;

/**
 * Runs one shard.
 * @param plain where the outcomes are added, three digits as they are stored
 * @param views what the locations believed before, for a monitor that comes from another shard
 */
export async function runShard(
  { history, client, tables }: Database,
  run: ShardRun,
  plain?: Plain,
  views = new Map<string, Health>(),
): Promise<void> {
  const interval = laneOf(run.shard);
  const phase = run.phase ?? 0;
  const blocks: Record<string, unknown>[] = [];
  for (let tick = Math.ceil((run.from - phase) / interval) * interval + phase; tick < run.to; tick += interval) {
    for (const location of run.locations) {
      if (run.isMissing?.(tick, location)) continue;
      const offline = run.isOffline?.(tick, location) ?? false;
      const entries = new Map<string, BlockEntry>();
      for (const [id, member] of run.members) {
        const shown = member(tick, location);
        if (shown === null) continue;
        const key = `${id} ${location}`;
        const entry = shown === "paused" ? pausedEntry(1) : entryOf(shown, views.get(key), offline);
        if (entry.view) views.set(key, entry.view);
        entries.set(id, entry);
        const { state, reason, health, view, latencyMs, lossPercent } = entry;
        const outcome = {
          tick,
          intervalSeconds: interval,
          state,
          reason,
          health,
          view,
          offline,
          latencyMs,
          lossPercent,
        };
        plain?.set(key, (plain.get(key) ?? []).concat(outcome));
      }
      if (entries.size === 0) continue;
      const ids = [...entries.keys()].toSorted();
      const roster = await history.putRoster(ids);
      blocks.push({
        ...blockKey(run.shard, location, tick),
        data: encodeBlock({ offline, roster, entries: ids.map((id) => entries.get(id)!) }),
        expiresAtSeconds: blockExpiry(tick, DEFAULT_RETENTION),
      });
    }
  }
  // In batches, unlike the probe: thousands of blocks are wanted at once here.
  const batches = Array.from({ length: Math.ceil(blocks.length / 25) }, (_, i) => blocks.slice(i * 25, i * 25 + 25));
  await inParallel(batches, 4, async (batch) => {
    const requests = batch.map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteCommand({ RequestItems: { [tables.history]: requests } }));
  });
}

/** Failure and recovery threshold 1: the view follows what was measured. */
function entryOf(shown: NoisyOutcome, before: Health | undefined, offline: boolean): BlockEntry {
  const view = offline || shown.health === "unknown" ? (before ?? null) : shown.health;
  return {
    ...shown,
    latencyMs: latencyOf(latencyCode(shown.latencyMs)),
    lossPercent: shown.lossPercent === null ? null : Math.round(shown.lossPercent * 100) / 100,
    bits: 0xffff_ffff,
    bitCount: 32,
    settingsByte: 1,
    view,
    unmeasuredStreak: 0,
    upStreak: shown.health === "up" ? 127 : 0,
    notUpStreak: shown.health === "up" ? 0 : 127,
    doubt: 0,
  };
}
