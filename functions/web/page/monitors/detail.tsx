/** A time in detail: seconds by status, how the port answered from each location, and incidents. */
import type { LaneStretch } from "../../../../shared/drawing/lanes.ts";
import { get } from "../api.ts";
import type { Figures, Incident, Stats } from "../model.ts";
import { Lanes } from "../parts/lanes.tsx";
import { Failed } from "../parts/notice.tsx";
import { StatusMark } from "../parts/status.tsx";
import { lasting, when } from "../words.ts";
import { Choice, useAnswer } from "./periods.tsx";

/** A period before now, or the time of a bar that was opened. */
export interface Span {
  readonly name: string;
  readonly from: string;
  readonly to?: string;
}

export const PERIODS: readonly Span[] = [
  { name: "1 hour", from: "-1h" },
  { name: "24 hours", from: "-24h" },
  { name: "7 days", from: "-7d" },
  { name: "30 days", from: "-30d" },
];

interface Timeline {
  readonly from: string;
  readonly to: string;
  readonly lanes: readonly { readonly location: string; readonly stretches: readonly LaneStretch[] }[];
  readonly incidents: readonly Incident[];
}

const KINDS = ["up", "degraded", "down", "maintenance", "unknown", "paused"] as const;

const Seconds = ({ seconds }: Pick<Figures, "seconds">) => (
  <p class="spread">
    {KINDS.filter((kind) => seconds[kind] > 0).map((kind) => (
      <span key={kind}>
        <StatusMark status={kind} /> {lasting(seconds[kind])}
      </span>
    ))}
    {seconds.noData > 0 && <span>no data {lasting(seconds.noData)}</span>}
  </p>
);

interface DetailProps {
  readonly id: string;
  readonly span: Span;
  readonly choose: (span: Span) => void;
  /** Changes when the present is to be read anew. */
  readonly beat: unknown;
}

export const Detail = ({ id, span, choose, beat }: DetailProps) => {
  const range = new URLSearchParams({ from: span.from, ...(span.to && { to: span.to }) });
  const { answer, failure } = useAnswer(
    () =>
      Promise.all([
        get<Timeline>(`/v1/monitors/${id}/timeline?${range}`, { isPoll: true }),
        get<Stats>(`/v1/monitors/${id}/stats?${range}&step=1d`, { isPoll: true }),
      ]),
    [id, span],
    span.to ? null : beat,
  );
  const [timeline, stats] = answer ?? [];
  return (
    <section id="detail" tabIndex={-1} aria-label="How the port answered">
      <h2>How the port answered</h2>
      <Choice label="Period of the detail" options={PERIODS} chosen={span} choose={choose} />
      {span.to && <p>{span.name}</p>}
      {failure !== null && <Failed failure={failure} />}
      {stats && <Seconds seconds={stats.total.seconds} />}
      {timeline && timeline.lanes.length === 0 && <p class="dim">No checks are kept of this time.</p>}
      {timeline && timeline.lanes.length > 0 && (
        <Lanes lanes={timeline.lanes} span={{ from: Date.parse(timeline.from), to: Date.parse(timeline.to) }} />
      )}
      {timeline && timeline.incidents.length > 0 && (
        <ul class="plain-list">
          {timeline.incidents.slice(0, 20).map(({ id: incident, severity, startedAt, durationSeconds, message }) => (
            <li key={incident}>
              <StatusMark status={severity} /> <a href={`/incidents/${incident}`}>{when(startedAt)}</a>{" "}
              {durationSeconds === null ? "still going on" : `for ${lasting(durationSeconds)}`}:{" "}
              <span dir="auto">{message}</span>
            </li>
          ))}
        </ul>
      )}
      <p class="small">
        <a href={`/monitors/${id}/results?${range}`}>Results of this time</a>
      </p>
    </section>
  );
};
