/**
 * Makes rates of counters: each finished UTC day of a device becomes sums of 5 minutes for each interface, and each finished month its
 * figures in short. Both follow from what is stored before, so a run that dies is repeated.
 */
import { DAY_SECONDS } from "../../shared/durations.ts";
import { startOfDate, startOfDay } from "../../shared/history/day.ts";
import type { StoredPoll } from "../../shared/history/poll.ts";
import { oldestBlock } from "../../shared/history/retention.ts";
import { intervalsBetween } from "../../shared/measures/counters.ts";
import { addToSlots, noSums, SLOT_SECONDS, stretchOf, sumsOf, usageOf } from "../../shared/measures/slots.ts";
import { type CounterStore, type PolledDevice, targetOf } from "../../shared/store/counters.ts";
import { monthOf, type RateStore } from "../../shared/store/rates.ts";
import type { SeatedMonitor } from "../../shared/store/upkeep.ts";

/** How long after midnight a poll of the day before may still come. */
const SETTLE_SECONDS = 120;
/** Polls that may lie between two that are compared. */
const MARGIN_INTERVALS = 3;
const SLOTS = DAY_SECONDS / SLOT_SECONDS;

export interface RateDependencies {
  readonly counters: CounterStore;
  readonly rates: RateStore;
  readonly blockDays: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly hasTime: () => boolean;
}

export const createRates = ({ counters, rates, blockDays, now, hasTime }: RateDependencies) => {
  const slotsOfDay = async (device: PolledDevice, intervalSeconds: number, from: number) => {
    const margin = MARGIN_INTERVALS * intervalSeconds;
    const slots = new Map<string, ReturnType<typeof noSums>[]>();
    let before: StoredPoll | undefined;
    for await (const poll of counters.polls(device, from - margin, from + DAY_SECONDS + margin)) {
      const intervals = before ? intervalsBetween(before, poll, intervalSeconds) : [];
      for (const [name, interval] of intervals) {
        const stretch = stretchOf(interval);
        if (stretch.to <= from || stretch.from >= from + DAY_SECONDS) continue;
        const own = slots.get(name) ?? Array.from({ length: SLOTS }, noSums);
        slots.set(name, own);
        addToSlots(own, stretch, from);
      }
      before = poll;
    }
    return slots;
  };

  /** @param names of the interfaces that it is made for. @param end first second of the month after */
  const makeMonth = async (device: PolledDevice, names: Iterable<string>, end: number) => {
    const month = monthOf(end - 1);
    const start = startOfDate(`${month}-01`);
    const usage = new Map<string, ReturnType<typeof usageOf>>();
    for (const name of names) {
      const slots = await rates.days(device, name, start, end);
      usage.set(name, usageOf(sumsOf(slots, [{ from: start, to: end }])[0]!, slots));
    }
    await rates.putMonths(device, month, usage);
  };

  /** Makes what is missing of one device, from where the last run stopped. */
  return async ({ id, intervalSeconds, ...target }: SeatedMonitor, location: string): Promise<void> => {
    const device = { id, location, target: targetOf(target) };
    const nowSeconds = now() / 1000;
    const through = startOfDay(nowSeconds - SETTLE_SECONDS - intervalSeconds);
    const progress = await rates.progress(device);
    let stored = progress;
    let from = Math.max(progress, oldestBlock(nowSeconds, { blockDays }));
    for (; from + DAY_SECONDS <= through && hasTime(); from += DAY_SECONDS) {
      const end = from + DAY_SECONDS;
      const slots = await slotsOfDay(device, intervalSeconds, from);
      if (slots.size === 0) continue;
      await rates.putDays(device, from, slots);
      if (monthOf(end) !== monthOf(from)) await makeMonth(device, slots.keys(), end);
      await rates.advance(device, end);
      stored = end;
    }
    // Days without any counters are passed over, and not looked at again.
    if (from > stored) await rates.advance(device, from);
  };
};
