/** All monitors in short: read once as a whole, then kept up to date by polls for what changed. */
import { computed, effect, signal } from "@preact/signals";
import { get } from "../api.ts";
import type { Overview, Row } from "../model.ts";
import { session } from "../session.ts";
import { merged } from "./filters.ts";
import { firstUrl, overviewUrl, type Period } from "./first-read.ts";

interface Loaded {
  readonly period: Period;
  readonly bars: Overview["bars"];
  /** By id. */
  readonly rows: ReadonlyMap<string, Row>;
  /** Whether there are more monitors than those that were read. */
  readonly isWhole: boolean;
}

/** Undefined until the first answer. */
export const overview = signal<Loaded | undefined>(undefined);

/** Monitors by status, of all that this session may see: as the newest answer said. */
const statusCounts = signal<NonNullable<Overview["counts"]>>({});
/** The number of monitors that are down, for the frame and the title. */
export const downCount = computed(() => statusCounts.value.down ?? 0);

const PAGE = 1_000;
/** A full read heals what polls missed, and brings bars, uptime and latency up to date. */
const WHOLE_EVERY_MS = 5 * 60_000;

export const COUNT_EVERY_MS = 15_000;

let changes = "";
let wholeAt = 0;
let countedAt = 0;
let countedUpTo = "";

const read = async (url: string, isPoll: boolean): Promise<Overview> => {
  countedAt = Date.now();
  const page = await get<Overview>(url, { isPoll });
  if (page.counts) statusCounts.value = page.counts;
  return page;
};

const readAll = async (period: Period, isPoll: boolean): Promise<void> => {
  let rows = new Map<string, Row>();
  const known = overview.peek()?.period === period ? overview.peek()?.rows : undefined;
  let cursor: string | null = null;
  let since: string | undefined;
  do {
    const next = overviewUrl({ bars: period, limit: String(PAGE), ...(cursor !== null && { cursor }) });
    const page: Overview = await read(cursor === null && !known ? firstUrl(period) : next, isPoll);
    // Rows that did not change stay the objects that they were.
    for (const row of page.items) {
      const before = known?.get(row.id);
      rows.set(row.id, before && JSON.stringify(before) === JSON.stringify(row) ? before : row);
    }
    since ??= page.changes;
    cursor = page.nextCursor;
    if (!known || cursor === null)
      overview.value = { period, bars: page.bars, rows: new Map(rows), isWhole: cursor === null };
    rows = new Map(rows);
  } while (cursor !== null);
  changes = since;
  wholeAt = Date.now();
};

const load = async (period: Period, isPoll: boolean): Promise<void> => {
  const loaded = overview.peek();
  if (loaded?.period !== period || !loaded.isWhole || Date.now() - wholeAt > WHOLE_EVERY_MS)
    return readAll(period, isPoll);
  const page = await read(overviewUrl({ bars: period, since: changes, limit: String(PAGE) }), isPoll);
  changes = page.changes;
  if (page.items.length === 0 && page.removed.length === 0) return;
  const rows = merged(overview.peek()!.rows, page.items);
  for (const id of page.removed) rows.delete(id);
  overview.value = { ...overview.peek()!, bars: page.bars, rows };
};

let running: { readonly period: Period; readonly loaded: Promise<void> } | null = null;

/** Brings `overview` up to date; who asks while it is being read gets the same reading. @throws CallFailure */
export const loadOverview = (period: Period, isPoll: boolean): Promise<void> => {
  if (running?.period === period) return running.loaded;
  const loaded = load(period, isPoll).finally(() => {
    if (running?.loaded === loaded) running = null;
  });
  running = { period, loaded };
  return loaded;
};

/** Changes when the list is to be read anew. */
export const staleness = signal(0);

/** Something was changed here: the list is read anew, at once if it is shown. */
export const forgetOverview = (): void => {
  wholeAt = 0;
  running = null;
  staleness.value++;
};

/** Reads the names of all monitors, where they are not known yet. @throws CallFailure */
export const loadNames = async (): Promise<void> => {
  if (!overview.peek()?.isWhole) await loadOverview(overview.peek()?.period ?? "24h", false);
};

/** The name of a monitor, as far as it is known: before all are read nobody can tell which were deleted. */
export const nameOf = (id: string): string =>
  overview.value?.rows.get(id)?.name ?? (overview.value?.isWhole ? "a deleted monitor" : "…");
/**
 * Brings `statusCounts` up to date, on pages that do not show the list. An answer without changes has no counts and
 * costs the server next to nothing.
 */
export const loadCounts = async (isPoll: boolean): Promise<void> => {
  if (Date.now() - countedAt < COUNT_EVERY_MS / 2) return;
  const isFirst = countedUpTo === "";
  const page = await read(overviewUrl(isFirst ? { limit: "1" } : { limit: String(PAGE), since: countedUpTo }), isPoll);
  countedUpTo = page.changes;
};

let tokenId: string | undefined;
// Another token may see other monitors.
effect(() => {
  const now = session.value?.tokenId;
  if (now === undefined || now === tokenId) return;
  const isOther = tokenId !== undefined;
  tokenId = now;
  if (!isOther) return;
  countedUpTo = "";
  countedAt = 0;
  running = null;
  statusCounts.value = {};
  overview.value = undefined;
});
