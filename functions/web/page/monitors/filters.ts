/** Which monitors a list shows, in which order. Pure. */
import type { Row, Status } from "../model.ts";

export const SORTS = ["status", "name", "uptime", "latency", "newest"] as const;
export type Sort = (typeof SORTS)[number];

export interface Question {
  /** All of its words must occur in name, protocol, address or tags. */
  readonly q: string;
  readonly status: Status | null;
  /** `key` or `key=value`. */
  readonly tag: string | null;
  /** Key of the tag to group by. */
  readonly group: string | null;
  readonly sort: Sort;
}

export interface Group {
  /** Value of the tag; null without grouping, "" for monitors without the tag. */
  readonly name: string | null;
  readonly rows: readonly Row[];
}

/** What needs attention first. */
const URGENCY: Readonly<Record<Status, number>> = {
  down: 0,
  degraded: 1,
  unknown: 2,
  pending: 3,
  maintenance: 4,
  up: 5,
  paused: 6,
};

const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const byName = (a: Row, b: Row) => names.compare(a.name, b.name) || a.id.localeCompare(b.id);
const ORDERS: Readonly<Record<Sort, (a: Row, b: Row) => number>> = {
  status: (a, b) => URGENCY[a.status] - URGENCY[b.status] || byName(a, b),
  name: byName,
  uptime: (a, b) => (a.uptimePercent ?? 101) - (b.uptimePercent ?? 101) || byName(a, b),
  latency: (a, b) => (b.latencyMs ?? -1) - (a.latencyMs ?? -1) || byName(a, b),
  newest: (a, b) => b.since.localeCompare(a.since) || byName(a, b),
};

const texts = new WeakMap<Row, string>();
const textOf = (row: Row): string => {
  const known = texts.get(row);
  if (known !== undefined) return known;
  const { name, protocol, host, port, tags, message } = row;
  const words = [name, protocol, `${host}:${port}`, ...Object.entries(tags).map((pair) => pair.join("=")), message];
  const text = words.join(" ").toLowerCase();
  texts.set(row, text);
  return text;
};

const hasTag = ({ tags }: Row, tag: string) => {
  const [key = "", ...value] = tag.split("=");
  return value.length === 0 ? Object.hasOwn(tags, key) : tags[key] === value.join("=");
};

/** A search is cut here: longer ones find nothing, and must not hang the page. */
const MOST_LETTERS = 1_000;

export function found(rows: readonly Row[], { q, status, tag }: Pick<Question, "q" | "status" | "tag">): Row[] {
  const words = q.slice(0, MOST_LETTERS).toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(
    (row) =>
      (status === null || row.status === status) &&
      (tag === null || hasTag(row, tag)) &&
      words.every((word) => textOf(row).includes(word)),
  );
}

export function ordered(rows: readonly Row[], { group, sort }: Pick<Question, "group" | "sort">): Group[] {
  const all = rows.toSorted(ORDERS[sort]);
  if (group === null) return [{ name: null, rows: all }];
  return [...Map.groupBy(all, ({ tags }) => tags[group] ?? "")]
    .map(([name, own]) => ({ name, rows: own }))
    .sort((a, b) => Number(a.name === "") - Number(b.name === "") || names.compare(a.name, b.name));
}

export const countByStatus = (rows: readonly Row[]): ReadonlyMap<Status, number> => {
  const counts = new Map<Status, number>();
  for (const { status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
};

/**
 * Puts new rows into a list. A row that says nothing new stays the object that it was, so that only changed rows are drawn
 * again; a row without latency keeps the one that it had.
 */
export function merged(before: ReadonlyMap<string, Row>, fresh: readonly Row[]): Map<string, Row> {
  const rows = new Map(before);
  for (const row of fresh) {
    const known = rows.get(row.id);
    const next = known && row.latencyMs === undefined ? { ...row, latencyMs: known.latencyMs ?? null } : row;
    if (!known || JSON.stringify(known) !== JSON.stringify(next)) rows.set(row.id, next);
  }
  return rows;
}
