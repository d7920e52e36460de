/** Latency over time. The chart takes its width from its box, because a scaled drawing would scale its text. */
import { useRef, useState } from "preact/hooks";
import { layOut, type Series, timeTicks } from "../../../../shared/drawing/chart.ts";
import { atClock, milliseconds, minutesBehindUtc, onDay, when } from "../words.ts";
import { useWidth } from "./width.ts";

const FRAME = { height: 210, left: 58, right: 8, top: 10, bottom: 24 };
const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 };
const DAY_MS = 86_400_000;

/** Lines differ in colour and dashes; there are six kinds. */
const lineOf = (index: number) => `line-${index % 6}`;

interface ChartProps {
  /** Epoch milliseconds, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** A line that the values shall stay below. */
  readonly limit: number | null;
}

export const LatencyChart = ({ times, series, limit }: ChartProps) => {
  const [chosen, choose] = useState<number | null>(null);
  const box = useRef<HTMLElement>(null);
  const width = useWidth(box);
  const frame = { ...FRAME, width };
  const { from, to, x, y, max, paths, valueTicks } = layOut(times, series, frame);
  const { step, ticks } = timeTicks(from, to, Math.max(2, width / 110), minutesBehindUtc(from));
  const within = (index: number) => Math.max(0, Math.min(times.length - 1, index));
  const onPointerMove = (event: PointerEvent) => {
    const drawn = (event.currentTarget as Element).getBoundingClientRect();
    const at = from + ((event.clientX - drawn.left - frame.left) / (width - frame.left - frame.right)) * (to - from);
    let nearest = 0;
    for (const [index, time] of times.entries())
      if (Math.abs(time - at) < Math.abs(times[nearest]! - at)) nearest = index;
    choose(nearest);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = KEYS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    choose(within((chosen ?? times.length) + by));
  };
  const values = (index: number) =>
    `${when(times[index]!)}: ${series.map(({ name, values: of }) => `${name} ${milliseconds(of[index] ?? null)}`).join(", ")}`;
  const label = step >= DAY_MS ? onDay : atClock;
  const names = series.map(({ name }) => name).join(", ");
  return (
    <figure ref={box} style={{ margin: 0 }}>
      <svg
        class="chart"
        width={width}
        height={frame.height}
        role="slider"
        tabindex={0}
        aria-label={`Latency: ${names}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, times.length - 1)}
        aria-valuenow={chosen ?? Math.max(0, times.length - 1)}
        aria-valuetext={times.length > 0 ? values(chosen ?? times.length - 1) : "no values"}
        onPointerMove={onPointerMove}
        onPointerLeave={() => choose(null)}
        onKeyDown={onKeyDown}
      >
        {valueTicks.map((value) => (
          <g key={value}>
            <line class="grid" x1={frame.left} x2={width - frame.right} y1={y(value)} y2={y(value)} />
            <text x={frame.left - 6} y={y(value) + 4} text-anchor="end">
              {milliseconds(value)}
            </text>
          </g>
        ))}
        {ticks.map((at) => (
          <text key={at} x={x(at)} y={frame.height - 6} text-anchor="middle">
            {label(at)}
          </text>
        ))}
        {limit !== null && limit <= max && (
          <line class="limit" x1={frame.left} x2={width - frame.right} y1={y(limit)} y2={y(limit)} />
        )}
        {paths.map(({ name, d }, index) => (
          <path key={name} class={lineOf(index)} d={d} />
        ))}
        {chosen !== null && (
          <line
            class="pointer"
            x1={x(times[chosen]!)}
            x2={x(times[chosen]!)}
            y1={frame.top}
            y2={frame.height - frame.bottom}
          />
        )}
      </svg>
      <figcaption class="legend">
        {limit !== null && limit <= max && chosen === null && <span>dashed: slow above {milliseconds(limit)}</span>}
        {chosen === null
          ? series.map(({ name }, index) => (
              <span key={name}>
                <svg viewBox="0 0 16 4" aria-hidden="true">
                  <path class={lineOf(index)} d="M0 2h16" />
                </svg>
                {name}
              </span>
            ))
          : values(chosen)}
      </figcaption>
    </figure>
  );
};
