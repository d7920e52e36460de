/** Bars of the overview and of status pages: the status of a monitor in equal steps up to now, one letter each. */
import { DAY_SECONDS, HOUR_SECONDS } from "../durations.ts";
import type { Times } from "../store/status-reader.ts";
import { uptimePercent } from "./report.ts";
import { statusSeconds } from "./status-time.ts";
import type { Range, Step } from "./steps.ts";
import { TIME_STATUSES } from "./tally.ts";
import type { TimeStatus } from "./timeline.ts";

export const BAR_PERIODS = ["24h", "7d", "30d", "90d"] as const;
export type BarPeriod = (typeof BAR_PERIODS)[number];

/** Step and number of the bars of each period. */
const PERIODS: Readonly<Record<BarPeriod, { readonly step: Step; readonly seconds: number; readonly count: number }>> =
  {
    "24h": { step: "1h", seconds: HOUR_SECONDS, count: 24 },
    "7d": { step: "6h", seconds: 6 * HOUR_SECONDS, count: 28 },
    "30d": { step: "1d", seconds: DAY_SECONDS, count: 30 },
    "90d": { step: "1d", seconds: DAY_SECONDS, count: 90 },
  };

const LETTERS: Readonly<Record<TimeStatus, string>> = {
  down: "x",
  degraded: "d",
  unknown: "?",
  up: "u",
  maintenance: "m",
  paused: "p",
};
const NO_DATA = "n";
/** Places in `TIME_STATUSES`, worst first. */
const WORST_FIRST = (Object.keys(LETTERS) as TimeStatus[]).map((status) => ({
  place: TIME_STATUSES.indexOf(status),
  letter: LETTERS[status],
}));
const DOWN = TIME_STATUSES.indexOf("down");

/** The steps of a period, oldest first; they begin at whole steps in UTC, and the last one ends now. */
export function barSteps(period: BarPeriod, now: Date): Range[] {
  const { seconds, count } = PERIODS[period];
  const end = Math.floor(now.getTime() / 1000);
  const last = Math.floor((end - 1) / seconds) * seconds;
  return Array.from({ length: count }, (_, place) => {
    const from = last - (count - 1 - place) * seconds;
    return { from, to: Math.min(from + seconds, end) };
  });
}

/** How the answer describes its bars. */
export const describeBars = (period: BarPeriod, steps: readonly Range[]) => ({
  from: new Date((steps[0]?.from ?? 0) * 1000).toISOString(),
  step: PERIODS[period].step,
  count: PERIODS[period].count,
});

/** Decimals of the uptime: fewer bytes, and a second down in 90 days still shows as less than 100. */
const DIGITS = 3;

/** Uptime of the whole period; null without data. */
export const uptimeOf = (times: Times | undefined, digits = DIGITS): number | null =>
  times ? uptimePercent({ seconds: statusSeconds(times.total()) }, digits) : null;

/** Runs 90,000 times for 1,000 monitors. */
function letterOf(times: Times, step: number): string {
  for (const { place, letter } of WORST_FIRST) if (times.at(step, place) > 0) return letter;
  return NO_DATA;
}

/** The bars of one monitor: the worst status of each step, and the seconds down by the step's number. */
export function barsOf(times: Times | undefined, count: number, digits = DIGITS) {
  const downSeconds: Record<string, number> = {};
  let bars = "";
  for (let step = 0; step < count; step++) {
    bars += times ? letterOf(times, step) : NO_DATA;
    const down = times?.at(step, DOWN) ?? 0;
    if (down > 0) downSeconds[step] = down;
  }
  return { uptimePercent: uptimeOf(times, digits), bars, downSeconds };
}
