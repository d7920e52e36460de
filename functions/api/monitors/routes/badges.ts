/** Route `/v1/badges/{id}.svg`: public badges of monitors with `badge: true`. */
import { z } from "zod";
import { badgeSvg, type Colour } from "../../../../shared/drawing/badge.ts";
import { DAY_SECONDS } from "../../../../shared/durations.ts";
import { uptimePercent } from "../../../../shared/history/report.ts";
import { show } from "../../../../shared/issues.ts";
import type { Status } from "../../../../shared/model.ts";
import { oneOf } from "../../../../shared/schema.ts";
import { maintenanceIn } from "../../history/maintenance.ts";
import { historyReader } from "../../history/reader.ts";
import { talliesOf } from "../../history/tallies.ts";
import { Problem } from "../../http/problem.ts";
import { type Route, route } from "../../http/route.ts";
import { statusOf } from "../present.ts";

const PERIODS = { "24h": 1, "7d": 7, "30d": 30, "90d": 90 } as const;

const COLOUR_OF_STATUS: Record<Status, Colour> = {
  up: "good",
  degraded: "fair",
  down: "bad",
  pending: "none",
  unknown: "none",
  paused: "none",
  maintenance: "none",
};
const colourOfUptime = (percent: number | null): Colour =>
  percent === null ? "none" : percent >= 99.9 ? "good" : percent >= 99 ? "fair" : "bad";

export const badges: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/badges/{file}",
    operationId: "getBadge",
    summary: "Badge of a monitor, as SVG",
    description: "`file` is `<monitor id>.svg`. Only for monitors with `badge: true`. May be a minute old.",
    scope: null,
    query: z.strictObject({
      show: oneOf(["uptime", "status"]).default("uptime").describe("What it shows."),
      period: oneOf(["24h", "7d", "30d", "90d"]).default("30d").describe("Period of the uptime."),
    }),
    responses: {
      200: {
        description: "The picture.",
        schema: z.string(),
        contentTypes: ["image/svg+xml"],
        example: badgeSvg("Orders", "99.95 % in 30d", "good"),
      },
    },
    handle: async ({ params, query }, deps) => {
      const [, id = ""] = /^([a-z0-9]{1,64})\.svg$/.exec(params.file ?? "") ?? [];
      const monitor = id ? await deps.monitors.get(id) : undefined;
      // The same answer for monitors that do not exist and for those without a badge.
      if (!monitor?.badge || monitor.deletedAt)
        throw new Problem("not-found", `there is no badge ${show(params.file)}`);
      const headers = { "content-type": "image/svg+xml; charset=utf-8", "cache-control": "public, max-age=60" };
      if (query.show === "status") {
        const status = statusOf(monitor);
        return { body: badgeSvg(monitor.name, status, COLOUR_OF_STATUS[status]), headers };
      }
      const to = Math.floor(deps.now().getTime() / 1000);
      const range = { from: to - PERIODS[query.period] * DAY_SECONDS, to };
      const reader = await historyReader(deps);
      const maintenance = (await maintenanceIn(deps, range))(monitor);
      const [tally] = await talliesOf(deps, reader, monitor, { steps: [range], maintenance });
      const percent = uptimePercent(tally!, 2);
      const message = percent === null ? "no data" : `${percent} % in ${query.period}`;
      return { body: badgeSvg(monitor.name, message, colourOfUptime(percent)), headers };
    },
  }),
];
