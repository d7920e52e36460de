/**
 * Reads the status of all monitors over time: whole UTC days and hours from summaries, the time since the newest summary
 * from the changes it lacks. What a summary cannot tell exactly is read from the monitor's own stretches: an hour that a
 * step or maintenance cuts, and a change that arrived after its hour was summarised.
 */
import { DAY_SECONDS, HOUR_SECONDS } from "../durations.ts";
import { startOfDay } from "../history/day.ts";
import { hasMaintenance, markMaintenance } from "../history/maintenance-time.ts";
import { type RecordedStretch, secondOf, timeOf } from "../history/status-time.ts";
import type { Range } from "../history/steps.ts";
import { addRow, codeOf, NO_DATA, type Row } from "../history/summary.ts";
import { TIME_STATUSES } from "../history/tally.ts";
import type { Stretch } from "../history/timeline.ts";
import type { StretchStart } from "../model.ts";
import { inParallel } from "../parallel.ts";
import { SUMMARY_BUCKETS, summaryBucketOf } from "./keys.ts";
import type { StretchStore } from "./stretches.ts";
import { type Change, PERIOD_SECONDS, type Period, type SummaryStore } from "./summaries.ts";
import { createSummaryMemory } from "./summary-memory.ts";

const READS_AT_ONCE = 16;
const STATUS_COUNT = TIME_STATUSES.length;

/** A monitor's seconds in each status, step after step; the rest of a step is no data. */
export class Times {
  readonly #seconds: Uint32Array;

  constructor(steps: number) {
    this.#seconds = new Uint32Array(steps * STATUS_COUNT);
  }

  /** @param place in `TIME_STATUSES` */
  at(step: number, place: number): number {
    return this.#seconds[step * STATUS_COUNT + place] ?? 0;
  }

  add(step: number, place: number, seconds: number) {
    this.#seconds[step * STATUS_COUNT + place]! += seconds;
  }

