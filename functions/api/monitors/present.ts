/** From what is stored to what callers see: never keys, places or the outbox. */
import type { Incident, Monitor, MonitorSettings, Timestamp, View } from "../../../shared/model.ts";
import { settingsOf } from "../../../shared/monitor/settings.ts";
import { attemptsMs } from "../../../shared/monitor/timing.ts";
import { hideSecrets } from "../../../shared/protocols/secrets.ts";
import type { RecordedIncident } from "../../../shared/store/incidents.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import { hasScope } from "../http/auth.ts";

/** From the last attempt to the alert's leaving: a job's lag, the stream and the publishing. */
const DELIVERY_SECONDS = 3;

/**
 * The longest it can take from the port's failing to the alert's leaving: it fails right after a check, every further
 * check that the threshold asks for comes an interval later, the last one uses all its attempts, and people wait
 * `afterSeconds` from there.
 */
const timeToAlertSeconds = ({
  intervalSeconds,
  failureThreshold,
  timeoutMs,
  retries,
  alerts,
}: Pick<MonitorSettings, "intervalSeconds" | "failureThreshold" | "timeoutMs" | "retries" | "alerts">) =>
  Math.ceil(intervalSeconds * failureThreshold + attemptsMs(timeoutMs, retries) / 1000) +
  alerts.afterSeconds +
  DELIVERY_SECONDS;

/** The newest outcome of a monitor over its locations. */
export interface Newest {
  readonly at: Timestamp;
  readonly latencyMs: number | null;
}

/** Quoted, as RFC 9110 wants it. Settings alone move it: neither views nor alerts make it stale. */
export const etagOf = ({ updatedAt }: Pick<Monitor, "updatedAt">) => `"${Date.parse(updatedAt).toString(36)}"`;

const presentView = ({ health, state, since, reason, message, address, fingerprint, evidence }: View) => ({
  health,
  state,
  since,
  reason,
  message,
  address,
  fingerprint,
  evidence,
});

const presentIncident = (incident: Incident) => ({
  id: incident.id,
  startedAt: incident.startedAt,
  endedAt: incident.endedAt,
  durationSeconds: incident.endedAt
    ? Math.round((Date.parse(incident.endedAt) - Date.parse(incident.startedAt)) / 1000)
    : null,
  severity: incident.severity,
  reason: incident.reason,
  message: incident.message,
  evidence: incident.evidence,
  locations: incident.locations,
  alertCount: incident.alertCount,
  endReason: incident.endReason,
});

export const presentRecorded = (incident: RecordedIncident) => ({
  ...presentIncident(incident),
  undeliverable: Object.entries(incident.undeliverable ?? {}).map(([delivery, note]) => ({ delivery, ...note })),
  monitor: {
    id: incident.monitorId,
    name: incident.monitorName,
    protocol: incident.protocol,
    host: incident.host,
    port: incident.port,
  },
});

/** The status as it follows from the settings at once: `decide` says the same a moment later. */
export const statusOf = ({ paused, status }: Pick<Monitor, "paused" | "status">) =>
  paused ? "paused" : status === "paused" ? "pending" : status;

/** @param reader who asks: secrets among the settings are for those who may write them */
export const presentMonitor = (monitor: Monitor, newest: Newest | undefined, reader: Token | null) => ({
  ...settingsOf(monitor),
  settings: reader && hasScope(reader, "write") ? monitor.settings : hideSecrets(monitor.protocol, monitor.settings),
  id: monitor.id,
  status: statusOf(monitor),
  since: monitor.paused && monitor.status !== "paused" ? monitor.updatedAt : monitor.since,
  lastCheckedAt: newest?.at ?? null,
  latencyMs: newest?.latencyMs ?? null,
  timeToAlertSeconds: timeToAlertSeconds(monitor),
  views: Object.fromEntries(Object.entries(monitor.views).map(([name, view]) => [name, presentView(view)])),
  incident: monitor.incident && presentIncident(monitor.incident),
  flapping: false,
  createdAt: monitor.createdAt,
  updatedAt: monitor.updatedAt,
});

export const presentToken = ({ id, name, scopes, createdAt, lastUsedAt, revokedAt }: Token) => ({
  id,
  name,
  scopes,
  createdAt,
  lastUsedAt,
  revokedAt,
});
