/**
 * Route `/v1/overview`: what a dashboard shows of all monitors, in few reads. A client reads it once as a whole, and then
 * polls with `since` for what changed.
 */
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { BAR_PERIODS, type BarPeriod, barSteps, describeBars } from "../../../../shared/history/bars.ts";
import { maintenanceTime } from "../../../../shared/history/maintenance-time.ts";
import { expecting } from "../../../../shared/issues.ts";
import type { Status } from "../../../../shared/model.ts";
import { presentMaintenance } from "../../../../shared/rules/maintenance.ts";
import { oneOf } from "../../../../shared/schema.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { MonitorRow } from "../../../../shared/store/monitor-row.ts";
import { newestOf } from "../../../../shared/store/newest.ts";
import type { Deps } from "../../deps.ts";
import { byId, maintenanceIn, wholeOf } from "../../history/maintenance.ts";
import { moment, STATUSES, status } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { cursor, limit } from "../../http/schemas.ts";
import { selectingNow } from "../../monitors/around.ts";
import { statusOf } from "../../monitors/present.ts";
import { selecting, tagFilter } from "../../monitors/select.ts";
import { countsOf, pageOf, SORTS, type Sort } from "../order.ts";
import { overviewItem, presentRow } from "../rows.ts";

/** A change may become visible in the index after later ones: a poll looks so far back again. */
const OVERLAP_MS = 30_000;
const CHANGES = "changes";
const MOST_ROWS = 1_000;
const MOST_IDS = 200;

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
        description:
          "Monitors by status, of all that have the tags. With `since` null where nothing changed, and with `ids`.",
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
    removed: z.array(z.string()).meta({
      description:
        "With `since`: ids of changed monitors that are deleted, or do not have the tags or status asked for. With `ids`: of those that do not exist.",
      example: [],
    }),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: "Send it as `cursor` for the next page; null: this was the last.", example: null }),
    items: z.array(overviewItem).describe("The monitors."),
  })
  .meta({ id: "Overview", description: "All monitors in short, or what changed." });

type Rows = ReturnType<typeof presentRow>[];

async function present(deps: Deps, rows: readonly MonitorRow[], period: BarPeriod, hasLatency: boolean): Promise<Rows> {
  const now = deps.now();
  if (rows.length === 0) return [];
  const steps = barSteps(period, now);
  const present = new Map(rows.map((row) => [row.id, row]));
  const windows = await deps.allWindows();
  const maintenance = byId(present, maintenanceTime(windows, wholeOf(steps)));
  const [times, newest] = await Promise.all([
    deps.statusReader.times({ steps, ids: new Set(present.keys()), present, maintenance }),
    hasLatency ? newestOf(rows, deps.history, now) : undefined,
  ]);
  const maintenanceOf = presentMaintenance(windows, now.getTime());
  return rows.map((row) => presentRow(row, { times, steps, newest, maintenanceOf, now }));
}

/**
 * Reads these monitors anew.
 * @returns those of the list that is asked for, in this order, and the ids of the others: deleted, or with other tags or
 * another status by now
 */
async function existing(deps: Deps, ids: readonly string[], { tag, status }: Pick<Query, "tag" | "status">) {
  const isWanted = await selectingNow(deps, { tag, status });
  const found = new Map((await deps.monitors.rowsOf(ids)).filter(isWanted).map((row) => [row.id, row]));
  return {
    rows: ids.flatMap((id) => found.get(id) ?? []),
    removed: ids.filter((id) => !found.has(id)),
  };
}

/** All monitors that have the tags. */
async function tagged({ monitors, now }: Deps, tag: readonly string[]) {
  const isWanted = selecting({ tag });
  return (await monitors.rows(now())).filter(isWanted);
}

interface Query {
  readonly bars: BarPeriod;
  readonly tag: readonly string[];
  readonly status: readonly Status[];
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly since?: string | undefined;
  readonly ids?: readonly string[] | undefined;
}

const WRONG_SINCE = {
  path: "since",
  message: "must be the `changes` of an earlier answer; read the overview as a whole, without since, to begin",
};