  /** Adds a row of a summary. @param length of the summary's period, in seconds */
  addRow(step: number, row: Row, length: number) {
    addRow(this.#seconds, row, length, step * STATUS_COUNT);
  }

  /** Adds all seconds to a sum of several monitors, by step and place in `TIME_STATUSES`. */
  addTo(sum: Float64Array) {
    for (let at = 0; at < this.#seconds.length; at++) sum[at]! += this.#seconds[at]!;
  }

  /** Seconds of all steps by place in `TIME_STATUSES`. */
  total(): Uint32Array {
    const sum = new Uint32Array(STATUS_COUNT);
    for (let at = 0; at < this.#seconds.length; )
      for (let place = 0; place < STATUS_COUNT; place++) sum[place]! += this.#seconds[at++]!;
    return sum;
  }
}

/** A stretch of time that lies in one step, and the hour or day whose summary tells about it. */
interface Unit extends Range {
  readonly step: number;
  readonly period: Period;
  /** First second of the hour or day. */
  readonly start: number;
}

/** Cuts steps into the fewest whole days and hours, and the parts of hours at their edges. */
function unitsOf(steps: readonly Range[], end: number): Unit[] {
  const units: Unit[] = [];
  for (const [step, { from, to: stepEnd }] of steps.entries()) {
    const to = Math.min(stepEnd, end);
    for (let at = from; at < to; ) {
      const isDay = at % DAY_SECONDS === 0 && at + DAY_SECONDS <= to;
      const length = isDay ? DAY_SECONDS : HOUR_SECONDS;
      const start = Math.floor(at / length) * length;
      const unit = { step, period: isDay ? "DAY" : "HOUR", start, from: at, to: Math.min(start + length, to) } as const;
      units.push(unit);
      at = unit.to;
    }
  }
  return units;
}

/** Adds a stretch to the steps that it lies in; most stretches lie in the last one. */
function addStretch(times: Times, steps: readonly Range[], { from, to, status }: Stretch) {
  const place = codeOf(status) - 1;
  for (let step = steps.length - 1; step >= 0; step--) {
    const range = steps[step]!;
    if (range.to <= from) break;
    const seconds = Math.min(to, range.to) - Math.max(from, range.from);
    if (seconds > 0) times.add(step, place, seconds);
  }
}

const statusOfCode = (code: number) => (code === NO_DATA ? undefined : TIME_STATUSES[code - 1]);

/** A wanted monitor of a roster. */
interface Target {
  readonly id: string;
  readonly place: number;
  readonly times: Times;
  readonly maintenance: readonly Range[];
}

interface Question {
  /** Adjoining, oldest first. */
  readonly steps: readonly Range[];
  /** Default: all monitors, also deleted ones. */
  readonly ids?: ReadonlySet<string> | undefined;
  /** The status of monitors as their items say, which may be seconds ahead of the history. */
  readonly present?: ReadonlyMap<string, StretchStart> | undefined;
  /** When a monitor was in maintenance, which summaries do not tell. Default: never. */
  readonly maintenance?: ((monitorId: string) => readonly Range[]) | undefined;
}

export const createStatusReader = (
  { summaries, stretches }: { readonly summaries: SummaryStore; readonly stretches: StretchStore },
  now: () => Date,
) => {
  const memory = createSummaryMemory(summaries);

  const readBucket = async (
    bucket: number,
    { steps, ids, present, maintenance = () => [] }: Question,
    found: Map<string, Times>,
  ) => {
    const { from = 0 } = steps[0] ?? {};
    const { to = 0 } = steps.at(-1) ?? {};
    const nowSeconds = now().getTime() / 1000;
    const { newest, changes, past } = await memory.newest(bucket, recentFrom(from, nowSeconds));
    const end = newest ? newest.start + HOUR_SECONDS : 0;
    const isWanted = (id: string) => ids === undefined || ids.has(id);
    const timesOf = (id: string) => {
      const times = found.get(id) ?? new Times(steps.length);
      found.set(id, times);
      return times;
    };

    const addTime = (id: string, stretches: Iterable<Stretch>) => {
      for (const stretch of markMaintenance(stretches, maintenance(id))) addStretch(timesOf(id), steps, stretch);
    };

    const changed = Map.groupBy(
      changes.filter(({ monitorId }) => isWanted(monitorId)),
      ({ monitorId }) => monitorId,
    );
    const isLate = ({ since }: Change) => secondOf(since) < end;
    const late = new Set([...changed].filter(([, own]) => own.some(isLate)).map(([id]) => id));
    /** By monitor: what only its own stretches tell. */
    const open = new Map<string, Range[]>([...late].map((id) => [id, [{ from, to }]]));

    // ---- what summaries tell
    const units = unitsOf(steps, end);
    const startsIn = (wanted: Period) => units.flatMap(({ period, start }) => (period === wanted ? [start] : []));
    const byPeriod = {
      HOUR: await past("HOUR", startsIn("HOUR"), nowSeconds),
      DAY: await past("DAY", startsIn("DAY"), nowSeconds),
    };

    /** Wanted monitors by roster, which most summaries of a bucket have in common. */
    const targets = new Map<readonly string[], Target[]>();
    const targetsOf = (roster: readonly string[]) => {
      const known = targets.get(roster);
      if (known) return known;
      const own = roster.flatMap((id, place) =>
        isWanted(id) && !late.has(id) ? [{ id, place, times: timesOf(id), maintenance: maintenance(id) }] : [],
      );
      targets.set(roster, own);
      return own;
    };
    /** What a summary tells of a part of its period, or of a period with maintenance: all of it only if nothing changed. */
    const addPart = (id: string, { end: code, seconds }: Row, { from: at, to: until }: Unit) => {
      const status = statusOfCode(code);
      if (seconds) open.set(id, [...(open.get(id) ?? []), { from: at, to: until }]);
      else if (status) addTime(id, [{ from: at, to: until, status }]);
    };
    for (const unit of units) {
      const summary = byPeriod[unit.period].get(unit.start);
      if (!summary) continue;
      const length = unit.to - unit.from;
      const isCut = length < PERIOD_SECONDS[unit.period];
      for (const { id, place, times, maintenance: own } of targetsOf(summary.ids)) {
        const row = summary.rows[place]!;
        if (isCut || hasMaintenance(own, unit)) addPart(id, row, unit);
        else times.addRow(unit.step, row, length);
      }
    }

    // ---- since the newest summary
    const last = new Map(newest?.ids.map((id, place) => [id, newest.rows[place]!.end]));
    const own = ids ? [...ids].filter((id) => summaryBucketOf(id) === bucket) : [...last.keys(), ...changed.keys()];
    const begin = Math.max(from, end);
    for (const id of to > end ? new Set(own) : []) {
      if (late.has(id)) continue;
      const [code, recent, standing] = [last.get(id) ?? NO_DATA, changed.get(id), present?.get(id)];
      const status = statusOfCode(code);
      if (!recent && status && (!standing || standing.status === status)) {
        addTime(id, [{ from: begin, to, status }]);
        continue;
      }
      const starts = startsOf(code, end, recent ?? [], standing);
      addTime(id, timeOf(starts, begin, to));
    }

    await inParallel(open, READS_AT_ONCE, async ([id, ranges]) => {
      const [first, final] = [Math.min(...ranges.map((one) => one.from)), Math.max(...ranges.map((one) => one.to))];
      const starts = await stretches.within(id, first, final);
      for (const range of ranges) addTime(id, timeOf(starts, range.from, range.to));
    });
  };

  return {
    /** Seconds by status, by step and by monitor; monitors without any data in the range are absent. */
    async times(question: Question): Promise<Map<string, Times>> {
      const found = new Map<string, Times>();
      const { ids } = question;
      const buckets =
        ids && ids.size < SUMMARY_BUCKETS.length ? new Set([...ids].map(summaryBucketOf)) : SUMMARY_BUCKETS;
      await inParallel(buckets, SUMMARY_BUCKETS.length, (bucket) => readBucket(bucket, question, found));
      return found;
    },
  };
};
export type StatusReader = ReturnType<typeof createStatusReader>;

/** Summaries of a day are there two hours after its end, even if `compact` had to run twice. */
const DAY_MADE_SECONDS = 2 * HOUR_SECONDS;

/**
 * First hour to read with the newest: of the first day that may have no summary yet, or of the question itself if that
 * begins within the last two days.
 */
function recentFrom(from: number, nowSeconds: number): number {
  const day = startOfDay(nowSeconds - DAY_MADE_SECONDS);
  const isNear = from > nowSeconds - 2 * DAY_SECONDS;
  return isNear ? Math.min(day, Math.floor(from / HOUR_SECONDS) * HOUR_SECONDS) : day;
}

/** The stretches since the newest summary: the status that it ended with, the changes since, and what the item says. */
function startsOf(
  code: number,
  end: number,
  changes: readonly Change[],
  present: StretchStart | undefined,
): RecordedStretch[] {
  const starts: RecordedStretch[] = [...changes];
  if (code !== NO_DATA)
    starts.push({ status: TIME_STATUSES[code - 1]!, since: new Date(end * 1000).toISOString(), sequence: -1 });
  const latest = starts.toSorted((a, b) => b.sequence - a.sequence)[0];
  if (present && latest?.status !== present.status) starts.push({ ...present, sequence: Number.POSITIVE_INFINITY });
  return starts;
}
