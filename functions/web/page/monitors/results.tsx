/** Raw outcomes of a monitor in a range of time, to read and as CSV. */
import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { useTitle } from "../frame.tsx";
import { useAction, useLoaded } from "../live.ts";
import type { Monitor, Page, Result } from "../model.ts";
import { saveFile } from "../parts/files.ts";
import { Failed } from "../parts/notice.tsx";
import { Paged, usePaged } from "../parts/paged.tsx";
import { StatusMark } from "../parts/status.tsx";
import { ask, query } from "../router.ts";
import { milliseconds, NONE, when } from "../words.ts";

const PERIODS = [
  { from: "-1h", name: "the last hour" },
  { from: "-24h", name: "the last 24 hours" },
  { from: "-7d", name: "the last 7 days" },
  { from: "-30d", name: "the last 30 days" },
];
const STANDARD = "-24h";
/** A spreadsheet takes some more than a million rows; a browser holds these with ease. */
const MOST_ROWS = 200_000;

const toCsv = (rows: readonly Result[]): string => {
  const names = Object.keys(rows[0] ?? {}) as (keyof Result)[];
  // No value of a result needs quotes.
  return [names.join(","), ...rows.map((row) => names.map((name) => row[name] ?? "").join(",")), ""].join("\r\n");
};

const Download = ({ path, name }: { readonly path: string; readonly name: string }) => {
  const [count, setCount] = useState(0);
  const { failure, isBusy, run } = useAction();
  const download = () =>
    run(async () => {
      const rows: Result[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<Result> = await get(
          `${path}&limit=1000${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        rows.push(...page.items);
        setCount(rows.length);
        cursor = page.nextCursor;
      } while (cursor !== null && rows.length < MOST_ROWS);
      saveFile(`${name}.csv`, "text/csv", toCsv(rows));
      if (cursor !== null) throw new Error(`Only the newest ${MOST_ROWS} rows are in the file: choose a shorter time.`);
    });
  return (
    <>
      <button type="button" disabled={isBusy} onClick={download}>
        {isBusy ? `${count} rows…` : "Download CSV"}
      </button>
      {failure !== null && <Failed failure={failure} />}
    </>
  );
};

/** An end of the range, as the address has it: a moment, or a time before now. */
const endInWords = (end: string) => (Number.isNaN(Date.parse(end)) ? end : when(end));

export const ResultsPage = ({ id }: { readonly id: string }) => {
  const from = query.value.get("from") ?? STANDARD;
  const to = query.value.get("to");
  const location = query.value.get("location") ?? "";
  const range = new URLSearchParams({ from, ...(to && { to }), ...(location && { location }) });
  const path = `/v1/monitors/${id}/results?${range}`;
  const list = usePaged<Result>(`${path}&limit=100`);
  const monitor = useLoaded((isPoll) => get<Monitor>(`/v1/monitors/${id}`, { isPoll }), 5 * 60_000, [id]).answer;
  useTitle(monitor ? `Results of ${monitor.name}` : "Results");
  const isPeriod = to === null && PERIODS.some((period) => period.from === from);
  return (
    <main id="main">
      <div class="top">
        <h1 tabIndex={-1}>
          Results of{" "}
          <a href={`/monitors/${id}`} dir="auto">
            {monitor?.name ?? "a monitor"}
          </a>
        </h1>
        <span class="end">
          <Download path={path} name={`results-${id}`} />
        </span>
      </div>
      <div class="tools">
        <label>
          Time
          <select value={isPeriod ? from : ""} onChange={(event) => ask({ from: event.currentTarget.value, to: null })}>
            {!isPeriod && (
              <option value="">
                {endInWords(from)} to {to === null ? "now" : endInWords(to)}
              </option>
            )}
            {PERIODS.map((period) => (
              <option key={period.from} value={period.from}>
                {period.name}
              </option>
            ))}
          </select>
        </label>
        {monitor && monitor.locations.length > 1 && (
          <label>
            Location
            <select value={location} onChange={(event) => ask({ location: event.currentTarget.value })}>
              <option value="">all</option>
              {monitor.locations.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      <Paged list={list} empty={<p>No checks in this time.</p>}>
        {(items) => (
          <div class="scrolled">
            <table class="stacked brief">
              <thead>
                <tr>
                  <th scope="col">At</th>
                  <th scope="col">Location</th>
                  <th scope="col">Saw it</th>
                  <th scope="col">Port</th>
                  <th scope="col">Reason</th>
                  <th scope="col" class="number">
                    Latency
                  </th>
                  <th scope="col" class="number">
                    Loss
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map(({ at, location: place, health, state, reason, latencyMs, lossPercent, offline }) => (
                  <tr key={`${at} ${place}`}>
                    <td>{when(at)}</td>
                    <td data-label="Location">{place}</td>
                    <td>
                      <StatusMark status={health} />
                      {offline && <div class="dim small">The location was offline: it does not count.</div>}
                    </td>
                    <td data-label="Port">{state}</td>
                    <td data-label="Reason">{reason}</td>
                    <td data-label="Latency" class="number">
                      {milliseconds(latencyMs)}
                    </td>
                    <td data-label="Loss" class="number">
                      {lossPercent === null ? NONE : `${lossPercent} %`}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Paged>
    </main>
  );
};
