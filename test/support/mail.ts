import type { Alert } from "../../shared/model.ts";
import { alertOf } from "./alerts.ts";

/** The alert of this number about a monitor's incident: odd ones tell of its beginning, even ones of its end. */
export const numberedAlert = (number: number, monitorId = "m1"): Alert => ({
  ...alertOf(number % 2 === 1 ? "down" : "recovered"),
  alertId: `${monitorId}.1.${number}`,
  monitor: { id: monitorId, name: "DB", protocol: "tcp", host: "db.example.com", port: 5432, tags: {} },
  incidentId: `${monitorId}.1`,
  startedAt: "2026-11-23T10:00:00.000Z",
});
