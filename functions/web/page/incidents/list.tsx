/** Incidents, open ones first. */
import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { usePolling } from "../live.ts";
import type { Incident, Page } from "../model.ts";
import { Failed } from "../parts/notice.tsx";
import { StatusMark } from "../parts/status.tsx";
import { Ago } from "../parts/time.tsx";
import { lasting } from "../words.ts";

const POLL_MS = 15_000;

interface Listed extends Incident {
  readonly monitor: { readonly id: string; readonly name: string };
}

export const IncidentsPage = () => {
  const [incidents, setIncidents] = useState<readonly Listed[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  usePolling(
    async (isPoll) => {
      try {
        const page = await get<Page<Listed>>("/v1/incidents?limit=50", { isPoll });
        setIncidents((before) => {
          const fresh = new Set(page.items.map(({ id }) => id));
          // Older pages that were asked for stay below.
          return [...page.items, ...(before ?? []).slice(page.items.length).filter(({ id }) => !fresh.has(id))];
        });
        setNext((before) => before ?? page.nextCursor);
        setFailure(null);
      } catch (error) {
        setFailure(error);
        throw error;
      }
    },
    POLL_MS,
    [attempt],
  );
  const more = async () => {
    try {
      const page = await get<Page<Listed>>(`/v1/incidents?limit=50&cursor=${encodeURIComponent(next!)}`);
      setIncidents([...(incidents ?? []), ...page.items]);
      setNext(page.nextCursor);
    } catch (error) {
      setFailure(error);
    }
  };
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>Incidents</h1>
      </div>
      {failure !== null && <Failed failure={failure} retry={() => setAttempt(attempt + 1)} />}
      {incidents?.length === 0 && (
        <div class="empty">
          <p>
            <strong>No incidents.</strong>
          </p>
          <p class="dim">One begins when a monitor goes down or turns slow, and ends when it is up again.</p>
        </div>
      )}
      {incidents && incidents.length > 0 && (
        <div class="scrolled">
          <table class="stacked">
            <thead>
              <tr>
                <th scope="col">Monitor</th>
                <th scope="col">Was</th>
                <th scope="col">Began</th>
                <th scope="col">Lasted</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {incidents.map(({ id, monitor, severity, startedAt, durationSeconds, message }) => (
                <tr key={id}>
                  <td>
                    <a href={`/monitors/${monitor.id}`} dir="auto">
                      {monitor.name}
                    </a>
                  </td>
                  <td>
                    <StatusMark status={severity} />
                  </td>
                  <td data-label="Began">
                    <a href={`/incidents/${id}`}>
                      <Ago at={startedAt} />
                    </a>
                  </td>
                  <td data-label="Lasted">
                    {durationSeconds === null ? <strong>still going on</strong> : lasting(durationSeconds)}
                  </td>
                  <td dir="auto">{message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next !== null && (
        <p>
          <button type="button" onClick={() => void more()}>
            Older incidents
          </button>
        </p>
      )}
    </main>
  );
};
