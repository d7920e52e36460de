/**
 * Learns the usual range of monitors that ask for one: once a day, from the outcomes of the last six weeks. Time that was not up, or in
 * maintenance, teaches nothing, and neither does what was another target.
 */
import { startOfDay } from "../../shared/history/day.ts";
import { isMeasured } from "../../shared/history/outcome.ts";
import { secondOf, timeOf } from "../../shared/history/status-time.ts";
import type { Range } from "../../shared/history/steps.ts";
import { SLOT_SECONDS } from "../../shared/measures/slots.ts";
import {
  isTraffic,
  LEARNED_SECONDS,
  learn,
  type MeasureName,
  QuarterMeans,
  type Sample,
  seriesName,
  type TrafficMeasure,
  type UsualWeek,
  WINDOW_SECONDS,
  watchedIn,
} from "../../shared/measures/usual.ts";
import type { Monitor } from "../../shared/model.ts";
import { type MaintenanceWindow, maintenanceOf } from "../../shared/rules/maintenance.ts";
import { valueIn } from "../../shared/rules/unusual.ts";
import { type CounterStore, targetOf } from "../../shared/store/counters.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import type { RateStore } from "../../shared/store/rates.ts";
import type { StretchStore } from "../../shared/store/stretches.ts";
import type { SeatedMonitor } from "../../shared/store/upkeep.ts";
import { type UsualStore, type WatchedPlace, watchedPlace } from "../../shared/store/usual.ts";

/** How long after midnight the last outcomes of a day may still have to become chunks. */
const SETTLE_SECONDS = 7_200;

/** What a usual week is learned from. */
interface Learned {
  readonly measure: MeasureName;
  readonly quarters: QuarterMeans;
}

export interface LearningDependencies {
  readonly history: HistoryStore;
  readonly counters: CounterStore;
  readonly rates: RateStore;
  readonly stretches: StretchStore;
  readonly usual: UsualStore;
  /** Undefined once it is deleted. */
  readonly monitor: (id: string) => Promise<Monitor | undefined>;
  readonly windows: () => Promise<readonly MaintenanceWindow[]>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export const createLearning = ({
  history,
  counters,
  rates,
  stretches,
  usual,
  monitor,
  windows,
  now,
}: LearningDependencies) => {
  /** Read once in a run. */
  let known: Promise<readonly MaintenanceWindow[]> | undefined;

  /** When a monitor was in trouble or in maintenance. */
  const untaught = async (of: Monitor, { from, to }: Range): Promise<Range[]> => {
    known ??= windows();
    const trouble = timeOf(await stretches.within(of.id, from, to), from, to).filter(
      ({ status }) => status === "down" || status === "degraded",
    );
    const maintenance = maintenanceOf(await known, of, from * 1000, to * 1000);
    return [...trouble, ...maintenance.map(({ startMs, endMs }) => ({ from: startMs / 1000, to: endMs / 1000 }))];
  };

  /** Means of quarters of an hour by series, from outcomes. */
  const measured = async (place: WatchedPlace, { from, to }: Range, measures: readonly MeasureName[]) => {
    const found = new Map<string, Learned>(
      measures.map((measure) => [measure, { measure, quarters: new QuarterMeans() }]),
    );
    if (measures.length === 0) return found;
    for await (const { outcomes } of history.chunks(place.id, place.location, from, to))
      for (const outcome of outcomes) {
        if (outcome.tick < from || outcome.tick >= to || !isMeasured(outcome)) continue;
        for (const measure of measures) {
          const value = valueIn(outcome, measure);
          if (value !== null) found.get(measure)!.quarters.add({ at: outcome.tick, value });
        }
      }
    return found;
  };

  /** Traffic of each interface that a device has now, in slots of 5 minutes. */
  const passed = async (place: WatchedPlace, of: Monitor, { from, to }: Range, measures: readonly TrafficMeasure[]) => {
    const found = new Map<string, Learned>();
    if (measures.length === 0) return found;
    const [newest] = await counters.newest({ ...place, target: targetOf(of) }, 1);
    for (const { name } of newest?.interfaces ?? []) {
      const slots = (await rates.days(place, name, from, to)).filter(({ seconds }) => seconds >= SLOT_SECONDS / 2);
      for (const measure of measures) {
        const quarters = new QuarterMeans();
        for (const slot of slots) quarters.add({ at: slot.from, value: slot[measure] / slot.seconds });
        found.set(seriesName(measure, name), { measure, quarters });
      }
    }
    return found;
  };

  /** Learns for one monitor at one location, unless that was done for this day. */
  return async (seated: SeatedMonitor, location: string): Promise<void> => {
    const measures = watchedIn(seated.unusual).map(({ measure }) => measure);
    const place = watchedPlace(seated, location);
    const to = startOfDay(now() / 1000 - SETTLE_SECONDS);
    if ((await usual.learnedUntil(place, measures)) >= to) return;
    const found = await monitor(seated.id);
    if (!found) return;
    // A pause hides when the target changed before it.
    const { reason, changedAt } = found.target;
    const from = Math.max(to - LEARNED_SECONDS, reason === "paused" ? 0 : secondOf(changedAt));
    const left = from < to ? await untaught(found, { from, to }) : [];
    const isTaught = ({ at }: Sample) => !left.some((one) => one.from < at + WINDOW_SECONDS && one.to > at);
    const weeks = new Map<string, UsualWeek>();
    const range = { from, to };
    const checked = measures.filter((measure) => !isTraffic(measure));
    for (const [series, { measure, quarters }] of [
      ...(await measured(place, range, checked)),
      ...(await passed(place, found, range, measures.filter(isTraffic))),
    ])
      weeks.set(series, learn(quarters.means().filter(isTaught), measure, to));
    await usual.put(place, to, weeks, measures);
  };
};
