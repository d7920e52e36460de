/** One monitor: how it is, since when and why, and what its history says. */
import { useState } from "preact/hooks";
import { CallFailure, call, get } from "../api.ts";
import { useTitle } from "../frame.tsx";
import { usePolling } from "../live.ts";
import { type Incident, isSwept, type Monitor, type Page, type Result } from "../model.ts";
import { Confirm } from "../parts/dialog.tsx";
import { WithMore } from "../parts/later.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { StatusMark } from "../parts/status.tsx";
import { Ago, For } from "../parts/time.tsx";
import { go } from "../router.ts";
import { mayChangeMonitors, mayWrite } from "../session.ts";
import { lasting, milliseconds, target, when } from "../words.ts";
import { Certificates } from "./certificate.tsx";
import { History } from "./history.tsx";
import { type Outcome, Outcomes } from "./outcomes.tsx";
import { forgetOverview } from "./overview.ts";
import { Dependencies, Hearers } from "./told.tsx";
import { Evidence, Silence, Trouble } from "./trouble.tsx";

const POLL_MS = 10_000;

interface Shown {
  readonly monitor: Monitor;
  readonly incidents: readonly Incident[];
  readonly results: readonly Result[];
}

/** `POST /v1/monitors/{id}/check` */
interface Checked {
  readonly outcomes: readonly Outcome[];
  /** In their place, of a monitor that sweeps ports: of the sweep that begins. */
  readonly tick?: number;
}

const read = async (id: string, isPoll: boolean): Promise<Shown> => {
  const [monitor, incidents, results] = await Promise.all([
    get<Monitor>(`/v1/monitors/${id}`, { isPoll }),
    get<Page<Incident>>(`/v1/monitors/${id}/incidents?limit=10`, { isPoll }),
    get<Page<Result>>(`/v1/monitors/${id}/results?limit=15`, { isPoll }),
  ]);
  return { monitor, incidents: incidents.items, results: results.items };
};

