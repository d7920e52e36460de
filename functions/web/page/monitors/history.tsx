/** What the past of a monitor says: uptime by period, bars, a time in detail, latency. */
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import { type Figures, isSwept, type Monitor, type Overview, type Stats } from "../model.ts";
import { Failed } from "../parts/notice.tsx";
import { ReadableBars } from "../parts/uptime-bars.tsx";
import { lasting, NONE, percent } from "../words.ts";
import { Detail, PERIODS, type Span } from "./detail.tsx";
import { Latency } from "./latency.tsx";
import { Choice, useAnswer, useBeat } from "./periods.tsx";

const TOTALS = [
  { name: "24 hours", from: "-24h" },
  { name: "7 days", from: "-7d" },
  { name: "30 days", from: "-30d" },
  { name: "90 days", from: "-90d" },
  { name: "400 days", from: "-400d" },
] as const;
const BARS = [
  { name: "24 hours", bars: "24h" },
  { name: "7 days", bars: "7d" },
  { name: "30 days", bars: "30d" },
  { name: "90 days", bars: "90d" },
] as const;

const EVERY_MS = 2 * 60_000;
/** A new monitor fills its page as its first checks come. */
const EVERY_MS_WHILE_EMPTY = 5_000;

const totalOf = async (id: string, from: string) =>
  (await get<Stats>(`/v1/monitors/${id}/stats?${new URLSearchParams({ from, step: "1d" })}`, { isPoll: true })).total;

/** Time of a range that is known: only that counts. */
const known = ({ seconds: { up, degraded, down } }: Figures) => up + degraded + down;

export const History = ({ monitor }: { readonly monitor: Monitor }) => {
  const { id, status } = monitor;
  const [isFilled, setFilled] = useState(false);
  const [hasLatency, setLatency] = useState(false);
  const beat = useBeat(isFilled ? EVERY_MS : EVERY_MS_WHILE_EMPTY);
  const [strip, setStrip] = useState<(typeof BARS)[number]>(BARS[2]);
  const [span, setSpan] = useState<Span>(PERIODS[1]!);
  const totals = useAnswer(() => Promise.all(TOTALS.map(({ from }) => totalOf(id, from))), [id, status], beat);
  const bars = useAnswer(
    () => get<Overview>(`/v1/overview?${new URLSearchParams({ bars: strip.bars, ids: id })}`, { isPoll: true }),
    [id, status, strip],
    beat,
  );
  const row = bars.answer?.items[0];
  const year = totals.answer?.at(-1);
  const day = totals.answer?.[0];
  const isComplete = day !== undefined && known(day) > 0 && (hasLatency || isSwept(monitor) || status !== "up");
  useEffect(() => setFilled(isComplete), [isComplete]);
  const open = (opened: Span) => {
    setSpan(opened);
    document.getElementById("detail")?.focus();
  };
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
                <b>{total ? percent(total.uptimePercent) : "…"}</b>
                <span class="dim small">{total ? `of ${lasting(known(total))} known` : " "}</span>
              </div>
            );
          })}
          <div class="tile">
            <span class="dim small">Outages in 400 days</span>
            <b>{year ? (year.outages ?? NONE) : "…"}</b>
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
            open={isSwept(monitor) ? undefined : open}
          />
        )}
        {bars.failure !== null && <Failed failure={bars.failure} />}
      </section>
      {!isSwept(monitor) && (
        <>
          <Detail id={id} span={span} choose={setSpan} beat={`${beat} ${status}`} />
          <Latency monitor={monitor} beat={beat} found={setLatency} />
        </>
      )}
    </>
  );
};
