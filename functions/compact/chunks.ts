/**
 * Compacts blocks into chunks: window by window, each monitor of a shard gets one item with all its outcomes of the
 * window. The watermark moves after the chunks are written. A run that dies is repeated from the watermark; that is
 * idempotent, because chunks follow from the blocks alone.
 */
import { chunkWindow } from "../../shared/history/chunk.ts";
import { dateOf } from "../../shared/history/day.ts";
import type { PastOutcome } from "../../shared/history/outcome.ts";
import { oldestBlock } from "../../shared/history/retention.ts";
import { inParallel } from "../../shared/parallel.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import { shardBlocks } from "../../shared/store/shard-blocks.ts";

/** How long after its end a window may still get blocks, from jobs that ran late. */
const SETTLE_SECONDS = 120;
/** Items per request, and concurrent requests. */
const CHUNKS_PER_WRITE = 25;
const WRITES_AT_ONCE = 8;

export interface ChunkDependencies {
  readonly history: HistoryStore;
  readonly blockDays: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly hasTime: () => boolean;
}

/** End of the last window of a lane that can get no more blocks. */
export const settledUntil = (intervalSeconds: number, nowSeconds: number) =>
  chunkWindow(intervalSeconds, Math.floor(nowSeconds) - intervalSeconds - SETTLE_SECONDS).start;

export const createChunking = ({ history, blockDays, now, hasTime }: ChunkDependencies) => {
  const outcomesOf = async (shard: string, location: string, from: number, to: number) => {
    const byMonitor = new Map<string, PastOutcome[]>();
    const rosters = new Set<string>();
    for await (const { roster, ids, outcome } of shardBlocks(history, shard, location, from, to)) {
      rosters.add(roster);
      ids.forEach((id, row) => {
        const found = outcome(row);
        const list = byMonitor.get(id);
        if (found && list) list.push(found);
        else if (found) byMonitor.set(id, [found]);
      });
    }
    return { byMonitor, rosters };
  };

  /** Compacts one location of a shard from its watermark on. @returns the new watermark */
  return async (shard: string, location: string, watermark: number | undefined): Promise<number> => {
    const nowSeconds = now() / 1000;
    const settled = settledUntil(laneOf(shard), nowSeconds);
    let until = Math.max(watermark ?? 0, oldestBlock(nowSeconds, { blockDays }));
    while (until < settled && hasTime()) {
      const first = await history.firstTick(shard, location, until, settled);
      if (first === undefined) {
        await history.advanceChunks(shard, location, settled, "", new Set());
        return settled;
      }
      const window = chunkWindow(laneOf(shard), first);
      const { byMonitor, rosters } = await outcomesOf(shard, location, window.start, window.end);
      const chunks = [...byMonitor].map(([monitorId, outcomes]) => ({ monitorId, location, shard, outcomes }));
      const writes = Array.from({ length: Math.ceil(chunks.length / CHUNKS_PER_WRITE) }, (_, i) =>
        chunks.slice(i * CHUNKS_PER_WRITE, (i + 1) * CHUNKS_PER_WRITE),
      );
      await inParallel(writes, WRITES_AT_ONCE, (some) => history.putChunks(some));
      await history.advanceChunks(shard, location, window.end, dateOf(window.start), rosters);
      until = window.end;
    }
    return until;
  };
};
