/**
 * Compares outcomes with the usual range of their monitors, for those that ask for it. Keeps the last half hour of their samples in
 * memory, and reads what other processes have seen meanwhile from the newest blocks.
 */
import { HOUR_MS } from "../../shared/durations.ts";
import { fitted } from "../../shared/engine/outcome.ts";
import { type BlockPlace, openBlock } from "../../shared/history/block.ts";
import { readable } from "../../shared/history/packing.ts";
import type { Interval } from "../../shared/measures/counters.ts";
import {
  findUnusual,
  hoursNear,
  isTraffic,
  LOOK_BACK_SECONDS,
  type MeasureName,
  type Sample,
  seriesName,
  watchedIn,
} from "../../shared/measures/usual.ts";
import type { Outcome } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import { type Measurable, type UnusualMeasure, valueIn, withUnusual } from "../../shared/rules/unusual.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import { type UsualStore, type UsualWeeks, watchedPlace } from "../../shared/store/usual.ts";
import type { Member } from "../../shared/store/views.ts";

/** How long a usual range is kept in memory: it changes once a day. */
const RANGES_MAX_AGE_MS = HOUR_MS;
const READS_AT_ONCE = 16;
/** Monitors that a process remembers, more than a job has. */
const MOST_MONITORS = 1_000;

interface Known {
  /** Of the settings. */
  readonly version: number;
  weeks: UsualWeeks;
  /** Epoch milliseconds; 0: the weeks were never read. */
  readAt: number;
  /** By series, oldest first. */
  readonly samples: Map<string, Sample[]>;
  /** The last tick whose samples are there; 0: none. */
  tick: number;
  /** Series that were unusual at that tick; undefined if this process did not judge it. */
  found: ReadonlySet<string> | undefined;
}

interface Dependencies {
  readonly location: string;
  readonly usual: Pick<UsualStore, "weeks">;
  readonly history: Pick<HistoryStore, "blocks" | "roster" | "unreadable">;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

function addSample(samples: Known["samples"], series: string, sample: Sample, intervalSeconds: number): Sample[] {
  const oldest = sample.at - LOOK_BACK_SECONDS - intervalSeconds;
  const kept = (samples.get(series) ?? []).filter(({ at }) => at > oldest && at < sample.at);
  const all = [...kept, sample];
  samples.set(series, all);
  return all;
}

interface Series {
  /** As `weeks` calls it. */
  readonly series: string;
  /** The interface that it is of. */
  readonly of?: string;
  readonly samples: readonly Sample[];
}

/** The samples of a measure: one series, or one for each interface that was just polled. */
function seriesOf(known: Known, { intervals = new Map(), poll }: Outcome, measure: MeasureName): Series[] {
  if (!isTraffic(measure)) return [{ series: measure, samples: known.samples.get(measure) ?? [] }];
  return [...intervals].map(([of, all]: [string, readonly Interval[]]) => {
    const isPolled = all.at(-1)?.endMs === poll?.atMs;
    const samples = (isPolled ? all : []).flatMap(({ counts, endMs, seconds }) =>
      counts && seconds > 0 ? [{ at: endMs / 1000, value: counts[measure] / seconds }] : [],
    );
    return { series: seriesName(measure, of), of, samples };
  });
}

export const createUsual = ({ location, usual, history, now }: Dependencies) => {
  const monitors = new Map<string, Known>();

  const knownOf = ({ id, settingsVersion: version }: Pick<Member, "id" | "settingsVersion">): Known => {
    const known = monitors.get(id);
    if (known?.version === version) return known;
    if (monitors.size >= MOST_MONITORS) monitors.clear();
    const fresh: Known = { version, weeks: new Map(), readAt: 0, samples: new Map(), tick: 0, found: undefined };
    monitors.set(id, fresh);
    return fresh;
  };

  const addMeasured = (known: Known, { unusual, intervalSeconds }: Member, at: number, outcome: Measurable) => {
    for (const { measure } of watchedIn(unusual)) {
      const value = isTraffic(measure) ? null : valueIn(outcome, measure);
      if (value !== null) addSample(known.samples, measure, { at, value }, intervalSeconds);
    }
  };

  /** Reads from blocks what this process lacks of the last half hour. */
  const catchUp = async ({ shard, tick }: Omit<BlockPlace, "location">, behind: readonly Member[]) => {
    const lane = laneOf(shard);
    const isInBlocks = ({ unusual }: Member) => watchedIn(unusual).some(({ measure }) => !isTraffic(measure));
    const members = new Map(behind.filter(isInBlocks).map((member) => [member.id, member]));
    const since = Math.min(tick, ...[...members.values()].map((member) => knownOf(member).tick + 1));
    const from = Math.max(since, tick - LOOK_BACK_SECONDS - lane);
    for await (const { tick: at, data } of history.blocks(shard, location, from, tick)) {
      const block = readable(() => openBlock(data, { shard, location, tick: at }), history.unreadable);
      if (!block || block.header.offline) continue;
      const ids = (await history.roster(block.header.roster)) ?? [];
      for (const [row, id] of ids.entries()) {
        const member = members.get(id);
        if (!member || row >= block.count || knownOf(member).tick >= at) continue;
        const entry = readable(() => block.entry(row), history.unreadable);
        if (entry?.settingsByte === (member.settingsVersion & 0xff)) addMeasured(knownOf(member), member, at, entry);
      }
    }
    for (const member of behind) Object.assign(knownOf(member), { tick: tick - lane, found: undefined });
  };

  return {
    /** Reads what is needed to judge the outcomes of a tick; nothing, where no monitor has a usual range. */
    async prepare(place: Omit<BlockPlace, "location">, members: readonly Member[]): Promise<void> {
      const watched = members.filter(({ unusual }) => unusual);
      const outdated = watched.filter((member) => now() - knownOf(member).readAt > RANGES_MAX_AGE_MS);
      await inParallel(outdated, READS_AT_ONCE, async (member) => {
        const found = await usual.weeks(watchedPlace(member, location));
        const weeks = new Map([...found].map(([series, week]) => [series, hoursNear(week, place.tick)]));
        Object.assign(knownOf(member), { weeks, readAt: now() });
      });
      const behind = watched.filter((member) => knownOf(member).tick < place.tick - laneOf(place.shard));
      if (behind.length > 0) await catchUp(place, behind);
    },

    /**
     * Judges the outcome of a tick. May be called again for the same tick.
     * @param wasUnusual whether the tick before was, as far as its block says
     */
    judged(member: Member, outcome: Outcome, tick: number, wasUnusual: boolean): Outcome {
      const { unusual, intervalSeconds } = member;
      if (!unusual) return outcome;
      const known = knownOf(member);
      known.tick = tick;
      addMeasured(known, member, tick, outcome);
      if (outcome.health !== "up") return outcome;
      const found = new Map<string, UnusualMeasure>();
      for (const { measure, sensitivity } of watchedIn(unusual))
        for (const { series, of, samples } of seriesOf(known, outcome, measure)) {
          const week = known.weeks.get(series);
          const newest = samples.at(-1);
          // Polls have times of their own.
          if (!week || !newest || (of === undefined && newest.at !== tick)) continue;
          const watch = { measure, sensitivity, intervalSeconds, wasUnusual: known.found?.has(series) ?? wasUnusual };
          const one = findUnusual(samples, week, watch, newest.at);
          if (one) found.set(series, { ...one, measure, of });
        }
      known.found = new Set(found.keys());
      return found.size > 0 ? fitted(withUnusual(outcome, [...found.values()], tick)) : outcome;
    },
  };
};
export type Usual = ReturnType<typeof createUsual>;
