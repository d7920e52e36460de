/** Reads a page of raw outcomes of a monitor, newest first. */
import { DAY_SECONDS } from "../durations.ts";
import { isPaused, type PastOutcome } from "../history/outcome.ts";
import type { Range } from "../history/steps.ts";
import { inParallel } from "../parallel.ts";
import type { HistoryReader, Watched } from "./history-reader.ts";
import { laneOf } from "./keys.ts";

export interface Result extends PastOutcome {
  readonly location: string;
}

/** Position of the last result of a page; the order is by tick, newest first, then by location. */
export interface Position {
  readonly tick: number;
  readonly location: string;
}

/** Longest span of time that is read at once. */
const LARGEST_STRETCH_SECONDS = 32 * DAY_SECONDS;

/**
 * @param locations to show
 * @returns at most `limit` results, and whether there may be more
 */
export async function readResults(
  reader: HistoryReader,
  monitor: Watched,
  locations: readonly string[],
  { from, to }: Range,
  limit: number,
  after?: Position,
): Promise<{ readonly items: Result[]; readonly next: Position | null }> {
  const lane = Math.min(DAY_SECONDS, ...monitor.placements.map(({ shard }) => laneOf(shard)));
  const items: Result[] = [];
  // The tick of the position may have results of further locations.
  let end = after ? Math.min(to, after.tick + 1) : to;
  // The time that a full page spans if there are no gaps.
  let stretch = Math.max(lane, Math.ceil((limit + 1) / monitor.locations.length) * lane);
  while (end > from && items.length <= limit) {
    const start = Math.max(from, end - stretch);
    const found: Result[] = [];
    await inParallel(locations, locations.length, async (location) => {
      for (const outcome of await reader.outcomesFrom(monitor, location, start, end))
        if (!isPaused(outcome)) found.push({ ...outcome, location });
    });
    found.sort(newestFirst);
    items.push(...(after ? found.filter((result) => newestFirst(result, after) > 0) : found));
    end = start;
    stretch = Math.min(stretch * 2, LARGEST_STRETCH_SECONDS);
  }
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return { items: page, next: last && items.length > limit ? { tick: last.tick, location: last.location } : null };
}

const newestFirst = (a: Position, b: Position) =>
  b.tick - a.tick || (a.location < b.location ? -1 : a.location > b.location ? 1 : 0);
