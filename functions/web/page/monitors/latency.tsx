/** Latency over time: percentiles of all locations together, or the median of each. */
import { useState } from "preact/hooks";
import { bandsOf, type Span } from "../../../../shared/drawing/chart.ts";
import { get } from "../api.ts";
import type { Monitor, Stats } from "../model.ts";
import { LatencyChart } from "../parts/latency-chart.tsx";
import { Failed } from "../parts/notice.tsx";
import { when } from "../words.ts";
import { Choice, useAnswer } from "./periods.tsx";

const RANGES = [
  { name: "1 hour", from: "-1h", step: "1m" },
  { name: "24 hours", from: "-24h", step: "5m" },
  { name: "7 days", from: "-7d", step: "1h" },
  { name: "30 days", from: "-30d", step: "6h" },
  { name: "90 days", from: "-90d", step: "1d" },
  { name: "400 days", from: "-400d", step: "1d" },
] as const;
const HOUR_MS = 3_600_000;
/** Steps of times that are zoomed to, by their length: some hundred values each. */
const STEPS = [
  { upTo: 6 * HOUR_MS, step: "1m" },
  { upTo: 36 * HOUR_MS, step: "5m" },
  { upTo: 14 * 24 * HOUR_MS, step: "1h" },
  { upTo: 60 * 24 * HOUR_MS, step: "6h" },
] as const;
const stepOf = ({ from, to }: Span) => STEPS.find(({ upTo }) => to - from <= upTo)?.step ?? "1d";
const LONGEST_MS = 400 * 24 * HOUR_MS;
const iso = (at: number) => new Date(at).toISOString();

const LINES = [{ name: "percentiles" }, { name: "by location" }] as const;

interface LatencyProps {
  readonly monitor: Monitor;
  readonly beat: unknown;
  /** Told whether there is any, so that a new monitor's page fills soon. */
  readonly found: (hasLatency: boolean) => void;
}

export const Latency = ({ monitor: { id, locations, degradedAboveMs }, beat, found }: LatencyProps) => {
  const [range, setRange] = useState<(typeof RANGES)[number]>(RANGES[1]);
  const [zoom, setZoom] = useState<Span | null>(null);
  const [lines, setLines] = useState<(typeof LINES)[number]>(LINES[0]);
  const isByLocation = lines === LINES[1];
  const { answer, failure } = useAnswer(
    async () => {
      const parameters = new URLSearchParams({
        ...(zoom
          ? { from: iso(zoom.from), to: iso(zoom.to), step: stepOf(zoom) }
          : { from: range.from, step: range.step }),
        ...(isByLocation && { by: "location" }),
      });
      const stats = await get<Stats>(`/v1/monitors/${id}/stats?${parameters}`, { isPoll: true });
      if (!zoom) found(stats.items.some(({ latencyMs }) => latencyMs !== null));
      return stats;
    },
    [id, range, zoom, isByLocation],
    zoom ? null : beat,
  );
  const points = answer?.items ?? [];
  const series = answer?.series
    ? answer.series.map(({ location, items }) => ({
        name: location,
        values: items.map(({ latencyMs }) => latencyMs?.p50 ?? null),
      }))
    : (["p50", "p95", "p99"] as const).map((name) => ({
        name,
        values: points.map(({ latencyMs }) => latencyMs?.[name] ?? null),
      }));
  const hasLatency = points.some(({ latencyMs }) => latencyMs !== null);
  return (
    <section aria-label="Latency">
      <h2>Latency</h2>
      <Choice
        label="Period of the latency"
        options={RANGES}
        chosen={zoom ? null : range}
        choose={(chosen) => {
          setRange(chosen);
          setZoom(null);
        }}
      />
      {zoom && (
        <p>
          {when(zoom.from)} to {when(zoom.to)}
        </p>
      )}
      {locations.length > 1 && <Choice label="Lines of the latency" options={LINES} chosen={lines} choose={setLines} />}
      {failure !== null && <Failed failure={failure} />}
      {answer && !hasLatency && <p class="dim">No latencies in this time.</p>}
      {(hasLatency || (answer && zoom)) && (
        <LatencyChart
          times={points.map(({ from }) => Date.parse(from))}
          series={series}
          limit={degradedAboveMs}
          bands={bandsOf(points)}
          zoom={(span) => span.to - span.from <= LONGEST_MS && setZoom(span)}
        />
      )}
      {hasLatency && isByLocation && <p class="dim small">The median (p50) as each location measured it.</p>}
    </section>
  );
};
