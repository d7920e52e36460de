/** Rows of the overview: a monitor in short, with its bars. */
import { z } from "zod";
import { DAY_SECONDS } from "../../../shared/durations.ts";
import { barsOf } from "../../../shared/history/bars.ts";
import type { Range } from "../../../shared/history/steps.ts";
import { protocolName } from "../../../shared/monitor/fields.ts";
import type { presentMaintenance } from "../../../shared/rules/maintenance.ts";
import type { MonitorRow } from "../../../shared/store/monitor-row.ts";
import type { Newest } from "../../../shared/store/newest.ts";
import type { Times } from "../../../shared/store/status-reader.ts";
import {
  milliseconds,
  moment,
  monitorId,
  monitorName,
  percentage,
  reason,
  state,
  status,
} from "../http/representations.ts";
import { sinceOf, statusOf } from "../monitors/present.ts";

export const overviewItem = z
  .object({
    id: monitorId,
    revision: z
      .int()
      .meta({ description: "Increases with every change: drop a row whose revision you know.", example: 7 }),
    name: monitorName,
    protocol: protocolName(),
    host: z.string().meta({ description: "Name or address of the target.", example: "shop.example.com" }),
    port: z.int().meta({ description: "Port of the target.", example: 443 }),
    tags: z.record(z.string(), z.string()).meta({ description: "Its tags.", example: { team: "orders" } }),
    intervalSeconds: z.int().meta({ description: "Seconds between checks.", example: 60 }),
    status: status.describe("After the quorum."),
    since: moment.describe("Since when it has this status."),
    state: state.nullable().describe("State of the port, as the location sees it whose view is the cause."),
    reason: reason,
    message: z.string().meta({ description: "One sentence about the cause.", example: "HTTP/1.1 200 OK" }),
    latencyMs: milliseconds.nullable().optional().describe("Of the newest check. Absent with `since`."),
    lossPercent: percentage.nullable().optional().describe("Packets lost in the newest check. Absent with `since`."),
    uptimePercent: percentage
      .nullable()
      .describe("Over the time of the bars, rounded down: 100 means no second down. Null if nothing is known."),
    bars: z.string().meta({
      description:
        "A letter for each step, the worst that held: `u`p, `d`egraded, `x` down, `m`aintenance, `p`aused, `?` unknown, `n`o data.",
      example: "nnuuudux",
    }),
    downSeconds: z.record(z.string(), z.int()).meta({
      description: "Seconds down by number of the bar, from 0; bars without any are absent.",
      example: { "7": 20 },
    }),
    certificateDays: z
      .int()
      .nullable()
      .meta({ description: "Whole days until the first certificate expires; null without one.", example: 64 }),
    maintenanceUntil: moment.nullable().meta({
      description: "Until when it is in maintenance and nobody is told of trouble; null if it is not.",
      example: null,
    }),
    acknowledged: z.boolean().meta({ description: "Whether somebody has taken on its incident.", example: false }),
  })
  .meta({ id: "OverviewItem", description: "A monitor in short." });

interface Around {
  readonly times: ReadonlyMap<string, Times>;
  readonly steps: readonly Range[];
  /** Undefined if latencies are not asked for. */
  readonly newest: ReadonlyMap<string, Newest> | undefined;
  readonly maintenanceOf: ReturnType<typeof presentMaintenance>;
  readonly now: Date;
}

export function presentRow(row: MonitorRow, around: Around): z.output<typeof overviewItem> {
  const { times, steps, newest, maintenanceOf, now } = around;
  const maintenance = maintenanceOf(row);
  const { id, revision, name, protocol, host, port, tags, intervalSeconds, cause, certificateEndsMs } = row;
  return {
    ...{ id, revision, name, protocol, host, port, tags, intervalSeconds },
    status: statusOf(row),
    since: sinceOf(row),
    state: cause?.state ?? null,
    reason: cause?.reason ?? null,
    message: cause?.message ?? "",
    ...(newest && { latencyMs: newest.get(id)?.latencyMs ?? null, lossPercent: newest.get(id)?.lossPercent ?? null }),
    ...barsOf(times.get(id), steps.length),
    certificateDays:
      certificateEndsMs === null ? null : Math.floor((certificateEndsMs - now.getTime()) / (DAY_SECONDS * 1000)),
    maintenanceUntil: maintenance && new Date(maintenance.untilMs).toISOString(),
    acknowledged: row.acknowledged,
  };
}
