/** Makes the API's representations of stored items; leaves out keys, placements and the outbox. */
import { secondOf } from "../../../shared/history/status-time.ts";
import type { Acknowledgement, Incident, Monitor, MonitorSettings, View } from "../../../shared/model.ts";
import { settingsOf } from "../../../shared/monitor/settings.ts";
import { timeToAlertSeconds } from "../../../shared/monitor/timing.ts";
import { HIDDEN, hideSecrets } from "../../../shared/protocols/secrets.ts";
import { isSweep } from "../../../shared/protocols/sweeps.ts";
import { presentValues } from "../../../shared/rules/facts.ts";
import type { PresentMaintenance } from "../../../shared/rules/maintenance.ts";
import type { RecordedIncident } from "../../../shared/store/incidents.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Newest } from "../../../shared/store/newest.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import { hasScope } from "../http/auth.ts";
import { longestSweepSeconds } from "../sweeps/load.ts";

/** Tag for `If-Match`, quoted. Changes with the settings only, not with views or alerts. */
export const etagOf = ({ updatedAt }: Pick<Monitor, "updatedAt">) => `"${Date.parse(updatedAt).toString(36)}"`;

/** Whether a caller sees secrets and addresses of people. */
export const maySeeAll = (reader: Token | null) => reader !== null && hasScope(reader, "write");

/**
 * Whether a caller sees to whom alerts went. A token limited to tags does not: policies, which are everybody's, name people who
 * have nothing to do with its monitors.
 */
export const maySeeReceivers = (reader: Token | null) => maySeeAll(reader) && reader?.monitorTags === null;

const presentView = ({ health, state, since, reason, message, address, facts, evidence }: View) => ({
  health,
  state,
  since,
  reason,
  message,
  address,
  facts: facts ? Object.fromEntries(presentValues(facts)) : {},
  evidence,
});

/** @param reader the caller's token, which may not see whose link was used */
export const presentAcknowledged = ({ at, by, note }: Acknowledgement, reader: Token | null) => ({
  at,
  by: maySeeReceivers(reader) ? by : withoutAddress(by, "").delivery,
  note,
});

const presentIncident = (incident: Incident, reader: Token | null) => ({
  id: incident.id,
  startedAt: incident.startedAt,
  endedAt: incident.endedAt,
  // In whole seconds like time by status, so that the incidents of a range add up to its downtime.
  durationSeconds: incident.endedAt ? secondOf(incident.endedAt) - secondOf(incident.startedAt) : null,
  severity: incident.severity,
  reason: incident.reason,
  message: incident.message,
  evidence: incident.evidence,
  locations: incident.locations,
  acknowledged: incident.acknowledged ? presentAcknowledged(incident.acknowledged, reader) : null,
  alertCount: incident.alertCount,
  heldBy: (incident.heldBy ?? []).map(({ monitorId, startedAt }) => ({
    monitorId,
    incidentId: `${monitorId}.${Date.parse(startedAt)}`,
  })),
  endReason: incident.endReason,
});

/** Delivery to a mail address, whose error may name it again. */
const MAIL = /\bemail:(\S+)$/;

export const withoutAddress = (delivery: string, error: string) => {
  const [, address = ""] = MAIL.exec(delivery) ?? [];
  return address
    ? { delivery: delivery.replace(MAIL, `email:${HIDDEN}`), error: error.replaceAll(address, HIDDEN) }
    : { delivery, error };
};

/** @param reader the caller's token, which may not see addresses of people */
export const presentRecorded = (incident: RecordedIncident, reader: Token | null) => ({
  ...presentIncident(incident, reader),
  undeliverable: Object.entries(incident.undeliverable ?? {}).map(([delivery, { error, at }]) => ({
    ...(maySeeReceivers(reader) ? { delivery, error } : withoutAddress(delivery, error)),
    at,
  })),
  monitor: {
    id: incident.monitorId,
    name: incident.monitorName,
    protocol: incident.protocol,
    host: incident.host,
    port: incident.port,
  },
});

/** Status with a pause or resumption applied at once; `decide` stores the same a moment later. */
export const statusOf = ({ paused, status }: Pick<Monitor, "paused" | "status">) =>
  paused ? "paused" : status === "paused" ? "pending" : status;

/** When the shown status began. */
export const sinceOf = ({
  paused,
  status,
  since,
  updatedAt,
}: Pick<Monitor, "paused" | "status" | "since" | "updatedAt">) => (paused && status !== "paused" ? updatedAt : since);

const hidden = ({ emails }: { readonly emails: readonly string[] }) => emails.map(() => HIDDEN);
const withoutAddresses = (alerts: Monitor["alerts"]): Monitor["alerts"] => ({
  ...alerts,
  emails: hidden(alerts),
  steps: alerts.steps.map((step) => ({ ...step, emails: hidden(step) })),
});

/** Settings as a caller sees them: secrets and mail addresses only with scope `write`. */
export const settingsFor = (reader: Token | null, monitor: MonitorSettings): MonitorSettings => ({
  ...settingsOf(monitor),
  ...(!maySeeAll(reader) && {
    settings: hideSecrets(monitor.protocol, monitor.settings),
    alerts: withoutAddresses(monitor.alerts),
  }),
});

/** What is shown of a monitor that its item does not hold. */
export interface Around {
  readonly newest: Newest | undefined;
  readonly maintenance: PresentMaintenance | null;
  /** How long it waits for the alerts of what it depends on. */
  readonly heldSeconds: number;
}

/** A sweep takes minutes where a check takes its attempts. */
const timingOf = (monitor: MonitorSettings): MonitorSettings =>
  isSweep(monitor)
    ? { ...monitor, timeoutMs: longestSweepSeconds(monitor) * 1000, retries: { count: 0, delayMs: 0 } }
    : monitor;

/** @param reader the caller's token: secrets in the settings and mail addresses are shown only with scope `write` */
export const presentMonitor = (
  monitor: StoredMonitor,
  { newest, maintenance, heldSeconds }: Around,
  reader: Token | null,
) => ({
  ...settingsFor(reader, monitor),
  id: monitor.id,
  status: statusOf(monitor),
  since: sinceOf(monitor),
  lastCheckedAt: newest?.at ?? null,
  latencyMs: newest?.latencyMs ?? null,
  timeToAlertSeconds: timeToAlertSeconds(timingOf(monitor), heldSeconds),
  views: Object.fromEntries(Object.entries(monitor.views).map(([name, view]) => [name, presentView(view)])),
  incident: monitor.incident && presentIncident(monitor.incident, reader),
  flappingSince: monitor.flapState?.since ?? null,
  maintenance: maintenance && {
    windowId: maintenance.windowId,
    until: new Date(maintenance.untilMs).toISOString(),
  },
  createdAt: monitor.createdAt,
  updatedAt: monitor.updatedAt,
  updatedBy: monitor.updatedBy,
  etag: etagOf(monitor),
});
