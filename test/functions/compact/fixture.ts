/** Compact with real stores on a local database and a clock of its own. */
import { createCompact } from "../../../functions/compact/compact.ts";
import type { DatabaseOptions } from "../../../infra/local/dynamo.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Monitor } from "../../../shared/model.ts";
import { createDueStore } from "../../../shared/store/due.ts";
import { createHistoryStore } from "../../../shared/store/history.ts";
import { createMonitorStore, type StoredMonitor } from "../../../shared/store/monitors.ts";
import { createPlanningStore } from "../../../shared/store/planning.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createUpkeepStore } from "../../../shared/store/upkeep.ts";
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
  const compact = (source: "schedule" | "start" = "schedule", hasTime = () => true) =>
    createCompact({
      planning: createPlanningStore(tables.client, tables.tables.monitors),
      upkeep: createUpkeepStore(tables.client, tables.tables.monitors),
      due: createDueStore(tables.client, tables.tables.monitors),
      history: createHistoryStore(tables.client, tables.tables.history, { now, unreadable }),
      locations,
      voters: (id) => monitors.get(id),
      blockDays: DEFAULT_RETENTION.blockDays,
      now,
    })(source, hasTime);
  return {
    ...tables,
    clock,
    history,
    monitors,
    shards: createShardStore(tables.client, tables.tables.monitors),
    compact,
    unreadable: unreadableErrors,
  };
}

/** A monitor that nothing else is known of. */
export function monitorOf(id: string, some: Partial<Monitor> = {}): StoredMonitor {
  const at = new Date(MIDNIGHT * 1000).toISOString();
  return {
    creation: null,
    id,
    name: id,
    key: null,
    protocol: "tcp",
    host: "127.0.0.1",
    port: 1,
    settings: {},
    family: "auto",
    addresses: "first",
    expectedState: "open",
    timeoutMs: 5_000,
    retries: { count: 2, delayMs: 1_000 },
    degradedAboveMs: null,
    failureThreshold: 1,
    recoveryThreshold: 1,
    intervalSeconds: 60,
    locations: ["eu"],
    quorum: "majority",
    alerts: { afterSeconds: 0, emails: [] },
    tags: {},
    paused: false,
    badge: false,
    settingsVersion: 1,
    revision: 1,
    shard: "60#0",
    placements: [{ shard: "60#0", fromTick: 0, toTick: null }],
    views: {},
    status: "pending",
    since: at,
    incident: null,
    pendingAlerts: {},
    undecidedSince: null,
    nextEvaluationAt: null,
    createdAt: at,
    updatedAt: at,
    settingsChangedAt: at,
    deletedAt: null,
    ...some,
  };
}