async function changesSince(deps: Deps, { bars, tag, status, limit: most }: Query, since: string) {
  const from = decodeCursor(since, CHANGES, WRONG_SINCE);
  const now = deps.now();
  const changed = await deps.monitors.changedAfter(from);
  const isCut = changed.length > most;
  const taken = changed.slice(0, most);
  const { rows, removed } = await existing(deps, [...new Set(taken.map(({ id }) => id))], { tag, status });
  return {
    changes: isCut ? taken.at(-1)!.at : new Date(now.getTime() - OVERLAP_MS).toISOString(),
    counts: taken.length === 0 ? null : countsOf(await tagged(deps, tag)),
    removed,
    nextCursor: null,
    items: await present(deps, rows, bars, false),
  };
}

/**
 * What views say of a monitor that is not up changes while its status stays, and a row in memory does not know: these are
 * read anew.
 */
async function withPresentCause({ monitors }: Deps, rows: readonly MonitorRow[]): Promise<readonly MonitorRow[]> {
  const notUp = rows.filter((row) => statusOf(row) !== "up").map(({ id }) => id);
  const found = new Map((await monitors.rowsOf(notUp)).map((row) => [row.id, row]));
  return rows.map((row) => found.get(row.id) ?? row).filter(({ deletedAt }) => deletedAt === null);
}

/** Time by status of the bars up to a moment, to sort by uptime. */
async function timesOf(deps: Deps, rows: readonly MonitorRow[], bars: BarPeriod, end: Date) {
  const steps = barSteps(bars, end);
  const within = await maintenanceIn(deps, wholeOf(steps));
  return deps.statusReader.times({ steps, maintenance: byId(new Map(rows.map((row) => [row.id, row])), within) });
}

async function onePage(deps: Deps, query: Query & { readonly sort: Sort }) {
  const { bars, tag, status, sort, limit: most } = query;
  const question = JSON.stringify(["overview", bars, tag, status, sort]);
  // Uptimes change with each second: all pages are in the order of the moment of the first one, so that none comes twice.
  const [after, readAt]: [string, string] =
    query.cursor === undefined ? ["", deps.now().toISOString()] : JSON.parse(decodeCursor(query.cursor, question));
  // Read before the monitors, so that no change falls between.
  const changes = new Date(deps.now().getTime() - OVERLAP_MS).toISOString();
  const all = await tagged(deps, tag);
  const times = sort === "uptime" ? await timesOf(deps, all, bars, new Date(readAt)) : undefined;
  const wanted = all.filter(await selectingNow(deps, { status }));
  const { page, next } = pageOf(wanted, { sort, after, limit: most }, times);
  return {
    changes,
    counts: countsOf(all),
    removed: [],
    nextCursor: next === null ? null : encodeCursor(JSON.stringify([next, readAt]), question),
    items: await present(deps, await withPresentCause(deps, page), bars, true),
  };
}

/** @throws InvalidInput for a place in a list together with what is no list */
function refuseWithoutMeaning({ ids, since, cursor }: Query): void {
  const errors = [
    ...(ids && since !== undefined ? [{ path: "since", message: "must not be sent together with ids" }] : []),
    ...(cursor !== undefined && (ids || since !== undefined)
      ? [{ path: "cursor", message: `must not be sent together with ${ids ? "ids" : "since"}` }]
      : []),
  ];
  if (errors.length > 0) throw new InvalidInput(errors);
}

const getOverview = route({
  method: "GET",
  path: "/v1/overview",
  operationId: "getOverview",
  summary: "All monitors in short, with bars of their status",
  description:
    "For dashboards. Read all pages once, then poll with `since`: that answers only with monitors whose settings or status changed and the ids of deleted ones. Changes of the last 30 seconds come again; drop rows whose `revision` you know. If a poll is full (`limit` items), poll again at once. The beginning or end of maintenance is no change. With `ids` you get the latencies of the rows that you show.",
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
      .meta({
        description:
          "Only monitors with one of these; may be given several times. `maintenance` means those that are in maintenance now.",
        example: ["up", "down"],
      }),
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
    refuseWithoutMeaning(query);
    const now = deps.now();
    const answer = async () => {
      if (query.ids) {
        const { rows, removed } = await existing(deps, query.ids, query);
        const changes = new Date(now.getTime() - OVERLAP_MS).toISOString();
        return {
          changes,
          counts: null,
          removed,
          nextCursor: null,
          items: await present(deps, rows, query.bars, true),
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
