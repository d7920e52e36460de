/** Compact with real stores on a local database and a clock of its own. */
import { setTimeout as sleep } from "node:timers/promises";
import { QueryCommand, ScanCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { createHourlyRun } from "../../../functions/compact/wiring.ts";
import type { DatabaseOptions } from "../../../infra/local/dynamodb/database.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { LANES, Monitor } from "../../../shared/model.ts";
import type { CompactEvent } from "../../../shared/payloads.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import { createMonitorStore } from "../../../shared/store/monitors.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { monitorOf as plainMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

export { DAY_SECONDS as DAY, HOUR_SECONDS as HOUR } from "../../../shared/durations.ts";

/** 2026-11-20T00:00:00Z */
export const MIDNIGHT = 1_795_132_800;

export async function startHistory(locations: readonly string[] = ["eu"], intercept?: DatabaseOptions["intercept"]) {
  /** Epoch seconds. */
  const clock = { now: MIDNIGHT };
  const now = () => clock.now * 1000;
  const tables = await startTables({ now, ...(intercept && { intercept }) });
  const unreadableErrors: Error[] = [];
  const unreadable = (error: Error) => void unreadableErrors.push(error);
  const history = createHistoryStore(tables.client, tables.tables.history, { now, unreadable });
  const monitors = createMonitorStore(tables.client, tables.tables.monitors);
  /** What a new process of the function has: nothing remembered. */
  const compact = (source: CompactEvent["source"] = "schedule", hasTime = () => true) =>
    createHourlyRun({
      client: tables.client,
      tables: tables.tables,
      locations,
      retention: DEFAULT_RETENTION,
      now,
      sleep,
      unreadable,
    })(source, hasTime);
  return {
    ...tables,
    clock,
    history,
    monitors,
    /** Writes a monitor as the API creates it. */
    create: (monitor: StoredMonitor) => monitors.create(monitor, now()),
    shards: createShardStore(tables.client, tables.tables.monitors),
    compact,
    unreadable: unreadableErrors,
  };
}

/** A monitor that nothing else is known of. */
export function monitorOf(id: string, some: Partial<Monitor> = {}): StoredMonitor {
  const at = new Date(MIDNIGHT * 1000).toISOString();
  return plainMonitor({
    id,
    name: id,
    timeoutMs: 5_000,
    retries: { count: 2, delayMs: 1_000 },
    intervalSeconds: 60,
    locations: ["eu"],
    shard: "60#0",
    placements: [{ shard: "60#0", fromTick: 0, toTick: null }],
    target: { version: 1, changedAt: at, reason: "created" },
    since: at,
    createdAt: at,
    updatedAt: at,
    settingsChangedAt: at,
    ...some,
  });
}

export type Started = Awaited<ReturnType<typeof startHistory>>;

export const seat = (started: Started, shard: string, members = 1, locations = ["eu"]) =>
  started.shards.place(Number(shard.split("#")[0]) as (typeof LANES)[number], locations, members);

export const itemsOf = async ({ client, tables }: Started, pk: string) =>
  (
    await client.send(
      new QueryCommand({
        TableName: tables.history,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk },
      }),
    )
  ).Items ?? [];

/** Everything compact writes, or all that begins with a prefix, as it stands: keys, bytes, expiry. */
export const archiveOf = async ({ client, tables }: Started, prefix = "") => {
  const items: string[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName: tables.history, ExclusiveStartKey: from }));
    for (const { pk, sk, data, expiresAtSeconds, ...rest } of page.Items ?? []) {
      if (prefix ? !pk.startsWith(prefix) : /^(SHARD|ROSTER)#/.test(pk)) continue;
      const sets = Object.entries(rest).map(([name, value]) => [
        name,
        value instanceof Set ? [...value].sort() : value,
      ]);
      items.push(JSON.stringify([pk, sk, data && Buffer.from(data).toString("hex"), expiresAtSeconds, sets.sort()]));
    }
    from = page.LastEvaluatedKey;
  } while (from);
  return items.sort();
};

/** Puts junk in the place of what an item holds. */
export const spoil = ({ client, tables }: Started, pk: string, sk: string) =>
  client.send(
    new UpdateCommand({
      TableName: tables.history,
      Key: { pk, sk },
      UpdateExpression: "SET #data = :junk",
      ConditionExpression: "attribute_exists(pk)",
      ExpressionAttributeNames: { "#data": "data" },
      ExpressionAttributeValues: { ":junk": Buffer.from("not what it was") },
    }),
  );
