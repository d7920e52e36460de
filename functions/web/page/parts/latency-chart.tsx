/** Latency over time. The chart takes its width from its box, because a scaled drawing would scale its text. */
import { useRef, useState } from "preact/hooks";
import { type Band, layOut, type Series, type Span, timeTicks, zoomed } from "../../../../shared/drawing/chart.ts";
import { atClock, milliseconds, minutesBehindUtc, onDay, when } from "../words.ts";
import { useWidth } from "./width.ts";

const FRAME = { height: 210, left: 58, right: 8, top: 10, bottom: 24 };
const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 };
/** Zooms in or out, around the value that is read. */
const ZOOM_KEYS: Readonly<Record<string, 0.5 | 2>> = { "+": 0.5, "=": 0.5, "-": 2 };
const DAY_MS = 86_400_000;
/** A pointer that moves less has clicked. */
const LEAST_DRAG = 6;

/** Lines differ in colour and dashes; there are six kinds. */
const lineOf = (index: number) => `line-${index % 6}`;

interface ChartProps {
  /** Epoch milliseconds, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** A line that the values shall stay below. */
  readonly limit: number | null;
  /** Times that are shaded. */
  readonly bands: readonly Band[];
  /** Shows another time. */
  readonly zoom: (span: Span) => void;
}

export const LatencyChart = ({ times, series, limit, bands, zoom }: ChartProps) => {
  const [chosen, choose] = useState<number | null>(null);
  /** Where a pointer began to draw the time to zoom to, and where it is. */
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const box = useRef<HTMLElement>(null);
  const width = useWidth(box);
  const frame = { ...FRAME, width };
  const { from, to, x, y, max, paths, valueTicks } = layOut(times, series, frame);
  const { step, ticks } = timeTicks(from, to, Math.max(2, width / 110), minutesBehindUtc(from));
  const within = (index: number) => Math.max(0, Math.min(times.length - 1, index));
  const [left, right] = [frame.left, width - frame.right];
  const clip = (place: number) => Math.max(left, Math.min(right, place));
  const placeOf = (event: PointerEvent) =>
    clip(event.clientX - (event.currentTarget as Element).getBoundingClientRect().left);
  const timeAt = (place: number) => from + ((place - left) / (right - left)) * (to - from);
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    setDrag({ from: placeOf(event), to: placeOf(event) });
  };
  const onPointerUp = () => {
    setDrag(null);
    if (drag && Math.abs(drag.to - drag.from) >= LEAST_DRAG)
      zoom({ from: timeAt(Math.min(drag.from, drag.to)), to: timeAt(Math.max(drag.from, drag.to)) });
  };
  const zoomBy = (by: 0.5 | 2) => {
    const around = chosen === null ? (from + to) / 2 : times[chosen]!;
    zoom(zoomed({ from, to }, around, by, Date.now()));
  };
  const onPointerMove = (event: PointerEvent) => {
    if (drag) setDrag({ ...drag, to: placeOf(event) });
    const at = timeAt(placeOf(event));
    let nearest = 0;
    for (const [index, time] of times.entries())
      if (Math.abs(time - at) < Math.abs(times[nearest]! - at)) nearest = index;
    choose(nearest);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const scale = ZOOM_KEYS[event.key];
    if (scale !== undefined) zoomBy(scale);
    const by = KEYS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    choose(within((chosen ?? times.length) + by));
  };
  const values = (index: number) =>
    `${when(times[index]!)}: ${series.map(({ name, values: of }) => `${name} ${milliseconds(of[index] ?? null)}`).join(", ")}`;
  const label = step >= DAY_MS ? onDay : atClock;
  const shades = [...new Set(bands.map(({ shade }) => shade))];
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
        onPointerDown={onPointerDown}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setDrag(null)}
        onPointerMove={onPointerMove}
        onPointerLeave={() => choose(null)}
        onKeyDown={onKeyDown}
      >
        {bands.map((band) => (
          <rect
            key={band.from}
            class={`shade bar-${band.shade}`}
            x={clip(x(band.from))}
            width={Math.max(1, clip(x(band.to)) - clip(x(band.from)))}
            y={frame.top}
            height={frame.height - frame.top - frame.bottom}
          />
        ))}
        {drag && (
          <rect
            class="shade drawn"
            x={Math.min(drag.from, drag.to)}
            width={Math.abs(drag.to - drag.from)}
            y={frame.top}
            height={frame.height - frame.top - frame.bottom}
          />
        )}
        {valueTicks.map((value) => (
          <g key={value}>
            <line class="grid" x1={left} x2={right} y1={y(value)} y2={y(value)} />
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
        {limit !== null && limit <= max && <line class="limit" x1={left} x2={right} y1={y(limit)} y2={y(limit)} />}
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
        {chosen === null &&
          shades.map((shade) => (
            <span key={shade}>
              <svg viewBox="0 0 16 10" class="swatch" aria-hidden="true">
                <rect class={`shade bar-${shade}`} width={16} height={10} />
              </svg>
              {shade}
            </span>
          ))}
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
      <p class="actions">
        <button type="button" onClick={() => zoomBy(0.5)}>
          Zoom in
        </button>
        <button type="button" onClick={() => zoomBy(2)}>
          Zoom out
        </button>
        <span class="dim small">Or draw over a time with the mouse; with the keyboard: arrows, + and −.</span>
      </p>
    </figure>
  );
};
