/** What the past of a monitor says: uptime by period, bars, latency. */
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import type { Figures, Monitor, Overview, Stats } from "../model.ts";
import { LatencyChart } from "../parts/latency-chart.tsx";
import { Failed } from "../parts/notice.tsx";
import { ReadableBars } from "../parts/uptime-bars.tsx";
import { lasting, NONE, percent } from "../words.ts";

/** Periods of the figures, and the steps in which they are read. */
const TOTALS = [
  { name: "24 hours", from: "-24h" },
  { name: "7 days", from: "-7d" },
  { name: "30 days", from: "-30d" },
  { name: "90 days", from: "-90d" },
  { name: "400 days", from: "-400d" },
] as const;
const RANGES = [
  { name: "1 hour", from: "-1h", step: "1m" },
  { name: "24 hours", from: "-24h", step: "5m" },
  { name: "7 days", from: "-7d", step: "1h" },
  { name: "30 days", from: "-30d", step: "6h" },
  { name: "90 days", from: "-90d", step: "1d" },
  { name: "400 days", from: "-400d", step: "1d" },
] as const;
const BARS = [
  { name: "24 hours", bars: "24h" },
  { name: "7 days", bars: "7d" },
  { name: "30 days", bars: "30d" },
  { name: "90 days", bars: "90d" },
] as const;

const statsOf = (id: string, from: string, step: string) =>
  get<Stats>(`/v1/monitors/${id}/stats?${new URLSearchParams({ from, step })}`, { isPoll: true });

/** Reads anew when the monitor changes its status, and every few minutes. */
const useAnswer = <Answer,>(load: () => Promise<Answer>, inputs: readonly unknown[]) => {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    let isWanted = true;
    load().then(
      (found) => {
        if (!isWanted) return;
        setAnswer(found);
        setFailure(null);
      },
      (error: unknown) => isWanted && setFailure(error),
    );
    return () => {
      isWanted = false;
    };
  }, inputs);
  return { answer, failure };
};

const EVERY_MS = 2 * 60_000;
/** A new monitor fills its page as its first checks come. */
const EVERY_MS_WHILE_EMPTY = 5_000;
/** Changes when what depends on the time is to be read anew. */
const useBeat = (everyMs: number) => {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setBeat((before) => before + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return beat;
};

/** Time of a range that is known: only that counts. */
const known = ({ seconds: { up, degraded, down } }: Figures) => up + degraded + down;

const Choice = <Option extends { readonly name: string }>({
  label,
  options,
  chosen,
  choose,
}: {
  readonly label: string;
  readonly options: readonly Option[];
  readonly chosen: Option;
  readonly choose: (option: Option) => void;
}) => (
  <ul class="chips" aria-label={label}>
    {options.map((option) => (
      <li key={option.name}>
        <button type="button" aria-pressed={option === chosen} onClick={() => choose(option)}>
          {option.name}
        </button>
      </li>
    ))}
  </ul>
);

export const History = ({ monitor: { id, status, degradedAboveMs } }: { readonly monitor: Monitor }) => {
  const [isFilled, setFilled] = useState(false);
  const beat = useBeat(isFilled ? EVERY_MS : EVERY_MS_WHILE_EMPTY);
  const [range, setRange] = useState<(typeof RANGES)[number]>(RANGES[1]);
  const [strip, setStrip] = useState<(typeof BARS)[number]>(BARS[2]);
  const totals = useAnswer(
    () => Promise.all(TOTALS.map(({ from }) => statsOf(id, from, "1d").then(({ total }) => total))),
    [id, status, beat],
  );
  const bars = useAnswer(
    () => get<Overview>(`/v1/overview?${new URLSearchParams({ bars: strip.bars, ids: id })}`, { isPoll: true }),
    [id, status, strip, beat],
  );
  const latency = useAnswer(() => statsOf(id, range.from, range.step), [id, range, beat]);
  const row = bars.answer?.items[0];
  const year = totals.answer?.at(-1);
  const points = latency.answer?.items ?? [];
  const hasLatency = points.some(({ latencyMs }) => latencyMs !== null);
  const day = totals.answer?.[0];
  const isComplete = day !== undefined && known(day) > 0 && (hasLatency || status !== "up");
  useEffect(() => setFilled(isComplete), [isComplete]);
  return (
    <>
      <section aria-label="Uptime">
        <h2>Uptime</h2>
        {totals.failure !== null && <Failed failure={totals.failure} />}
        <div class="tiles">
          {TOTALS.map(({ name }, index) => {
            const total = totals.answer?.[index];
            return (
              <div key={name} class="tile">
                <span class="dim small">{name}</span>
                <b>{total ? percent(total.uptimePercent) : NONE}</b>
                <span class="dim small">{total ? `of ${lasting(known(total))} known` : " "}</span>
              </div>
            );
          })}
          <div class="tile">
            <span class="dim small">Outages in 400 days</span>
            <b>{year?.outages ?? NONE}</b>
            <span class="dim small">
              {typeof year?.mttrSeconds === "number" ? `${lasting(year.mttrSeconds)} each on average` : " "}
            </span>
          </div>
        </div>
        <Choice label="Period of the bars" options={BARS} chosen={strip} choose={setStrip} />
        {row && bars.answer && (
          <ReadableBars
            bars={row.bars}
            downSeconds={row.downSeconds}
            step={bars.answer.bars.step}
            from={bars.answer.bars.from}
          />
        )}
        {bars.failure !== null && <Failed failure={bars.failure} />}
      </section>
      <section aria-label="Latency">
        <h2>Latency</h2>
        <Choice label="Period of the latency" options={RANGES} chosen={range} choose={setRange} />
        {latency.failure !== null && <Failed failure={latency.failure} />}
        {latency.answer && !hasLatency && <p class="dim">No latencies in this time.</p>}
        {hasLatency && (
          <LatencyChart
            times={points.map(({ from }) => Date.parse(from))}
            series={(["p50", "p95", "p99"] as const).map((name) => ({
              name,
              values: points.map(({ latencyMs }) => latencyMs?.[name] ?? null),
            }))}
            limit={degradedAboveMs}
          />
        )}
      </section>
    </>
  );
};
