/** Percentiles and trends of measures. Pure. */

/**
 * The smallest value that at least this share of all values do not exceed (nearest rank). With 0.95 and sums of 5 minutes it is what
 * providers bill by.
 * @returns null without values
 */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  // Rounded first, because 0.95 x 20 is 19.000000000000004 for some numbers like these.
  const rank = Math.ceil(Number((share * sorted.length).toFixed(9)));
  return sorted[Math.max(0, rank - 1)]!;
}

export const median = (sorted: readonly number[]): number => {
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[Math.floor(middle)]!;
};

export interface Trend {
  readonly slope: number;
  readonly intercept: number;
  /** Bounds of the slope with 95 % confidence. */
  readonly slowest: number;
  readonly fastest: number;
}

/** 95 % of a normal distribution lie within so many standard deviations. */
const CONFIDENCE = 1.96;

/**
 * The line through points by Theil and Sen: the median of the slopes between all pairs, which outliers do not move. Its bounds are
 * Sen's (1968), without his correction for ties.
 * @returns null for fewer than two points
 */
export function trend(points: readonly { readonly x: number; readonly y: number }[]): Trend | null {
  const slopes: number[] = [];
  for (const [place, a] of points.entries())
    for (const b of points.slice(place + 1)) if (b.x !== a.x) slopes.push((b.y - a.y) / (b.x - a.x));
  if (slopes.length === 0) return null;
  slopes.sort((a, b) => a - b);
  const slope = median(slopes);
  const intercept = median(points.map(({ x, y }) => y - slope * x).toSorted((a, b) => a - b));
  const n = points.length;
  const spread = CONFIDENCE * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank: number) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))]!;
  return {
    slope,
    intercept,
    slowest: at((slopes.length - spread) / 2 - 1),
    fastest: at((slopes.length + spread) / 2),
  };
}
