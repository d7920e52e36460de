/** Maintenance: when nobody is told of trouble, now, in the next 30 days and before. */
import { useEffect, useState } from "preact/hooks";
import type { MaintenanceWindow } from "../alerts-model.ts";
import { call, getAll } from "../api.ts";
import { zone } from "../display.ts";
import { now, useLoaded } from "../live.ts";
import { loadNames, nameOf } from "../monitors/overview.ts";
import { Delete } from "../parts/delete.tsx";
import { Empty } from "../parts/empty.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { mayWrite } from "../session.ts";
import { lasting, onDay, plural, when } from "../words.ts";
import { occurrenceInWords, scheduleInWords, scopeInWords, stretchesWithin } from "./window.ts";

const POLL_MS = 30_000;
const DAYS = 30;
const DAY_MS = 86_400_000;
const EXTENSIONS = [900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];
/** Width of the picture of 30 days, in units of its own; a short window is still seen. */
const WIDTH = 1_000;
const LEAST = 4;

const Strip = ({ windows }: { readonly windows: readonly MaintenanceWindow[] }) => {
  const from = now.value;
  const rows = windows
    .map((window) => ({ window, stretches: stretchesWithin(window, from, DAYS) }))
    .filter(({ stretches }) => stretches.length > 0);
  return (
    <section class="card days" aria-labelledby="days">
      <h2 id="days">The next {DAYS} days</h2>
      {rows.length === 0 && <p class="dim">No maintenance.</p>}
      {rows.map(({ window: { id, name, active, next }, stretches }) => (
        <div key={id} class="day-row">
          <span dir="auto">{name}</span>
          <svg
            viewBox={`0 0 ${WIDTH} 14`}
            preserveAspectRatio="none"
            role="img"
            aria-label={`${plural(stretches.length, "time")}, ${active ? "now" : "first"} ${occurrenceInWords(active ?? next[0]!)}`}
          >
            <path
              class="grid"
              d={Array.from({ length: DAYS + 1 }, (_, day) => `M${(day * WIDTH) / DAYS} 0v14`).join("")}
            />
            {stretches.map(({ start, length }) => (
              <rect
                key={start}
                x={Math.min(start * WIDTH, WIDTH - LEAST)}
                y={2}
                width={Math.max(LEAST, length * WIDTH)}
                height={10}
              />
            ))}
          </svg>
        </div>
      ))}
      {rows.length > 0 && (
        <div class="day-row dim small" aria-hidden="true">
          <span />
          <div class="ends">
            <span>now</span>
            <span>{onDay(from + (DAYS / 2) * DAY_MS)}</span>
            <span>{onDay(from + DAYS * DAY_MS)}</span>
          </div>
        </div>
      )}
    </section>
  );
};

/** Ends or extends the occurrence that lasts now. */
const Active = ({
  window: { id, active },
  changed,
}: {
  readonly window: MaintenanceWindow;
  readonly changed: () => void;
}) => {
  const [seconds, setSeconds] = useState(3_600);
  const [failure, fail] = useState<unknown>(null);
  const act = async (what: string, body?: unknown) => {
    try {
      await call("POST", `/v1/maintenance-windows/${id}/${what}`, body === undefined ? {} : { body });
      fail(null);
      changed();
    } catch (error) {
      fail(error);
    }
  };
  return (
    <>
      <p class="is-maintenance">
        <strong>Now, until {when(active!.endsAt)}</strong>
      </p>
      {mayWrite.value && (
        <div class="actions">
          <button type="button" onClick={() => void act("end")}>
            End now
          </button>
          <select
            aria-label="Extend by"
            value={String(seconds)}
            onChange={(event) => setSeconds(Number(event.currentTarget.value))}
          >
            {EXTENSIONS.map((one) => (
              <option key={one} value={String(one)}>
                {lasting(one)}
              </option>
            ))}
          </select>
          <button type="button" onClick={() => void act("extend", { seconds })}>
            Extend
          </button>
        </div>
      )}
      {failure !== null && <Failed failure={failure} />}
    </>
  );
};

const MOST_NEXT = 5;

const Card = ({ window, changed }: { readonly window: MaintenanceWindow; readonly changed: () => void }) => {
  const { id, name, schedule, active, next } = window;
  const later = next.slice(0, MOST_NEXT);
  return (
    <section class="card" aria-labelledby={id}>
      <div class="top">
        <h2 id={id} dir="auto">
          {name}
        </h2>
        {mayWrite.value && (
          <div class="actions end">
            {(active || next.length > 0) && (
              <a class="button" href={`/maintenance/${id}`}>
                Edit
              </a>
            )}
            <Delete path={`/v1/maintenance-windows/${id}`} name={name} done={changed}>
              <p>It ends at once and does not occur again. That it was stays in the history.</p>
            </Delete>
          </div>
        )}
      </div>
      {active && <Active window={window} changed={changed} />}
      <p dir="auto">
        {scheduleInWords(schedule)} <span class="dim">{scopeInWords(window, nameOf)}</span>
      </p>
      {schedule.kind !== "once" && later.length > 0 && (
        <details>
          <summary>Next: {occurrenceInWords(later[0]!)}</summary>
          <ul class="plain-list">
            {later.slice(1).map((one) => (
              <li key={one.startsAt}>{occurrenceInWords(one)}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
};

export const MaintenancePage = () => {
  const {
    answer: found,
    failure,
    fail,
    refresh,
  } = useLoaded((isPoll) => getAll<MaintenanceWindow>("/v1/maintenance-windows?next=100", { isPoll }), POLL_MS);
  useEffect(() => void loadNames().catch(fail), []);
  const isOver = ({ active, next }: MaintenanceWindow) => !active && next.length === 0;
  const present = found?.filter((window) => !isOver(window)) ?? [];
  const over = found?.filter(isOver) ?? [];
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>Maintenance</h1>
        {mayWrite.value && (
          <a class="button primary end" href="/maintenance/new">
            New window
          </a>
        )}
      </div>
      <p class="dim">
        Checks go on, and nobody is told of trouble. What is still wrong at the end is told then. Times in {zone.value}{" "}
        where no zone stands.
      </p>
      {failure !== null && <Failed failure={failure} retry={refresh} />}
      {!found && failure === null && <Loading />}
      {found?.length === 0 && (
        <Empty title="No maintenance.">
          <p>Plan a window before work that makes monitors go down, once or each week.</p>
        </Empty>
      )}
      {present.length > 0 && <Strip windows={present} />}
      {present.map((window) => (
        <Card key={window.id} window={window} changed={refresh} />
      ))}
      {over.length > 0 && (
        <details>
          <summary>{plural(over.length, "window")} of the last 400 days, over</summary>
          {over.map((window) => (
            <Card key={window.id} window={window} changed={refresh} />
          ))}
        </details>
      )}
    </main>
  );
};