const Locations = ({ monitor: { views, locations } }: { readonly monitor: Monitor }) => (
  <section>
    <h2>Locations</h2>
    <div class="scrolled">
      <table class="stacked">
        <thead>
          <tr>
            <th scope="col">Location</th>
            <th scope="col">Sees it</th>
            <th scope="col">Port</th>
            <th scope="col">Since</th>
            <th scope="col">What it says</th>
          </tr>
        </thead>
        <tbody>
          {locations.map((name) => {
            const view = views[name];
            return (
              <tr key={name}>
                <td>{name}</td>
                <td>{view ? <StatusMark status={view.health} /> : <span class="dim">not checked yet</span>}</td>
                <td data-label="Port">{view?.state}</td>
                <td data-label="Since">{view && <Ago at={view.since} />}</td>
                <td dir="auto">
                  {view?.message}
                  {view?.address && <span class="dim"> {view.address}</span>}
                  {view && <Evidence evidence={view.evidence} />}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  </section>
);

const Incidents = ({ incidents }: { readonly incidents: readonly Incident[] }) => (
  <section>
    <h2>Incidents</h2>
    {incidents.length === 0 ? (
      <p class="dim">None yet.</p>
    ) : (
      <div class="scrolled">
        <table class="stacked">
          <thead>
            <tr>
              <th scope="col">Was</th>
              <th scope="col">Began</th>
              <th scope="col">Lasted</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {incidents.map(({ id, severity, startedAt, durationSeconds, message }) => (
              <tr key={id}>
                <td>
                  <StatusMark status={severity} />
                </td>
                <td data-label="Began">
                  <a href={`/incidents/${id}`}>{when(startedAt)}</a>
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
  </section>
);

const Results = ({ id, results }: { readonly id: string; readonly results: readonly Result[] }) => (
  <section>
    <h2>Newest checks</h2>
    <p>
      <a href={`/monitors/${id}/results`}>All results, and as CSV</a>
    </p>
    {results.length === 0 ? (
      <p class="dim">None yet.</p>
    ) : (
      <div class="scrolled">
        <table class="stacked brief">
          <thead>
            <tr>
              <th scope="col">At</th>
              <th scope="col">Location</th>
              <th scope="col">Port</th>
              <th scope="col" class="number">
                Latency
              </th>
            </tr>
          </thead>
          <tbody>
            {results.map(({ at, location, state, reason, latencyMs }) => (
              <tr key={`${at} ${location}`}>
                <td>{when(at)}</td>
                <td data-label="Location">{location}</td>
                <td data-label="Port">
                  {state} {reason && <span class="dim">{reason}</span>}
                </td>
                <td data-label="Latency" class="number">
                  {milliseconds(latencyMs)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}
  </section>
);

export const MonitorPage = ({ id }: { readonly id: string }) => {
  const [shown, setShown] = useState<Shown | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [said, say] = useState("");
  const [attempt, setAttempt] = useState(0);
  const [isDeleting, setDeleting] = useState(false);
  const [checked, setChecked] = useState<readonly Outcome[] | null>(null);
  const [sweep, setSweep] = useState<number | null>(null);
  const refresh = () => setAttempt(attempt + 1);
  usePolling(
    async (isPoll) => {
      try {
        setShown(await read(id, isPoll));
        setFailure(null);
      } catch (error) {
        setFailure(error);
        throw error;
      }
    },
    POLL_MS,
    [id, attempt],
  );
  useTitle(shown?.monitor.name ?? "Monitor");

  const act = async (path: string, body: unknown, done: string) => {
    try {
      await call("POST", path, body === undefined ? {} : { body });
      say(done);
      forgetOverview();
      refresh();
    } catch (error) {
      setFailure(error);
    }
  };
  const own = (action: "pause" | "resume", done: string) => void act(`/v1/monitors/${id}/${action}`, undefined, done);

  const check = async () => {
    say("Checking…");
    try {
      const { outcomes, tick } = await call<Checked>("POST", `/v1/monitors/${id}/check`);
      if (tick === undefined) setChecked(outcomes);
      else setSweep(tick);
      say(tick === undefined ? "Checked." : "A sweep has begun.");
    } catch (error) {
      say("");
      setFailure(error);
    }
  };

  const remove = async () => {
    setDeleting(false);
    try {
      await call("DELETE", `/v1/monitors/${id}`);
      forgetOverview();
      go("/monitors");
    } catch (error) {
      setFailure(error);
    }
  };

  const isGone = failure instanceof CallFailure && failure.status === 404;
  if (!shown)
    return (
      <main id="main">
        {failure === null && <Loading />}
        {failure !== null && !isGone && <Failed failure={failure} retry={refresh} />}
        {isGone && (
          <>
            <h1 tabIndex={-1}>There is no such monitor</h1>
            <p>
              It may have been deleted. <a href="/monitors">All monitors</a>
            </p>
          </>
        )}
      </main>
    );
  const { monitor, incidents, results } = shown;
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1} dir="auto">
          {monitor.name}
        </h1>
        {mayChangeMonitors.value && (
          <div class="actions end">
            <button type="button" disabled={monitor.paused} onClick={() => void check()}>
              {isSwept(monitor) ? "Sweep now" : "Check now"}
            </button>
            {monitor.paused ? (
              <button type="button" onClick={() => own("resume", "It is watched again.")}>
                Resume
              </button>
            ) : (
              <button type="button" onClick={() => own("pause", "It is paused: nothing is checked or told.")}>
                Pause
              </button>
            )}
            <a class="button" href={`/monitors/${id}/edit`}>
              Edit
            </a>
            <a class="button" href={`/monitors/${id}/clone`}>
              Clone
            </a>
            <button type="button" onClick={() => setDeleting(true)}>
              Delete…
            </button>
          </div>
        )}
      </div>
      <p style={{ margin: "0 0 .6rem" }}>
        <StatusMark status={monitor.status} /> <For since={monitor.since} />{" "}
        <span class="dim">
          {monitor.protocol} <code>{target(monitor)}</code>, every {lasting(monitor.intervalSeconds)}
          {monitor.lastCheckedAt && (
            <>
              , last checked <Ago at={monitor.lastCheckedAt} />
            </>
          )}
        </span>{" "}
        {Object.entries(monitor.tags).map(([key, value]) => (
          <a key={key} class="tag" href={`/monitors?tag=${encodeURIComponent(`${key}=${value}`)}`}>
            {key}={value}
          </a>
        ))}
      </p>
      <p class="unseen" role="status">
        {said}
      </p>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {isDeleting && (
        <Confirm
          title={`Delete ${monitor.name}?`}
          verb="Delete"
          confirm={() => void remove()}
          cancel={() => setDeleting(false)}
        >
          <p>Checks and alerts end. Its history stays readable until it expires.</p>
        </Confirm>
      )}
      <Silence monitor={monitor} act={(...action) => void act(...action)} />
      <Trouble monitor={monitor} act={(...action) => void act(...action)} />
      {checked && (
        <section class="card" aria-labelledby="checked">
          <h2 id="checked">Checked just now</h2>
          <Outcomes outcomes={checked} />
          <p class="dim small">This was not stored: history and status follow the regular checks.</p>
        </section>
      )}
      {isSwept(monitor) && <WithMore>{({ NewestSweep }) => <NewestSweep monitor={monitor} asked={sweep} />}</WithMore>}
      <History monitor={monitor} />
      <Certificates monitor={monitor} />
      <Locations monitor={monitor} />
      <WithMore>{({ Said }) => <Said monitor={monitor} />}</WithMore>
      <Incidents incidents={incidents} />
      {mayWrite.value && <Hearers id={id} />}
      <Dependencies monitor={monitor} />
      {!isSwept(monitor) && <Results id={id} results={results} />}
    </main>
  );
};
