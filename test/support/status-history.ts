/** Writes many monitors with months of status straight into the tables, as state-change and compact would have. */
import { BatchWriteCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { DAY_SECONDS, HOUR_SECONDS } from "../../shared/durations.ts";
import { type RecordedStretch, statusAt } from "../../shared/history/status-time.ts";
import { rowFrom, summaryOf } from "../../shared/history/summary.ts";
import { inParallel } from "../../shared/parallel.ts";
import { chunksOf } from "../../shared/rules/plan.ts";
import { SUMMARY_BUCKETS, summaryBucketOf } from "../../shared/store/keys.ts";
import type { StoredMonitor } from "../../shared/store/monitor-item.ts";
import { monitorItem } from "../../shared/store/monitors.ts";
import type { SummaryStore } from "../../shared/store/summaries.ts";
import { monitorOf, viewOf } from "./monitors.ts";

interface Scale {
  readonly monitors: number;
  readonly days: number;
  /** Epoch seconds, the beginning of an hour: everything before it is summarised. */
  readonly now: number;
}

const WRITES_AT_ONCE = 16;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

/** Most monitors are up all the time; each has an outage of minutes every few weeks. */
function startsOf(n: number, { days, now }: Scale): RecordedStretch[] {
  const first = now - days * DAY_SECONDS;
  const starts: RecordedStretch[] = [{ status: "up", since: iso(first), sequence: 0 }];
  for (let at = first + ((n * 7919) % (40 * DAY_SECONDS)); at < now - 3600; at += (20 + (n % 17)) * DAY_SECONDS) {
    starts.push({ status: "down", since: iso(at), sequence: starts.length });
    starts.push({ status: "up", since: iso(at + 60 + ((n * 31) % 1800)), sequence: starts.length });
  }
  return starts;
}

/** A monitor with the beginnings of its stretches, oldest first. */
export interface Past {
  readonly monitor: StoredMonitor;
  readonly starts: readonly RecordedStretch[];
}

interface Places {
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string };
}

/** Writes monitors as they are, with summaries of their past. */
export async function writePasts(
  { client, tables }: Places,
  summaries: SummaryStore,
  pasts: readonly Past[],
  { now, days }: Pick<Scale, "now" | "days">,
): Promise<void> {
  const items = pasts.map(({ monitor }) => ({ PutRequest: { Item: monitorItem(monitor) } }));
  await inParallel(chunksOf(items, 25), WRITES_AT_ONCE, async (some) => {
    await client.send(new BatchWriteCommand({ RequestItems: { [tables.monitors]: some } }));
  });
  const buckets = Map.groupBy(pasts, ({ monitor }) => summaryBucketOf(monitor.id));
  const today = Math.floor(now / DAY_SECONDS) * DAY_SECONDS;
  await inParallel(SUMMARY_BUCKETS, WRITES_AT_ONCE, async (bucket) => {
    const own = buckets.get(bucket) ?? [];
    const put = (period: "HOUR" | "DAY", start: number, seconds: number) => {
      const rows = new Map(own.map(({ monitor, starts }) => [monitor.id, rowFrom(starts, start, start + seconds)]));
      return summaries.put(bucket, period, { ...summaryOf(rows), start, version: 0, corrections: 0 });
    };
    for (let day = today - days * DAY_SECONDS; day < today; day += DAY_SECONDS) await put("DAY", day, DAY_SECONDS);
    for (let hour = today - DAY_SECONDS; hour < now; hour += HOUR_SECONDS) await put("HOUR", hour, HOUR_SECONDS);
  });
}

/** @returns ids of the monitors */
export async function fillStatus(places: Places, summaries: SummaryStore, scale: Scale): Promise<string[]> {
  const { now } = scale;
  const fleet = Array.from({ length: scale.monitors }, (_, n) => {
    // As random as the ids that the API makes, and the same every time.
    const id = Buffer.from(`${(n * 2_654_435_761) % 2 ** 32}-${(n * 40_503 + 7) % 65_521}`)
      .toString("hex")
      .slice(0, 20);
    const starts = startsOf(n, scale);
    const shard = `60#${Math.floor(n / 250)}`;
    const monitor = monitorOf({
      ...{ id, name: `Service ${n} of the shop`, host: `host-${n}.example.com`, shard, locations: ["local"] },
      placements: [{ shard, fromTick: 0, toTick: null }],
      ...{ intervalSeconds: 60, status: "up", since: starts.at(-1)!.since, createdAt: starts[0]!.since },
      ...{ updatedAt: starts[0]!.since, settingsChangedAt: starts[0]!.since },
      views: { local: viewOf("up", Date.parse(starts.at(-1)!.since) / 1000) },
      lastStretch: { status: "up", since: starts.at(-1)!.since },
      tags: { team: `team-${n % 20}` },
    });
    return { monitor, starts };
  });
  await writePasts(places, summaries, fleet, scale);
  if (fleet.some(({ starts }) => statusAt(starts, now) !== "up")) throw new Error("a monitor is not up");
  return fleet.map(({ monitor }) => monitor.id);
}
