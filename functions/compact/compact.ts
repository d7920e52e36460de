/**
 * The hourly run: touches overdue timers, summarises status, compacts blocks into chunks and chunks into days, recounts shards, makes
 * rates of interfaces' counters, and learns usual ranges. Each part
 * continues where the last run stopped, so a run may end anywhere, by a crash or when its time is over.
 */
import { DAY_SECONDS } from "../../shared/durations.ts";
import { inParallel } from "../../shared/parallel.ts";
import type { CompactEvent } from "../../shared/payloads.ts";
import type { CounterStore } from "../../shared/store/counters.ts";
import type { DueStore, DueTimer } from "../../shared/store/due.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { monitorIdOf, monitorKey, SUMMARY_BUCKETS, summaryBucketOf } from "../../shared/store/keys.ts";
import type { PlanningStore, Shard } from "../../shared/store/planning.ts";
import type { RateStore } from "../../shared/store/rates.ts";
import type { StretchStore } from "../../shared/store/stretches.ts";
import type { SummaryStore } from "../../shared/store/summaries.ts";
import type { UpkeepStore } from "../../shared/store/upkeep.ts";
import { createChunking, settledUntil } from "./chunks.ts";
import { createDays, type DayDependencies } from "./days.ts";
import { createRates } from "./rates.ts";
import { createRecount } from "./recount.ts";
import { createSummarising } from "./summaries.ts";
import { createLearning, type LearningDependencies } from "./usual.ts";

const TOUCHES_AT_ONCE = 16;
const BUCKETS_AT_ONCE = 4;
/**
 * Timers further ahead than this are touched too, because a clock that was ahead may have set them. Watchdogs are never
 * due later; an own timer may be (`afterSeconds`), and is then set again by the decision that the touch leads to.
 */
const IMPLAUSIBLE_MS = 1_200_000;
const EVER = new Date("9999-12-31T00:00:00.000Z");

export interface CompactDependencies {
  readonly planning: PlanningStore;
  readonly upkeep: UpkeepStore;
  readonly due: DueStore;
  readonly history: HistoryStore;
  readonly summaries: SummaryStore;
  readonly stretches: StretchStore;
  readonly counters: CounterStore;
  readonly rates: RateStore;
  readonly usual: LearningDependencies["usual"];
  readonly monitor: LearningDependencies["monitor"];
  readonly windows: LearningDependencies["windows"];
  readonly locations: readonly string[];
  readonly voters: DayDependencies["voters"];
  readonly blockDays: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface CompactReport {
  /** Age in days of the oldest outcomes that should be in chunks and are not; 0 if there are none. */
  readonly lagDays: number;
  readonly touched: number;
}

export const createCompact =
  ({
    planning,
    upkeep,
    due,
    history,
    summaries,
    stretches,
    counters,
    rates,
    usual,
    monitor,
    windows,
    locations,
    voters,
    blockDays,
    now,
  }: CompactDependencies) =>
  async (source: CompactEvent["source"], hasTime: () => boolean): Promise<CompactReport> => {
    const touched = source === "start" ? await nudgeAll() : await touchTimers();

    const summarise = createSummarising({
      summaries,
      stretches,
      nudge: (id) => due.nudgeUnrecorded(monitorKey(id), now()),
      now,
      hasTime,
    });
    const members = await monitorsByBucket();
    await inParallel(SUMMARY_BUCKETS, BUCKETS_AT_ONCE, (bucket) => summarise(bucket, members.get(bucket) ?? []));

    const shards: Shard[] = [];
    for await (const page of planning.shards()) shards.push(...page);

    const chunkShard = createChunking({ history, blockDays, now, hasTime });
    const chunked = new Map<string, Map<string, number>>();
    for (const shard of shards) {
      const progress = await history.progress(shard.name);
      if (progress.isAhead) await history.setBack(shard.name, progress);
      const { chunkedUntil } = progress;
      const until = new Map<string, number>();
      for (const location of shard.locations)
        until.set(location, await chunkShard(shard.name, location, chunkedUntil.get(location)));
      chunked.set(shard.name, until);
    }

    const makeDays = createDays({ history, locations, voters, hasTime });
    for (const { name } of shards) if (hasTime()) await makeDays(name, chunked);

    const recount = createRecount(upkeep, history);
    const makeRates = createRates({ counters, rates, blockDays, now, hasTime });
    const learn = createLearning({ history, counters, rates, stretches, usual, monitor, windows, now });
    for (const shard of shards) {
      if (!hasTime()) break;
      const { devices, watched } = await recount(shard);
      for (const device of devices)
        for (const location of device.locations) if (hasTime()) await makeRates(device, location);
      for (const one of watched) for (const location of one.locations) if (hasTime()) await learn(one, location);
    }
    return { lagDays: lagDays(shards, chunked, now() / 1000), touched };

    async function monitorsByBucket(): Promise<Map<number, string[]>> {
      const ids: string[] = [];
      for await (const page of upkeep.monitors()) ids.push(...page.map(({ pk }) => monitorIdOf(pk)));
      return Map.groupBy(ids, summaryBucketOf);
    }

    function nudgeAll(): Promise<number> {
      return each(upkeep.monitors(), (key) => due.nudge(key, now()));
    }

    /** Touches timers that are overdue, and those that clock skew has set too far ahead for dispatch to find. */
    async function touchTimers(): Promise<number> {
      const look = async (timer: DueTimer) => {
        const inMs = Date.parse(timer.dueAt) - now();
        return (inMs < 0 || inMs > IMPLAUSIBLE_MS) && due.touch(timer, now());
      };
      // What is not up is decided again each hour, in case a changed policy or window did not reach it.
      const again = await each(upkeep.notUp(), (key) => due.nudge(key, now()));
      return again + (await each(due.before(EVER), look)) + (await each(due.overdueLooks(EVER), look));
    }

    async function each<T>(pages: AsyncIterable<readonly T[]>, work: (item: T) => Promise<boolean>): Promise<number> {
      let done = 0;
      for await (const page of pages)
        await inParallel(page, TOUCHES_AT_ONCE, async (item) => {
          if (await work(item)) done++;
        });
      return done;
    }
  };

function lagDays(shards: readonly Shard[], chunked: ReadonlyMap<string, ReadonlyMap<string, number>>, now: number) {
  const behind = shards.flatMap(({ name, intervalSeconds }) => {
    const settled = settledUntil(intervalSeconds, now);
    return [...(chunked.get(name)?.values() ?? [])].filter((until) => until < settled);
  });
  return behind.length === 0 ? 0 : (now - Math.min(...behind)) / DAY_SECONDS;
}
