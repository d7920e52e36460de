import type { Alert } from "../../shared/model.ts";

/** An alert of a made-up incident: odd numbers tell of its beginning, even ones of its end. */
export const alertOf = (number: number, more: Partial<Alert> = {}, monitorId = "m1"): Alert => ({
  alertId: `${monitorId}.1.${number}`,
  event: number % 2 === 1 ? "down" : "recovered",
  severity: number % 2 === 1 ? "critical" : "info",
  monitor: { id: monitorId, name: "DB", protocol: "tcp", host: "db.example.com", port: 5432, tags: {} },
  status: "down",
  previousStatus: "up",
  reason: "connection-refused",
  message: "refused",
  locations: {},
  startedAt: "2026-11-23T10:00:00.000Z",
  endedAt: null,
  durationSeconds: null,
  incidentId: `${monitorId}.1`,
  incidentState: "open",
  endReason: null,
  url: null,
  ...more,
});
