/** All monitors: counts, search, groups, and a row for each. */
import { computed, signal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import { now, usePolling } from "../live.ts";
import { type BarStep, type Row, STATUSES, type Status } from "../model.ts";
import { WithMore } from "../parts/later.tsx";
import { Loading } from "../parts/loading.tsx";
import { Failed } from "../parts/notice.tsx";
import { StatusMark } from "../parts/status.tsx";
import { ask, path, query } from "../router.ts";
import { mayChangeMonitors } from "../session.ts";
import { lastingSince, plural } from "../words.ts";
import { countByStatus, found, type Group, ordered, SORTS, type Sort } from "./filters.ts";
import { PERIODS, type Period, periodIn } from "./first-read.ts";
import { loadOverview, overview, staleness } from "./overview.ts";
import { cellsOf, type DrawnCells } from "./row.tsx";
import { selectAll, selected, toggle } from "./selection.ts";

const POLL_MS = 15_000;
const SORT_WORDS: Readonly<Record<Sort, string>> = {
  status: "problems first",
  name: "name",
  uptime: "lowest uptime",
  latency: "highest latency",
  newest: "newest change",
};
const PERIOD_WORDS: Readonly<Record<Period, string>> = {
  "24h": "24 hours",
  "7d": "7 days",
  "30d": "30 days",
  "90d": "90 days",
};

const oneOf = <Word extends string>(words: readonly Word[], found: string | null): Word | null =>
  words.find((word) => word === found) ?? null;

const wanted = computed(() => ({
  q: query.value.get("q") ?? "",
  status: oneOf(STATUSES, query.value.get("status")),
  tag: query.value.get("tag"),
}));
const groupedBy = computed(() => query.value.get("group"));
const sortedBy = computed<Sort>(() => oneOf(SORTS, query.value.get("sort")) ?? "status");
const period = computed<Period>(() => periodIn(query.value));
/** Asks for the first rows before anything is drawn: over a slow line the session's answer would hold them up. */
export const prefetchMonitors = (): void => void loadOverview(period.peek(), false).catch(() => {}); // the page asks again
const rows = computed(() => [...(overview.value?.rows.values() ?? [])]);
const counts = computed(() => countByStatus(rows.value));
/** All of them, so that a letter in the search sorts nothing. */
const groups = computed(() => ordered(rows.value, { group: groupedBy.value, sort: sortedBy.value }));
const matching = computed<ReadonlySet<Row>>(() => new Set(found(rows.value, wanted.value)));
const shownRows = computed(() => groups.value.flatMap((group) => group.rows.filter((row) => matching.value.has(row))));
const shownIds = computed(() => shownRows.value.map(({ id }) => id));
const selectedRows = computed(() => shownRows.value.filter(({ id }) => selected.value.has(id)));
const select = (id: string, isRange: boolean) => toggle(id, shownIds.peek(), isRange);

const folded = signal<ReadonlySet<string>>(new Set());

const fold = (name: string) => {
  const next = new Set(folded.value);
  if (!next.delete(name)) next.add(name);
  folded.value = next;
};

const Chips = () => (
  <ul class="chips" aria-label="Filter by status">
    {STATUSES.filter((status) => counts.value.has(status)).map((status: Status) => (
      <li key={status}>
        <button
          type="button"
          aria-pressed={wanted.value.status === status}
          onClick={() => ask({ status: wanted.value.status === status ? null : status })}
        >
          <StatusMark status={status} /> {counts.value.get(status)}
        </button>
      </li>
    ))}
  </ul>
);

const tagKeys = computed(() => [...new Set(rows.value.flatMap(({ tags }) => Object.keys(tags)))].toSorted());

const Tools = () => (
  <search class="tools">
    <input
      type="search"
      aria-label="Search name, address, protocol and tags"
      placeholder="Search name, address, protocol, tags"
      value={wanted.value.q}
      onInput={(event) => ask({ q: event.currentTarget.value })}
    />
    {tagKeys.value.length > 0 && (
      <label>
        Group by
        <select value={groupedBy.value ?? ""} onChange={(event) => ask({ group: event.currentTarget.value })}>
          <option value="">nothing</option>
          {tagKeys.value.map((key) => (
            <option key={key}>{key}</option>
          ))}
        </select>
      </label>
    )}
    <label>
      Sort by
      <select value={sortedBy.value} onChange={(event) => ask({ sort: event.currentTarget.value })}>
        {SORTS.map((one) => (
          <option key={one} value={one}>
            {SORT_WORDS[one]}
          </option>
        ))}
      </select>
    </label>
    <label>
      Bars of
      <select value={period.value} onChange={(event) => ask({ bars: event.currentTarget.value })}>
        {PERIODS.map((one) => (
          <option key={one} value={one}>
            {PERIOD_WORDS[one]}
          </option>
        ))}
      </select>
    </label>
  </search>
);

const isFolded = ({ name }: Group) => name !== null && folded.value.has(name);

const GroupHead = ({ group }: { readonly group: Group }) => {
  const name = group.name ?? "";
  const down = group.rows.filter(({ status }) => status === "down").length;
  return (
    <div class="group" role="row">
      <div role="rowheader">
        <button type="button" aria-expanded={!isFolded(group)} onClick={() => fold(name)}>
          <span aria-hidden="true">{isFolded(group) ? "▸" : "▾"}</span> {name || `without ${groupedBy.value}`}
        </button>{" "}
        <span class="dim">
          {group.rows.length}
          {down > 0 && `, ${down} down`}
        </span>
      </div>
    </div>
  );
};

/**
 * All groups in one list of siblings: another grouping then moves rows, and draws none anew. A row that a search passes
 * over is hidden, because drawing it anew would cost more; one that was never shown is not drawn.
 */
const Rows = ({ step }: { readonly step: BarStep }) => {
  const drawn: DrawnCells = useRef(new Map()).current;
  const rowOf = (row: Row, isShown: boolean) => {
    if (!isShown && !drawn.has(row.id)) return null;
    const isSelected = selected.value.has(row.id);
    const lasted = lastingSince(row.since, now.value);
    const isMaintained = row.maintenanceUntil !== null && Date.parse(row.maintenanceUntil) > now.value;
    const chosen = mayChangeMonitors.value ? select : undefined;
    return (
      <div key={row.id} role="row" hidden={!isShown} aria-selected={chosen && isSelected}>
        {cellsOf({ row, step, isSelected, lasted, isMaintained, select: chosen }, isShown, drawn)}
      </div>
    );
  };
  return (
    <div class="rows" role="rowgroup">
      {groups.value.flatMap(({ name, rows: all }) => {
        const own = { name, rows: all.filter((row) => matching.value.has(row)) };
        return [
          name !== null && own.rows.length > 0 && <GroupHead key={`group ${name}`} group={own} />,
          ...all.map((row) => rowOf(row, !isFolded(own) && matching.value.has(row))),
        ];
      })}
    </div>
  );
};

const Empty = () => (
  <div class="empty">
    <p>
      <strong>Nothing is watched yet.</strong>
    </p>
    {mayChangeMonitors.value ? (
      <p>
        <a href="/monitors/new">Watch a port</a>
      </p>
    ) : (
      <p class="dim">A token with the scope deploy can create monitors.</p>
    )}
  </div>
);

const Table = () => {
  const loaded = overview.value!;
  const shown = shownIds.value.length;
  if (rows.value.length === 0) return <Empty />;
  if (shown === 0)
    return (
      <div class="empty">
        <p>0 of {plural(rows.value.length, "monitor")} match.</p>
        <a href={path.value}>Clear the filters</a>
      </div>
    );
  return (
    <div
      class={`list ${mayChangeMonitors.value ? "selectable" : ""}`}
      role="table"
      aria-label="Monitors"
      aria-rowcount={shown + 1}
    >
      <div class="head" role="rowgroup">
        <div role="row">
          {mayChangeMonitors.value && (
            <div role="columnheader" class="check-cell">
              <input
                type="checkbox"
                aria-label="Select all that are shown"
                checked={selectedRows.value.length === shown}
                ref={(box) => {
                  if (box) box.indeterminate = selectedRows.value.length > 0 && selectedRows.value.length < shown;
                }}
                onClick={(event) => selectAll(event.currentTarget.checked ? shownIds.value : [])}
              />
            </div>
          )}
          <div role="columnheader">Monitor</div>
          <div role="columnheader">Status</div>
          <div role="columnheader">Tags</div>
          <div role="columnheader">{PERIOD_WORDS[loaded.period]}</div>
          <div role="columnheader" class="number">
            Uptime
          </div>
          <div role="columnheader" class="number">
            Latency
          </div>
        </div>
      </div>
      <Rows step={loaded.bars.step} />
    </div>
  );
};

const Import = () => {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Export, import…
      </button>
      {isOpen && (
        <WithMore>
          {({ ImportDialog }) => <ImportDialog total={rows.value.length} close={() => setOpen(false)} />}
        </WithMore>
      )}
    </>
  );
};

