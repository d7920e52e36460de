/** Monitors and views for tests: complete, plausible, and different only where a test says so. */
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import type { Health, Monitor, View } from "../../shared/model.ts";
import { ALERT_DEFAULTS, CHANGE_WATCH_DEFAULTS } from "../../shared/monitor/alert-defaults.ts";
import type { StoredMonitor } from "../../shared/store/monitor-item.ts";
import { monitorItem } from "../../shared/store/monitors.ts";
import type { startTables } from "./tables.ts";

export const alertsOf = (more: Partial<Monitor["alerts"]> = {}): Monitor["alerts"] => ({
  ...ALERT_DEFAULTS,
  ...more,
});

export const monitorOf = (more: Partial<StoredMonitor> = {}): StoredMonitor => ({
  id: "m1",
  name: "Orders",
  key: null,
  protocol: "tcp",
  host: "127.0.0.1",
  port: 5432,
  settings: {},
  family: "auto",
  addresses: "first",
  expectedState: "open",
  timeoutMs: 2000,
  retries: { count: 0, delayMs: 0 },
  degradedAboveMs: null,
  degradedAboveMsByLocation: {},
  errorRate: null,
  unusual: null,
  failureThreshold: 1,
  recoveryThreshold: 1,
  intervalSeconds: 10,
  locations: ["a"],
  quorum: "majority",
  alerts: alertsOf(),
  flapping: null,
  changeWatch: CHANGE_WATCH_DEFAULTS,
  dependsOn: [],
  tags: {},
  maintenanceCountsAsDowntime: false,
  paused: false,
  badge: false,
  settingsVersion: 1,
  revision: 1,
  shard: "10#0",
  placements: [{ shard: "10#0", fromTick: 0, toTick: null }],
  views: {},
  status: "pending",
  since: "2026-11-23T10:00:00.000Z",
  incident: null,
  pendingAlerts: {},
  target: { version: 1, changedAt: "2026-11-23T10:00:00.000Z", reason: "created" },
  lastIncidentEndedAt: null,
  lastStretch: null,
  flapState: null,
  minority: null,
  baseline: null,
  nextEvaluationAt: null,
  lookBy: null,
  undecidedSince: null,
  unsettledSince: null,
  createdAt: "2026-11-23T10:00:00.000Z",
  updatedAt: "2026-11-23T10:00:00.000Z",
  settingsChangedAt: "2026-11-23T10:00:00.000Z",
  deletedAt: null,
  creation: null,
  writtenBy: "",
  updatedBy: null,
  ...more,
});

/** @param tick epoch seconds at which this view began */
export const viewOf = (health: Health, tick: number, more: Partial<View> = {}): View => ({
  health,
  state: health === "down" ? "closed" : "open",
  reason: health === "down" ? "connection-refused" : health === "degraded" ? "slow" : null,
  message: `it is ${health}`,
  evidence: {},
  facts: null,
  address: "127.0.0.1",
  since: new Date(tick * 1000).toISOString(),
  tick,
  ...more,
});

/** Writes a monitor as it is, without timers. */
export async function putMonitor<T extends Monitor>(
  { client, tables }: Pick<Awaited<ReturnType<typeof startTables>>, "client" | "tables">,
  monitor: T,
): Promise<T> {
  const Item = monitorItem({ creation: null, writtenBy: "", updatedBy: null, ...monitor });
  await client.send(new PutCommand({ TableName: tables.monitors, Item }));
  return monitor;
}
