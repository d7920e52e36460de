/**
 * Cuts a range into the steps of statistics. Steps below a day begin at whole multiples since the epoch, in UTC; days,
 * weeks (from Monday) and months begin at midnight in the requested time zone. The first and the last step are cut to
 * the range.
 *
 * Where raw outcomes have expired, only whole UTC days are known. Edges of steps then move to the nearest UTC midnight,
 * so a step consists of the days whose middle lies in it; its `from` and `to` show the moved edges.
 */
import { DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS } from "../durations.ts";

export const STEPS = ["1m", "5m", "10m", "15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "1w", "1mo"] as const;
export type Step = (typeof STEPS)[number];

/** Whether a step follows the calendar of a time zone. */
export const isCalendar = (step: Step) => step === "1d" || step === "1w" || step === "1mo";

/** Length of a step in seconds; of calendar steps the usual length. */
export function stepSeconds(step: Step): number {
  const unit = { m: MINUTE_SECONDS, h: HOUR_SECONDS, d: DAY_SECONDS, w: 7 * DAY_SECONDS, mo: 30 * DAY_SECONDS }[
    step.replace(/\d+/, "")
  ]!;
  return Number.parseInt(step, 10) * unit;
}

/** Epoch seconds, `from <= t < to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Adjoining steps that cover the range, oldest first, none of them empty.
 * @param timeZone IANA name, for calendar steps only
 * @param rawFrom first second of the first UTC day whose raw outcomes are kept
 */
export function cut({ from, to }: Range, step: Step, timeZone = "UTC", rawFrom = Number.NEGATIVE_INFINITY): Range[] {
  const ranges: Range[] = [];
  const next = isCalendar(step) ? calendar(step, timeZone, from) : multiples(stepSeconds(step), from);
  for (let start = from; start < to; ) {
    const edge = next();
    const end = Math.min(edge < rawFrom ? nearestMidnight(edge) : edge, to);
    // An edge may repeat or lie before the range: some time zones have skipped a date, or begun one twice.
    if (end <= start) continue;
    ranges.push({ from: start, to: end });
    start = end;
  }
  return ranges;
}

/** UTC; noon goes to the earlier midnight. */
const nearestMidnight = (moment: number) => Math.ceil(moment / DAY_SECONDS - 0.5) * DAY_SECONDS;

/** Returns the next start of a step with each call, beginning after a moment. */
function multiples(seconds: number, after: number) {
  let edge = Math.floor(after / seconds) * seconds;
  return () => (edge += seconds);
}

function calendar(step: Step, timeZone: string, after: number) {
  const zone = zoneOf(timeZone);
  let [year, month, day] = zone.dateAt(after);
  if (step === "1w") day -= (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
  if (step === "1mo") day = 1;
  return () => {
    if (step === "1mo") month += 1;
    else day += step === "1w" ? 7 : 1;
    return zone.startOf(Date.UTC(year, month - 1, day) / 1000);
  };
}

/** Dates in a time zone. Days are named by their first second in UTC. @throws RangeError for an unknown name */
function zoneOf(timeZone: string) {
  const format = new Intl.DateTimeFormat("en-CA-u-ca-iso8601-nu-latn", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const dateAt = (moment: number) =>
    format
      .format(moment * 1000)
      .split("-")
      .map(Number) as [number, number, number];
  const dayAt = (moment: number) => {
    const [year, month, day] = dateAt(moment);
    return Date.UTC(year, month - 1, day) / 1000;
  };
  return {
    dateAt,
    /** First moment of a day. Not always 00:00: some zones skip it when daylight saving time begins. */
    startOf(day: number): number {
      if (timeZone === "UTC") return day;
      // Offsets range from UTC-12 to UTC+14, in whole minutes.
      let [before, at] = [(day - 15 * HOUR_SECONDS) / 60, (day + 15 * HOUR_SECONDS) / 60];
      while (at - before > 1) {
        const middle = Math.floor((before + at) / 2);
        if (dayAt(middle * 60) >= day) at = middle;
        else before = middle;
      }
      return at * 60;
    },
  };
}
