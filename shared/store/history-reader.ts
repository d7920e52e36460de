/**
 * Reads one monitor's history from all levels of compaction: days, chunks, and blocks that are not compacted yet.
 * Callers see only outcomes and tallies. Corrupt items are left out.
 */
import { DAY_SECONDS } from "../durations.ts";
import { MERGED, startOfDay } from "../history/day.ts";
import { inTickOrder, type PastOutcome } from "../history/outcome.ts";
import type { Tally } from "../history/tally.ts";
import type { Monitor } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { firstTick } from "../rules/clock-skew.ts";
import type { HistoryStore } from "./history.ts";
import { laneOf } from "./keys.ts";
import { type ShardBlock, shardBlocks } from "./shard-blocks.ts";

export type Watched = Pick<Monitor, "id" | "placements" | "locations" | "quorum">;

const LOCATIONS_AT_ONCE = 8;
/** How long a probe may go on checking a monitor in its old shard after it has moved or been deleted. */
const LATE_SECONDS = 120;

/**
 * Creates a reader for one request. It caches the progress of shards and their blocks, which the monitors of a shard
 * share.
 * @param deployed all locations of the deployment: a monitor may have been checked from others before
 */
export function createHistoryReader(
  history: HistoryStore,
  deployed: readonly string[],
  now: () => Date = () => new Date(),
) {
  const progress = new Map<string, ReturnType<HistoryStore["progress"]>>();
  const blocks = new Map<string, Promise<ShardBlock[]>>();

  const once = <V>(known: Map<string, Promise<V>>, key: string, read: () => Promise<V>): Promise<V> => {
    const value = known.get(key) ?? read();
    known.set(key, value);
    return value;
  };

  const progressOf = (shard: string) => once(progress, shard, () => history.progress(shard));

  const blocksOf = (shard: string, location: string, from: number, to: number) =>
    once(blocks, [shard, location, from, to].join(), () =>
      Array.fromAsync(shardBlocks(history, shard, location, from, to)),
    );

  const inBlocks = async (id: string, shard: string, location: string, from: number, to: number) => {
    const rows = new Map<string, number>();
    const outcomes: PastOutcome[] = [];
    for (const { roster, ids, outcome } of await blocksOf(shard, location, from, to)) {
      const row = rows.get(roster) ?? ids.indexOf(id);
      rows.set(roster, row);
      const found = row < 0 ? undefined : outcome(row);
      if (found) outcomes.push(found);
    }
    return outcomes;
  };

  /**
   * Drops days whose shard is not compacted that far: a clock that was ahead may have made them before they were over.
   */
  const finished = async ({ placements }: Watched, days: Map<number, Tally>) => {
    for (const { shard, fromTick, toTick } of placements) {
      const { daysUntil } = await progressOf(shard);
      for (const day of days.keys())
        if (day >= daysUntil && day + DAY_SECONDS > fromTick && day < (toTick ?? Number.POSITIVE_INFINITY))
          days.delete(day);
    }
    return days;
  };

  /** Outcomes from one location with `from <= tick < to`, oldest first. */
  const outcomesFrom = async ({ id, placements }: Watched, location: string, from: number, to: number) => {
    const uncompacted: { shard: string; from: number; to: number }[] = [];
    for (const placement of placements) {
      const { shard, toTick } = placement;
      const place = {
        shard,
        from: Math.max(from, firstTick(placement, now())),
        to: Math.min(to, toTick === null ? to : toTick + LATE_SECONDS),
      };
      if (place.from >= place.to) continue;
      const { chunkedUntil } = await progressOf(shard);
      place.from = Math.max(place.from, chunkedUntil.get(location) ?? 0);
      if (place.from < place.to) uncompacted.push(place);
    }
    // Read after the progress, so that every chunk which it implies exists.
    const found: PastOutcome[] = [];
    for await (const { outcomes } of history.chunks(id, location, from, to)) {
      for (const outcome of outcomes) if (outcome.tick >= from && outcome.tick < to) found.push(outcome);
    }
    for (const place of uncompacted) found.push(...(await inBlocks(id, place.shard, location, place.from, place.to)));
    return inTickOrder(found);
  };

  const locationsOf = ({ locations }: Watched) => [...new Set([...locations, ...deployed])];

  return {
    /** Locations that may hold history of a monitor. */
    locationsOf,
    outcomesFrom,

    /** Outcomes by location, where there are any; includes earlier ones whose interval reaches beyond `from`. */
    async outcomes(monitor: Watched, locations: readonly string[], from: number, to: number) {
      // Old placements are dropped, and their interval with them; the longest possible one is a day.
      const isKnown = monitor.placements.some(({ fromTick }) => fromTick < from - DAY_SECONDS);
      const lookBack = isKnown ? Math.max(...monitor.placements.map(({ shard }) => laneOf(shard))) : DAY_SECONDS;
      const byLocation = new Map<string, PastOutcome[]>();
      await inParallel(locations, LOCATIONS_AT_ONCE, async (location) => {
        const outcomes = await outcomesFrom(monitor, location, from - lookBack, to);
        if (outcomes.length > 0) byLocation.set(location, outcomes);
      });
      return byLocation;
    },

    /** Tallies of whole UTC days from one location, by the day's first second. */
    daysFrom: async (monitor: Watched, location: string, from: number, to: number) =>
      finished(
        monitor,
        await history.days(monitor.id, location, Math.ceil(from / DAY_SECONDS) * DAY_SECONDS, startOfDay(to)),
      ),

    /**
     * Tallies as the monitor's quorum saw the days. A day with a single location has no merged item; its own is taken.
     */
    async mergedDays(monitor: Watched, from: number, to: number): Promise<Map<number, Tally>> {
      const [first, end] = [Math.ceil(from / DAY_SECONDS) * DAY_SECONDS, startOfDay(to)];
      const names = [MERGED, ...locationsOf(monitor)];
      const found = new Map<string, Map<number, Tally>>();
      await inParallel(names, LOCATIONS_AT_ONCE, async (name) => {
        found.set(name, await history.days(monitor.id, name, first, end));
      });
      const merged = new Map(found.get(MERGED));
      const single = names.slice(1).map((name) => found.get(name)!);
      for (const days of single) {
        for (const [day, tally] of days) {
          const isAlone = single.every((other) => other === days || !other.has(day));
          if (isAlone && !merged.has(day)) merged.set(day, tally);
        }
      }
      return finished(monitor, merged);
    },
  };
}
export type HistoryReader = ReturnType<typeof createHistoryReader>;
