/** What each location saw in a test. */
import { StatusMark } from "../parts/status.tsx";
import { milliseconds } from "../words.ts";

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

export const Outcomes = ({ outcomes }: { readonly outcomes: readonly Outcome[] }) => (
  <div class="scrolled">
    <table aria-label="What each location saw">
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
            <td>{state}</td>
            <td dir="auto">
              {error ?? message}
              {evidence && Object.keys(evidence).length > 0 && (
                <details>
                  <summary class="dim small">Evidence</summary>
                  <code>{JSON.stringify(evidence)}</code>
                </details>
              )}
            </td>
            <td class="number">{milliseconds(timings?.latencyMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
