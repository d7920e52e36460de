/** Filters and orders of lists of monitors. Pure. */
import { z } from "zod";
import { expecting } from "../../../shared/issues.ts";
import type { Monitor, Status } from "../../../shared/model.ts";
import { protocolName } from "../../../shared/monitor/fields.ts";
import { oneOf } from "../../../shared/schema.ts";
import { foldText } from "../../../shared/store/listing.ts";
import type { MonitorRow } from "../../../shared/store/monitor-row.ts";
import { STATUSES, status } from "../http/representations.ts";
import { sinceOf, statusOf } from "./present.ts";

/** Ranks for `sort=status`: what needs attention first. */
export const STATUS_RANKS = {
  pending: 3,
  up: 6,
  degraded: 1,
  down: 0,
  unknown: 2,
  paused: 5,
  maintenance: 4,
} as const satisfies Record<Status, number>;

export const tagText = z
  .string({ error: expecting("a tag's name, or name=value") })
  .regex(/^[^=]{1,64}(=[\s\S]{0,128})?$/, { error: expecting("a tag's name, or name=value") });
export const tagFilter = z
  .array(tagText, { error: expecting("tags") })
  .max(20)
  .default([])
  .meta({
    description: "`name` or `name=value`; may be given several times, and then all must hold.",
    example: ["team=orders"],
  });

/** Parameters that select monitors. */
export const monitorFilters = {
  status: z
    .array(status)
    .max(STATUSES.length)
    .default([])
    .meta({
      description:
        "One of these; may be given several times. `maintenance` means those that are in maintenance now, whatever else they are.",
      example: ["up", "down"],
    }),
  tag: tagFilter,
  protocol: z
    .array(protocolName())
    .max(20)
    .default([])
    .meta({
      description: "One of these; may be given several times.",
      example: ["https"],
    }),
  key: z
    .array(z.string().min(1).max(128))
    .max(100)
    .default([])
    .meta({ description: "Exactly one of these keys; may be given several times.", example: ["orders/db"] }),
  q: z.string().min(1).max(200).optional().meta({
    description:
      "Words that must all occur in the name, `host:port`, key, protocol or tags (`name=value`), in any case and without accents.",
    example: "orders",
  }),
};
export interface Filters {
  readonly status?: readonly Status[];
  readonly tag?: readonly string[];
  readonly protocol?: readonly string[];
  readonly key?: readonly string[];
  readonly q?: string | undefined;
}

type Selectable = Pick<
  Monitor,
  "id" | "name" | "key" | "protocol" | "host" | "port" | "tags" | "paused" | "status" | "deletedAt"
>;

const holds = (tags: Readonly<Record<string, string>>, wanted: string) => {
  const [name = "", ...value] = wanted.split("=");
  if (!Object.hasOwn(tags, name)) return false;
  return value.length === 0 || tags[name] === value.join("=");
};
/** Whether all wanted tags are there. @param wanted each `name` or `name=value` */
export const hasTags = (tags: Readonly<Record<string, string>>, wanted: readonly string[]) =>
  wanted.every((one) => holds(tags, one));

const searchable = ({ name, host, port, key, protocol, tags }: Selectable) => {
  const pairs = Object.entries(tags).map(([tag, value]) => `${tag}=${value}`);
  return foldText([name, `${host}:${port}`, key ?? "", protocol, ...pairs].join("\n"));
};

/**
 * Makes the test whether a monitor is one of those asked for; those marked as deleted never are.
 * @param isMaintained whether a monitor is in maintenance now, which no item says; see `selectingNow`
 */
export const selecting = (
  { status = [], tag = [], protocol = [], key = [], q = "" }: Filters,
  isMaintained: (monitor: Selectable) => boolean = () => false,
) => {
  const words = foldText(q).split(/\s+/).filter(Boolean);
  return (monitor: Selectable): boolean => {
    const among = (wanted: readonly string[], value: string | null) =>
      wanted.length === 0 || (value !== null && wanted.includes(value));
    if (monitor.deletedAt || !among(protocol, monitor.protocol)) return false;
    if (!among(status, statusOf(monitor)) && !(status.includes("maintenance") && isMaintained(monitor))) return false;
    if (!among(key, monitor.key) || !hasTags(monitor.tags, tag)) return false;
    const text = words.length > 0 ? searchable(monitor) : "";
    return words.every((word) => text.includes(word));
  };
};

/** Sort keys by `sort`: text that ends with the position by name, so that no two monitors have the same. */
const KEYS = {
  name: ({ listKey }: MonitorRow) => listKey,
  status: (row: MonitorRow) => `${STATUS_RANKS[statusOf(row)]}${row.listKey}`,
  since: (row: MonitorRow) => `${sinceOf(row)}${row.listKey}`,
  createdAt: ({ createdAt, listKey }: MonitorRow) => `${createdAt}${listKey}`,
  updatedAt: ({ updatedAt, listKey }: MonitorRow) => `${updatedAt}${listKey}`,
};
type SortKey = keyof typeof KEYS;
const SORT_KEYS = Object.keys(KEYS) as [SortKey, ...SortKey[]];
const SORTS = SORT_KEYS.flatMap((name) => [name, `-${name}`] as const) as [Sort, ...Sort[]];
export type Sort = SortKey | `-${SortKey}`;

export const sortParameter = oneOf(SORTS)
  .default("name")
  .describe(
    "Order; with `-` in front reversed. `name` as people sort; `status` what needs attention first; `since` when the status began; `createdAt`; `updatedAt` when the settings last changed.",
  );

interface Placed {
  readonly id: string;
  /** Where the next page begins if this is the last of a page. */
  readonly position: string;
}

/** Sorts rows. @param after position of the last one seen: what changes its place meanwhile moves no other one's */
export const inOrder = (rows: readonly MonitorRow[], sort: Sort, after?: string): Placed[] => {
  const [sign, name] = sort.startsWith("-") ? [-1, sort.slice(1) as SortKey] : [1, sort as SortKey];
  const order = (a: string, b: string) => (a < b ? -sign : a > b ? sign : 0);
  return rows
    .map((row) => ({ id: row.id, position: KEYS[name](row) }))
    .filter(({ position }) => after === undefined || order(position, after) > 0)
    .toSorted((a, b) => order(a.position, b.position));
};
