/** Route `/v1/monitors/{id}/results`: raw outcomes, as JSON or CSV. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { RESULT_COLUMNS } from "../../../../shared/history/outcome.ts";
import { maintenanceOf, type Stretch } from "../../../../shared/rules/maintenance.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import { type Position, type Result, readResults } from "../../../../shared/store/results-reader.ts";
import { preferred } from "../../http/accept.ts";
import {
  health,
  locationName,
  milliseconds,
  moment,
  pageOf,
  percentage,
  reason,
  state,
} from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { cursor, limit } from "../../http/schemas.ts";
import { withHistory } from "../../monitors/write.ts";
import { rangeFields, readRange } from "../range.ts";
import { historyReader } from "../reader.ts";
import { locationField, oneLocation } from "./location-filter.ts";

const resultView = z
  .object({
    at: moment.describe("The tick: when the check was due."),
    location: locationName,
    state,
    health,
    reason,
    latencyMs: milliseconds.nullable().describe("Milliseconds, to three significant digits."),
    lossPercent: percentage
      .nullable()
      .meta({ description: "Share of lost datagrams, where it is measured.", example: null }),
    view: health.nullable().describe("The location's view afterwards, thresholds applied."),
    offline: z.boolean().meta({
      description: "The location's own network was down: this says nothing about the target.",
      example: false,
    }),
    maintenance: z.boolean().meta({ description: "The monitor was in maintenance.", example: false }),
  })
  .meta({ id: "Result", description: "A raw outcome.", example: { reason: null } });

/** @param windows the monitor's stretches of maintenance, in epoch milliseconds */
const present = (
  { tick, location, state, health, reason, latencyMs, lossPercent, view, offline }: Result,
  windows: readonly Stretch[],
) => ({
  at: new Date(tick * 1000).toISOString(),
  location,
  state,
  health,
  reason,
  latencyMs,
  lossPercent,
  view,
  offline,
  maintenance: windows.some(({ startMs, endMs }) => startMs <= tick * 1000 && tick * 1000 < endMs),
});

/** CSV (RFC 4180). No field of a result needs quotes. */
const toCsv = (items: readonly ReturnType<typeof present>[]) => {
  const lines = items.map((item) => RESULT_COLUMNS.map((name) => item[name] ?? "").join(","));
  return [RESULT_COLUMNS.join(","), ...lines, ""].join("\r\n");
};

/** The default first. */
const CONTENT_TYPES = ["application/json", "text/csv"] as const;

const positionOf = (text: string): Position => {
  const [tick = "", location = ""] = text.split("#");
  return { tick: Number(tick), location };
};

export const results: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/monitors/{id}/results",
    operationId: "listResults",
    summary: "Raw outcomes of a monitor",
    description:
      "Newest first. With `Accept: text/csv` as CSV, whose next page the header `x-next-cursor` and a `link` with `rel=next` name.",
    scope: "read",
    query: z.strictObject({ ...rangeFields("a day"), ...locationField, limit: limit(1000, 100), cursor }),
    headers: { accept: "`application/json` (the default) or `text/csv`; q-values count." },
    responses: {
      200: {
        description: "A page of outcomes, newest first.",
        schema: pageOf(resultView),
        contentTypes: CONTENT_TYPES,
        headers: ["x-next-cursor", "link"],
        example:
          "at,location,state,health,reason,latencyMs,lossPercent,view,offline,maintenance\r\n2026-11-22T10:00:00.000Z,eu-west-1,open,up,,12.4,,up,false,false\r\n",
      },
    },
    handle: async ({ params, query, headers }, deps) => {
      const monitor = await withHistory(deps, params.id ?? "");
      const range = readRange(query, deps.now(), DAY_SECONDS);
      const reader = await historyReader(deps);
      const location = oneLocation(query.location, reader.locationsOf(monitor));
      const question = JSON.stringify(["results", monitor.id, query.from, query.to, location]);
      const after = query.cursor === undefined ? undefined : positionOf(decodeCursor(query.cursor, question));
      const locations = location ? [location] : reader.locationsOf(monitor);
      const { items, next } = await readResults(reader, monitor, locations, range, query.limit, after);
      const nextCursor = next && encodeCursor(`${next.tick}#${next.location}`, question);
      const maintenance = maintenanceOf(await deps.allWindows(), monitor, range.from * 1000, range.to * 1000);
      const page = items.map((item) => present(item, maintenance));
      if (preferred(headers.accept, CONTENT_TYPES) !== "text/csv") return { body: { items: page, nextCursor } };
      const here = new URLSearchParams({ ...query, limit: String(query.limit), cursor: nextCursor ?? "" });
      return {
        body: toCsv(page),
        headers: {
          "content-type": "text/csv; charset=utf-8; header=present",
          ...(nextCursor && {
            "x-next-cursor": nextCursor,
            link: `</v1/monitors/${monitor.id}/results?${here.toString()}>; rel="next"`,
          }),
        },
      };
    },
  }),
];
