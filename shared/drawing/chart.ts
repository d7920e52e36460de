/** Places a line chart of values over time: scales, ticks and paths in pixels. Gaps stay gaps. Pure. */

export interface Series {
  readonly name: string;
  /** One for each time; null: no value. */
  readonly values: readonly (number | null)[];
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Room for the labels. */
  readonly left: number;
  readonly bottom: number;
  readonly top: number;
  readonly right: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
];

/** The least round number that is not smaller. */
const roundUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(value > 0 ? value : 1));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((round) => round >= value) ?? value;
};

/**
 * Moments for the labels of the time axis, at most `most`, at round times of a zone.
 * @param offsetMinutes of the zone, as `Date.getTimezoneOffset` gives it
 */
export const timeTicks = (from: number, to: number, most: number, offsetMinutes: number) => {
  const step = TIME_STEPS.find((length) => (to - from) / length <= most) ?? TIME_STEPS.at(-1)!;
  const offset = offsetMinutes * MINUTE;
  const ticks: number[] = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) ticks.push(at);
  return { step, ticks };
};

/** @param times epoch milliseconds, ascending */
export const layOut = (times: readonly number[], series: readonly Series[], frame: Frame) => {
  const { width, height, left, right, top, bottom } = frame;
  const max = roundUp(Math.max(1, ...series.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 1];
  const x = (time: number) => left + ((time - from) / (to - from || 1)) * (width - left - right);
  const y = (value: number) => top + (1 - value / max) * (height - top - bottom);
  const pathOf = (values: Series["values"]) => {
    let path = "";
    let isDrawing = false;
    for (const [index, value] of values.entries()) {
      if (value !== null) path += `${isDrawing ? "L" : "M"}${x(times[index]!).toFixed(1)} ${y(value).toFixed(1)}`;
      // A single value between two gaps is a dot.
      if (value !== null && !isDrawing && (values[index + 1] ?? null) === null) path += "h.1";
      isDrawing = value !== null;
    }
    return path;
  };
  return {
    from,
    to,
    x,
    y,
    max,
    paths: series.map(({ name, values }) => ({ name, d: pathOf(values) })),
    valueTicks: [0, max / 2, max],
  };
};

const SHADES = ["down", "degraded", "maintenance"] as const;
type Shade = (typeof SHADES)[number];

/** A time that is shaded, by the worst that held in it. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly shade: Shade;
}

interface Step {
  readonly from: string;
  readonly to: string;
  readonly seconds: Readonly<Record<Shade, number>>;
}

/** Times of trouble and maintenance, in epoch milliseconds: whole steps, joined where they adjoin. */
export const bandsOf = (steps: readonly Step[]): Band[] => {
  const bands: Band[] = [];
  for (const { from, to, seconds } of steps) {
    const shade = SHADES.find((one) => seconds[one] > 0);
    if (!shade) continue;
    const band = { from: Date.parse(from), to: Date.parse(to), shade };
    const last = bands.at(-1);
    if (last?.to === band.from && last.shade === shade) bands[bands.length - 1] = { ...last, to: band.to };
    else bands.push(band);
  }
  return bands;
};

/** A time that a chart is zoomed to, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Less than this is not looked at more closely: a minute is the finest step. */
const LEAST_SPAN = 10 * MINUTE;

/**
 * Half or twice as long a time around a moment, which stays where it is in the drawing.
 * @param now nothing is later
 * @returns the same time where it cannot be shorter
 */
export const zoomed = ({ from, to }: Span, around: number, by: 0.5 | 2, now: number): Span => {
  const length = (to - from) * by;
  if (length < LEAST_SPAN) return { from, to };
  const end = Math.min(now, around + (to - around) * by);
  return { from: end - length, to: end };
};
