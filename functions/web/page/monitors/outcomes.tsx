/** What each location saw when it was asked to check at once. */
import { StatusMark } from "../parts/status.tsx";
import { milliseconds } from "../words.ts";
import { Evidence } from "./trouble.tsx";

export interface Outcome {
  readonly location: string;
  readonly state?: string;
  readonly health?: "up" | "degraded" | "down" | "unknown";
  readonly reason?: string | null;
  readonly message?: string;
  readonly address?: string;
  readonly timings?: Readonly<Record<string, number>>;
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

const STAGES = { dnsMs: "DNS", connectMs: "connect", tlsMs: "TLS", firstByteMs: "first byte" } as const;

/** `DNS 3 ms, connect 12 ms, TLS 20 ms`; those that did not take place are left out. */
const stagesInWords = (timings: NonNullable<Outcome["timings"]>): string =>
  Object.entries(STAGES)
    .flatMap(([stage, name]) => (timings[stage] === undefined ? [] : `${name} ${milliseconds(timings[stage])}`))
    .join(", ");

export const Outcomes = ({ outcomes }: { readonly outcomes: readonly Outcome[] }) => (
  <div class="scrolled">
    <table class="stacked" aria-label="What each location saw">
      <thead>
        <tr>
          <th scope="col">Location</th>
          <th scope="col">Sees it</th>
          <th scope="col">Port</th>
          <th scope="col">What it says</th>
          <th scope="col" class="number">
            Latency
          </th>
        </tr>
      </thead>
      <tbody>
        {outcomes.map(({ location, health, state, message, error, timings, evidence }) => (
          <tr key={location}>
            <td>{location}</td>
            <td>{health && <StatusMark status={health} />}</td>
            <td data-label="Port">{state}</td>
            <td>
              <span dir="auto">{error ?? message}</span>
              {timings && <div class="dim small">{stagesInWords(timings)}</div>}
              {evidence && <Evidence evidence={evidence} />}
            </td>
            <td data-label="Latency" class="number">
              {milliseconds(timings?.latencyMs)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
