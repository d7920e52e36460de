/**
 * Route `/v1/overview`: what a dashboard shows of all monitors, in few reads. A client reads it once as a whole, and then
 * polls with `since` for what changed.
 */
import { z } from "zod";
import { expecting } from "../../../../shared/issues.ts";
import { inParallel } from "../../../../shared/parallel.ts";
import { chunksOf } from "../../../../shared/rules/plan.ts";
import { oneOf } from "../../../../shared/schema.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import { compareText } from "../../../../shared/store/listing.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import type { Deps } from "../../deps.ts";
import { moment, STATUSES, status } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { cursor, limit } from "../../http/schemas.ts";
import { newestOf } from "../../monitors/newest.ts";
import { hasTags, tagFilter } from "../../monitors/select.ts";
import { BAR_PERIODS, type BarPeriod, barSteps, describeBars } from "../bars.ts";
import { candidates, countsOf, SORTS } from "../order.ts";
import { overviewItem, presentRow } from "../rows.ts";

/** A change may become visible in the index after later ones: a poll looks so far back again. */
const OVERLAP_MS = 30_000;
const CHANGES = "changes";
const MOST_ROWS = 1_000;
const MOST_IDS = 200;
const IDS_PER_READ = 100;
const READS_AT_ONCE = 8;
/** How long the number of monitors is remembered between polls that find neither new nor deleted ones. */
const TOTAL_MS = 300_000;

const overviewView = z
  .object({
    at: moment.describe("When this was read."),
    changes: z
      .string()
      .meta({ description: "Send it as `since` to get only what changed after this answer.", example: "eyJ" }),
    counts: z
      .record(z.string(), z.int())
      .nullable()
      .meta({
        description: "Monitors by status, of all that have the tags. Null where nothing changed, and with `ids`.",
        example: { up: 41, down: 1 },
      }),
    bars: z
      .object({
        from: moment.describe("Begin of the first bar."),
        step: oneOf(["1h", "6h", "1d"]).meta({
          id: "BarStep",
          description: "Length of a bar, in UTC.",
          example: "1h",
        }),
        count: z.int().meta({ description: "Number of bars; the last one ends now.", example: 24 }),
      })
      .meta({ id: "OverviewBars", description: "When the bars of the rows are." }),
    removed: z
      .array(z.string())
      .meta({ description: "With `since` or `ids`: ids of monitors that are deleted.", example: [] }),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: "Send it as `cursor` for the next page; null: this was the last.", example: null }),
    items: z.array(overviewItem).describe("The monitors."),
  })
  .meta({ id: "Overview", description: "All monitors in short, or what changed." });

type Rows = ReturnType<typeof presentRow>[];

async function rowsOf(
  deps: Deps,
  monitors: readonly StoredMonitor[],
  period: BarPeriod,
  hasLatency: boolean,
): Promise<Rows> {
  const now = deps.now();
  if (monitors.length === 0) return [];
  const steps = barSteps(period, now);
  const [times, newest] = await Promise.all([
    deps.statusReader.times({
      steps,
      ids: new Set(monitors.map(({ id }) => id)),
      present: new Map(monitors.map((monitor) => [monitor.id, monitor])),
    }),
    hasLatency ? newestOf(monitors, deps.history, now) : undefined,
  ]);
  return monitors.map((monitor) => presentRow(monitor, { times, steps, newest, now }));
}

/** Splits ids into the monitors that exist, in this order, and the ids of those that do not. */
async function existing({ monitors }: Deps, ids: readonly string[]) {
  const found = new Map<string, StoredMonitor>();
  // Eventually consistent, at half the price: who changed meanwhile comes with the next poll.
  await inParallel(chunksOf(ids, IDS_PER_READ), READS_AT_ONCE, async (some) => {
    for (const [id, monitor] of await monitors.getMany(some, false)) found.set(id, monitor);
  });
  const isThere = (id: string) => found.get(id)?.deletedAt === null;
  return {
    present: ids.filter(isThere).map((id) => found.get(id)!),
    removed: ids.filter((id) => !isThere(id)),
  };
}

/** Number of monitors, by process. */
const totals = new WeakMap<Deps["entries"], { readonly at: number; readonly total: number }>();

async function countAll({ entries, now }: Deps, isOther: boolean) {
  const known = totals.get(entries);
  const isFresh = known && !isOther && now().getTime() - known.at < TOTAL_MS;
  const [attention, total] = await Promise.all([
    entries.attention(),
    isFresh ? known.total : entries.names().then(({ size }) => size),
  ]);
  if (!isFresh) totals.set(entries, { at: now().getTime(), total });
  const counts = countsOf([...attention.values()]);
  const up = total - attention.size;
  return up > 0 ? { ...counts, up } : counts;
}

interface Query {
  readonly bars: BarPeriod;
  readonly tag: readonly string[];
  readonly status: readonly string[];
  readonly limit: number;
}

