/** Tiles for a screen on the wall: problems first, no controls, readable from five metres. */
import { now, useLoaded } from "../live.ts";
import type { Row, Status } from "../model.ts";
import { found, ordered } from "../monitors/filters.ts";
import { loadOverview, overview } from "../monitors/overview.ts";
import { StatusMark } from "../parts/status.tsx";
import { query } from "../router.ts";
import { atClock, lastingSince } from "../words.ts";

const POLL_MS = 15_000;
/** More would be too small to be read from afar. */
const MOST_TILES = 30;
const isProblem = (status: Status) => status === "down" || status === "degraded" || status === "unknown";

const Tile = ({ row: { name, status, since, message } }: { readonly row: Row }) => (
  <li class={`tile-large of-${status}`}>
    <b dir="auto">{name}</b>
    <span>
      <StatusMark status={status} /> {isProblem(status) && <span class="nowrap">{lastingSince(since, now.value)}</span>}
    </span>
    {isProblem(status) && (
      <span class="small" dir="auto">
        {message}
      </span>
    )}
  </li>
);

const headline = (rows: readonly Row[]) => {
  const count = (status: Status) => rows.filter((row) => row.status === status).length;
  const told = (["down", "degraded", "unknown"] as const).flatMap((status) =>
    count(status) > 0 ? [`${count(status)} ${status}`] : [],
  );
  if (rows.length === 0) return "No monitors";
  return told.length > 0
    ? `${told.join(", ")} of ${rows.length}`
    : count("up") === rows.length
      ? `All ${rows.length} up`
      : `${count("up")} of ${rows.length} up`;
};

export const WallPage = () => {
  const { failure } = useLoaded((isPoll) => loadOverview(overview.peek()?.period ?? "24h", isPoll), POLL_MS);
  const loaded = overview.value;
  const tag = query.value.get("tag");
  const tagged = found([...(loaded?.rows.values() ?? [])], { q: "", status: null, tag });
  const rows = ordered(tagged, { group: null, sort: "status" })[0]!.rows;
  const worth = rows.filter(({ status }) => status !== "paused");
  const tiles = worth.slice(0, MOST_TILES);
  const others = worth.length - tiles.length;
  const columns = Math.max(2, Math.round(Math.sqrt(tiles.length * 1.2)));
  return (
    <main id="main" class="wall" style={{ "--columns": columns }}>
      <div class="top">
        <h1 tabIndex={-1} class={worth.some(({ status }) => status === "down") ? "is-down" : ""} aria-live="polite">
          {loaded ? headline(worth) : failure === null ? "Loading…" : "No contact"}
        </h1>
        {tag && <span class="tag">{tag}</span>}
        <span class="end">
          {atClock(now.value)} <a href="/monitors">Harborlight</a>
        </span>
      </div>
      <ul class="tiles-large">
        {tiles.map((row) => (
          <Tile key={row.id} row={row} />
        ))}
      </ul>
      {others > 0 && <p>and {others} more</p>}
    </main>
  );
};
