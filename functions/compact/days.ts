/**
 * Compacts chunks into days: each finished UTC day of a monitor gets one item per location, and one as its quorum saw
 * it if there are several. A day is made from all chunks of the monitor, whichever shard they came from, so a move
 * between shards leaves no gap.
 */

import { DAY_SECONDS } from "../../shared/durations.ts";
import { blockHeader } from "../../shared/history/block.ts";
import { dateOf, MERGED, mergedTallyOf, startOfDay, tallyOf } from "../../shared/history/day.ts";
import { inTickOrder, type PastOutcome } from "../../shared/history/outcome.ts";
import { readable } from "../../shared/history/packing.ts";
import type { Voters } from "../../shared/history/timeline.ts";
import { inParallel } from "../../shared/parallel.ts";
import type { DayWrite } from "../../shared/store/archive.ts";
import type { HistoryStore } from "../../shared/store/history.ts";

/** Monitors whose days are written together, to save requests. */
const MONITORS_PER_WRITE = 25;
const READS_AT_ONCE = 16;

export interface DayDependencies {
  readonly history: HistoryStore;
  /** All locations of the deployment. */
  readonly locations: readonly string[];
  /** Locations and quorum of a monitor; undefined once it is deleted. */
  readonly voters: (monitorId: string) => Promise<Voters | undefined>;
  readonly hasTime: () => boolean;
}

/** Watermark of chunks by shard and location. */
export type ChunkedUntil = ReadonlyMap<string, ReadonlyMap<string, number>>;

export const createDays = ({ history, locations, voters, hasTime }: DayDependencies) => {
  /** Monitors with outcomes in shards that lag behind this day: those shards make the day when they get there. */
  const leftToOthers = async (chunked: ChunkedUntil, from: number, to: number) => {
    const ids = new Set<string>();
    for (const [shard, locations] of chunked) {
      for (const [location, until] of locations) {
        if (until >= to) continue;
        const rosters = new Set<string>();
        const blocks = history.blocks(shard, location, from, to);
        for await (const { data } of blocks) {
          const header = readable(() => blockHeader(data), history.unreadable);
          if (header) rosters.add(header.roster);
        }
        for (const roster of rosters) for (const id of (await history.roster(roster)) ?? []) ids.add(id);
      }
    }
    return ids;
  };

  const outcomesOf = async (id: string, location: string, from: number, to: number) => {
    const found: PastOutcome[] = [];
    // An outcome covers its interval, at most a day: one of the day before may reach beyond midnight.
    const chunks = history.chunks(id, location, from - DAY_SECONDS, to);
    for await (const { outcomes } of chunks) found.push(...outcomes);
    return inTickOrder(found);
  };

  const daysOf = async (id: string, seenFrom: ReadonlySet<string>, from: number) => {
    const to = from + DAY_SECONDS;
    const day = { monitorId: id, date: dateOf(from) };
    const byLocation = new Map<string, PastOutcome[]>();
    for (const location of new Set([...locations, ...seenFrom])) {
      const outcomes = await outcomesOf(id, location, from, to);
      if (outcomes.some(({ tick, intervalSeconds }) => tick + intervalSeconds > from))
        byLocation.set(location, outcomes);
    }
    const single = [...byLocation].map(([location, outcomes]) => ({
      ...day,
      location,
      tally: tallyOf(outcomes, from, to),
    }));
    const voting = await voters(id);
    const isShared = voting && (voting.locations.length > 1 || byLocation.size > 1);
    const merged = isShared ? [{ ...day, location: MERGED, tally: mergedTallyOf(byLocation, voting, from, to) }] : [];
    return { single, merged };
  };

  /** Makes the days of one shard, from its watermark on. */
  return async (shard: string, chunked: ChunkedUntil): Promise<void> => {
    const { daysUntil, rosters } = await history.progress(shard);
    const through = startOfDay(Math.min(...(chunked.get(shard)?.values() ?? [0])));
    for (let from = daysUntil; from + DAY_SECONDS <= through && hasTime(); from += DAY_SECONDS) {
      const to = from + DAY_SECONDS;
      const kept = [...rosters].filter(([name]) => name.startsWith(`${dateOf(from)}#`));
      const members = new Map<string, Set<string>>();
      for (const [name, hashes] of kept) {
        const location = name.slice(name.indexOf("#") + 1);
        for (const hash of hashes)
          for (const id of (await history.roster(hash)) ?? [])
            members.set(id, (members.get(id) ?? new Set()).add(location));
      }
      const others = members.size > 0 ? await leftToOthers(chunked, from, to) : new Set();
      const mine = [...members].filter(([id]) => !others.has(id));
      for (let start = 0; start < mine.length; start += MONITORS_PER_WRITE) {
        if (!hasTime()) return;
        const days: DayWrite[] = [];
        const merged: DayWrite[] = [];
        await inParallel(mine.slice(start, start + MONITORS_PER_WRITE), READS_AT_ONCE, async ([id, seenFrom]) => {
          const made = await daysOf(id, seenFrom, from);
          days.push(...made.single);
          merged.push(...made.merged);
        });
        // Merged days first: readers take a single location's day for the monitor's if there is no merged one.
        await history.putDays(merged);
        await history.putDays(days);
      }
      await history.advanceDays(
        shard,
        to,
        kept.map(([name]) => name),
      );
    }
  };
};
