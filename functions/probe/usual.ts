/**
 * Compares outcomes with the usual range of their monitors, for those that ask for it. Keeps the last half hour of their samples in
 * memory, and reads what other processes have seen meanwhile from the newest blocks.
 */
import { HOUR_MS } from "../../shared/durations.ts";
import { fitted } from "../../shared/engine/outcome.ts";
import { type BlockPlace, openBlock } from "../../shared/history/block.ts";
import { readable } from "../../shared/history/packing.ts";
import { findUnusual, LOOK_BACK_SECONDS, type Sample, watchedIn } from "../../shared/measures/usual.ts";
import type { Outcome } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import { type Measurable, type UnusualMeasure, valueIn, withUnusual } from "../../shared/rules/unusual.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import type { UsualStore, UsualWeeks } from "../../shared/store/usual.ts";
import type { Member } from "../../shared/store/views.ts";

/** How long a usual range is kept in memory: it changes once a day. */
const RANGES_MAX_AGE_MS = HOUR_MS;
const READS_AT_ONCE = 16;
/** Monitors that a process remembers, more than a job has. */
const MOST_MONITORS = 1_000;

interface Known {
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

export const createUsual = ({ location, usual, history, now }: Dependencies) => {
  const monitors = new Map<string, Known>();

  const knownOf = (id: string): Known => {
    const known = monitors.get(id);
    if (known) return known;
    if (monitors.size >= MOST_MONITORS) monitors.clear();
    const fresh: Known = { weeks: new Map(), readAt: 0, samples: new Map(), tick: 0, found: undefined };
    monitors.set(id, fresh);
    return fresh;
  };

  const addMeasured = (known: Known, { unusual, intervalSeconds }: Member, at: number, outcome: Measurable) => {
    for (const { measure } of watchedIn(unusual)) {
      const value = valueIn(outcome, measure);
      if (value !== null) addSample(known.samples, measure, { at, value }, intervalSeconds);
    }
  };

  /** Reads from blocks what this process lacks of the last half hour. */
  const catchUp = async ({ shard, tick }: Omit<BlockPlace, "location">, behind: readonly Member[]) => {
    const lane = laneOf(shard);
    const since = Math.min(...behind.map(({ id }) => knownOf(id).tick + 1));
    const members = new Map(behind.map((member) => [member.id, member]));
    const from = Math.max(since, tick - LOOK_BACK_SECONDS - lane);
    for await (const { tick: at, data } of history.blocks(shard, location, from, tick)) {
      const block = readable(() => openBlock(data, { shard, location, tick: at }), history.unreadable);
      if (!block || block.header.offline) continue;
      const ids = (await history.roster(block.header.roster)) ?? [];
      for (const [row, id] of ids.entries()) {
        const member = members.get(id);
        if (!member || row >= block.count || knownOf(id).tick >= at) continue;
        const entry = readable(() => block.entry(row), history.unreadable);
        if (entry?.settingsByte === (member.settingsVersion & 0xff)) addMeasured(knownOf(id), member, at, entry);
      }
    }
    for (const { id } of behind) Object.assign(knownOf(id), { tick: tick - lane, found: undefined });
  };

  return {
    /** Reads what is needed to judge the outcomes of a tick; nothing, where no monitor has a usual range. */
    async prepare(place: Omit<BlockPlace, "location">, members: readonly Member[]): Promise<void> {
      const watched = members.filter(({ unusual }) => unusual);
      const outdated = watched.filter(({ id }) => now() - knownOf(id).readAt > RANGES_MAX_AGE_MS);
      await inParallel(outdated, READS_AT_ONCE, async ({ id }) => {
        const weeks = await usual.weeks({ id, location });
        Object.assign(knownOf(id), { weeks, readAt: now() });
      });
      const behind = watched.filter(({ id }) => knownOf(id).tick < place.tick - laneOf(place.shard));
      if (behind.length > 0) await catchUp(place, behind);
    },

    /**
     * Judges the outcome of a tick. May be called again for the same tick.
     * @param wasUnusual whether the tick before was, as far as its block says
     */
    judged(member: Member, outcome: Outcome, tick: number, wasUnusual: boolean): Outcome {
      const { id, unusual, intervalSeconds } = member;
      if (!unusual) return outcome;
      const known = knownOf(id);
      known.tick = tick;
      addMeasured(known, member, tick, outcome);
      if (outcome.health !== "up") return outcome;
      const found: UnusualMeasure[] = [];
      for (const { measure, sensitivity } of watchedIn(unusual)) {
        const week = known.weeks.get(measure);
        const samples = known.samples.get(measure);
        if (!week || !samples) continue;
        const watch = {
          measure,
          sensitivity,
          intervalSeconds,
          wasUnusual: known.found ? known.found.has(measure) : wasUnusual,
        };
        const one = findUnusual(samples, week, watch, tick);
        if (one) found.push({ ...one, measure });
      }
      known.found = new Set(found.map(({ measure }) => measure));
      return found.length > 0 ? fitted(withUnusual(outcome, found, tick)) : outcome;
    },
  };
};
export type Usual = ReturnType<typeof createUsual>;
