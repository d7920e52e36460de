/** When an interface reaches 80 % of its line rate, by the trend of the 95th percentile of its weeks. Pure. */
import { DAY_SECONDS } from "../../../shared/durations.ts";
import { percentile, type Trend, trend } from "../../../shared/measures/percentile.ts";
import { bitRates, SLOT_SECONDS, type Stretch } from "../../../shared/measures/slots.ts";

export const WEEK_SECONDS = 7 * DAY_SECONDS;
const SHARE_PERCENT = 80;
const LEAST_WEEKS = 6;
/** A week counts if its counters cover half of it. */
const LEAST_SLOTS = WEEK_SECONDS / SLOT_SECONDS / 2;
const FURTHEST_WEEKS = 520;

const round = (value: number) => Number(value.toPrecision(6));

function ofWay(weeks: readonly { readonly x: number; readonly y: number }[], limit: number, nowWeek: number) {
  const line: Trend | null = weeks.length >= LEAST_WEEKS ? trend(weeks) : null;
  if (!line)
    return { percentile95BitsPerSecond: null, bitsPerSecondPerWeek: null, at: null, earliest: null, latest: null };
  const now = line.intercept + line.slope * nowWeek;
  const reaches = (slope: number): string | null => {
    if (limit === 0) return null;
    const inWeeks = now >= limit ? 0 : slope > 0 ? (limit - now) / slope : Number.POSITIVE_INFINITY;
    return inWeeks > FURTHEST_WEEKS ? null : new Date((nowWeek + inWeeks) * WEEK_SECONDS * 1000).toISOString();
  };
  return {
    percentile95BitsPerSecond: round(Math.max(0, now)),
    bitsPerSecondPerWeek: round(line.slope),
    at: reaches(line.slope),
    earliest: reaches(line.fastest),
    latest: reaches(line.slowest),
  };
}

/** @param stretches of 5 minutes */
export function forecastOf(stretches: readonly Stretch[], speedMbps: number, now: Date) {
  const byWeek = [...Map.groupBy(stretches, ({ from }) => Math.floor(from / WEEK_SECONDS))];
  const nowWeek = now.getTime() / 1000 / WEEK_SECONDS;
  const limit = (SHARE_PERCENT / 100) * speedMbps * 1e6;
  const pointsOf = (way: "in" | "out") =>
    byWeek.flatMap(([week, slots]) => {
      const rates = bitRates(slots, way);
      return rates.length >= LEAST_SLOTS ? [{ x: week + 0.5, y: percentile(rates, 0.95)! }] : [];
    });
  const [received, sent] = [pointsOf("in"), pointsOf("out")];
  return {
    speedMbps: speedMbps > 0 ? speedMbps : null,
    sharePercent: SHARE_PERCENT,
    weeks: received.length,
    in: ofWay(received, limit, nowWeek),
    out: ofWay(sent, limit, nowWeek),
  };
}