export const MonitorsPage = () => {
  const [failure, setFailure] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  usePolling(
    async (isPoll) => {
      try {
        await loadOverview(period.peek(), isPoll);
        setFailure(null);
      } catch (error) {
        setFailure(error);
        throw error;
      }
    },
    POLL_MS,
    [period.value, attempt, staleness.value],
  );
  const loaded = overview.value;
  const shown = shownIds.value.length;
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>Monitors</h1>
        <span class="dim" role="status">
          {loaded && (shown === rows.value.length ? shown : `${shown} of ${rows.value.length}`)}
          {loaded && !loaded.isWhole && ", loading more"}
        </span>
        {mayChangeMonitors.value && (
          <span class="actions end">
            {loaded?.isWhole && <Import />}
            <a class="button primary" href="/monitors/new">
              New monitor
            </a>
          </span>
        )}
      </div>
      {failure !== null && <Failed failure={failure} retry={() => setAttempt(attempt + 1)} />}
      {loaded && rows.value.length > 0 && (
        <>
          <Chips />
          <Tools />
        </>
      )}
      {loaded ? <Table /> : failure === null && <Loading />}
      {selectedRows.value.length > 0 && (
        <WithMore>{({ BulkBar }) => <BulkBar rows={selectedRows.value} shown={shownIds.value} />}</WithMore>
      )}
    </main>
  );
};
