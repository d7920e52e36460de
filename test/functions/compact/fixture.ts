/** Compact with real stores on a local database and a clock of its own. */
import { setTimeout as sleep } from "node:timers/promises";
import { createHourlyRun } from "../../../functions/compact/wiring.ts";
import type { DatabaseOptions } from "../../../infra/local/dynamodb/database.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Monitor } from "../../../shared/model.ts";
import type { CompactEvent } from "../../../shared/payloads.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createMonitorStore, type StoredMonitor } from "../../../shared/store/monitors.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { monitorOf as plainMonitor } from "../../support/monitors.ts";
import { startTables } from "../../support/tables.ts";

/** 2026-11-20T00:00:00Z */
export const MIDNIGHT = 1_795_132_800;
export const HOUR = 3_600;
export const DAY = 86_400;

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