async function changesSince(deps: Deps, { bars, tag, limit: most }: Query, since: string) {
  const from = decodeCursor(since, CHANGES);
  const now = deps.now();
  const changed = await deps.entries.changedAfter(from);
  const isCut = changed.length > most;
  const taken = changed.slice(0, most);
  const { present, removed } = await existing(deps, [...new Set(taken.map(({ id }) => id))]);
  const isOther = removed.length > 0 || present.some(({ createdAt }) => createdAt > from);
  // A monitor that lost the tag is none of the list any more.
  const wanted = present.filter(({ tags }) => hasTags(tags, tag));
  const left = present.filter(({ tags }) => !hasTags(tags, tag)).map(({ id }) => id);
  return {
    changes: isCut ? taken.at(-1)!.at : new Date(now.getTime() - OVERLAP_MS).toISOString(),
    counts: taken.length === 0 || tag.length > 0 ? null : await countAll(deps, isOther),
    removed: [...removed, ...left],
    nextCursor: null,
    items: await rowsOf(deps, wanted, bars, false),
  };
}

async function onePage(
  deps: Deps,
  query: Query & { readonly sort: (typeof SORTS)[number]; readonly cursor?: string | undefined },
) {
  const { bars, tag, status, sort, limit: most } = query;
  const question = JSON.stringify(["overview", bars, tag, status, sort]);
  const after = query.cursor === undefined ? "" : decodeCursor(query.cursor, question);
  // Read before the monitors, so that no change falls between.
  const changes = new Date(deps.now().getTime() - OVERLAP_MS).toISOString();
  const all = await candidates(deps, {
    tag,
    sort,
    times: () => deps.statusReader.times({ steps: barSteps(bars, deps.now()) }),
  });
  if (tag.length === 0) totals.set(deps.entries, { at: deps.now().getTime(), total: all.length });
  const wanted = all.filter((one) => status.length === 0 || status.includes(one.status));
  const begin = after === "" ? 0 : wanted.findIndex(({ place }) => compareText(place, after) > 0);
  const page = begin < 0 ? [] : wanted.slice(begin, begin + most);
  const { present } = await existing(
    deps,
    page.map(({ id }) => id),
  );
  const isLast = begin < 0 || begin + most >= wanted.length;
  return {
    changes,
    counts: countsOf(all),
    removed: [],
    nextCursor: isLast ? null : encodeCursor(page.at(-1)!.place, question),
    items: await rowsOf(deps, present, bars, true),
  };
}

const getOverview = route({
  method: "GET",
  path: "/v1/overview",
  operationId: "getOverview",
  summary: "All monitors in short, with bars of their status",
  description:
    "For dashboards. Read all pages once, then poll with `since`: that answers only with monitors whose settings or status changed and the ids of deleted ones. Changes of the last 30 seconds come again; drop rows whose `revision` you know. If a poll is full (`limit` items), poll again at once. With `ids` you get the latencies of the rows that you show.",
  scope: "read",
  query: z.strictObject({
    bars: oneOf(BAR_PERIODS)
      .default("24h")
      .describe("Period of the bars: 24 hours, 28 bars of 6 hours, 30 or 90 days, in UTC."),
    tag: tagFilter,
    status: z
      .array(status, { error: expecting("statuses") })
      .max(STATUSES.length)
      .default([])
      .meta({ description: "Only monitors with one of these; may be given several times.", example: ["up", "down"] }),
    sort: oneOf(SORTS).default("status").describe("`status`: what needs attention first. `uptime`: the lowest first."),
    limit: limit(MOST_ROWS, 200),
    cursor,
    since: z
      .string()
      .max(2000)
      .optional()
      .meta({ description: "`changes` of an earlier answer: only what changed after it.", example: "eyJ" }),
    ids: z
      .string()
      .regex(/^[a-z0-9]{1,64}(,[a-z0-9]{1,64})*$/, {
        error: expecting(`ids with commas between them, at most ${MOST_IDS}`),
      })
      .transform((text) => [...new Set(text.split(","))])
      .refine((all) => all.length <= MOST_IDS, { error: expecting(`at most ${MOST_IDS} ids`) })
      .optional()
      .meta({
        description: `Only these monitors, at most ${MOST_IDS}, with commas between them.`,
        example: "7ca139c8bbaa9b19b116",
      }),
  }),
  responses: { 200: { description: "A page of monitors, or what changed.", schema: overviewView } },
  handle: async ({ query }, deps) => {
    const now = deps.now();
    const answer = async () => {
      if (query.ids) {
        const { present, removed } = await existing(deps, query.ids);
        const changes = new Date(now.getTime() - OVERLAP_MS).toISOString();
        return {
          changes,
          counts: null,
          removed,
          nextCursor: null,
          items: await rowsOf(deps, present, query.bars, true),
        };
      }
      return query.since === undefined ? onePage(deps, query) : changesSince(deps, query, query.since);
    };
    const { changes, ...rest } = await answer();
    return {
      body: {
        at: now.toISOString(),
        changes: encodeCursor(changes, CHANGES),
        bars: describeBars(query.bars, barSteps(query.bars, now)),
        ...rest,
      },
    };
  },
});

export const overview: readonly Route[] = [getOverview];
