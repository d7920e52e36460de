/** Opens, continues and ends incidents, and makes the alerts about them. Pure. */
import type {
  Alert,
  AlertEvent,
  EndReason,
  Incident,
  Monitor,
  Severity,
  Status,
  Target,
  Timestamp,
  View,
} from "../model.ts";
import { parseReceiver, type Receiver, receiverOf } from "../receiver.ts";
import { isBelievable, notAfter } from "./clock-skew.ts";
import type { NewEntry } from "./outbox.ts";

export type NotUp = "degraded" | "down";
export const isNotUp = (status: Status): status is NotUp => status === "degraded" || status === "down";

/** What an alert is made from, beside the monitor and its incident. */
export interface AlertContext {
  /** Link to a monitor for people, or null. */
  readonly url: (monitorId: string) => string | null;
  /** Names of the alert channels that this deployment has. */
  readonly channels: readonly string[];
}

/** Opens an incident for a status that is not up, or continues the open one. Its severity never decreases. */
export function openOrContinue(
  monitor: Monitor,
  present: Incident | null,
  status: NotUp,
  since: Timestamp,
  now: Date,
): Incident {
  const incident = present ?? begin(monitor, status, since, now);
  const downSince = status === "down" ? (incident.downSince ?? latest(since, incident.startedAt)) : null;
  if (incident.severity === "down" || incident.severity === status) return { ...incident, downSince };
  return { ...incident, downSince, ...causeOfBeing(monitor, status) };
}

function begin(monitor: Monitor, status: NotUp, since: Timestamp, now: Date): Incident {
  const { protocol, host, port, lastIncidentEndedAt } = monitor;
  const isLater = !isBelievable(lastIncidentEndedAt, now) || since > lastIncidentEndedAt;
  const startedAt = isLater ? since : new Date(Date.parse(lastIncidentEndedAt) + 1).toISOString();
  return {
    id: `${monitor.id}.${Date.parse(startedAt)}`,
    startedAt,
    endedAt: null,
    target: { protocol, host, port },
    targetVersion: monitor.target.version,
    downSince: null,
    ...causeOfBeing(monitor, status),
    announced: null,
    alertCount: 0,
    receivers: [],
    endReason: null,
  };
}

function causeOfBeing(monitor: Monitor, status: NotUp) {
  const cause = causeOf(monitor, status);
  return {
    severity: status,
    reason: cause?.reason ?? null,
    message: cause?.message ?? "",
    evidence: cause?.evidence ?? {},
    locations: summarise(monitor),
  };
}

const latest = (...moments: readonly Timestamp[]) => moments.toSorted().at(-1)!;

/**
 * Why and when an incident ends without a recovery: its monitor was paused, deleted, or checks another target. Null
 * otherwise; changed thresholds, timeouts, intervals, locations or expectations do not end an incident.
 */
export function endCause(
  { target, deletedAt }: Monitor,
  incident: Incident,
  now: Date,
): { readonly reason: EndReason; readonly at: Timestamp } | null {
  const isOther = incident.targetVersion !== target.version;
  if (!isOther && !deletedAt) return null;
  const reason = isOther && target.reason !== "created" ? target.reason : deletedAt ? "deleted" : "changed";
  const at = reason === "deleted" ? deletedAt! : target.changedAt;
  return { reason, at: latest(incident.startedAt, notAfter(at, now)) };
}

/** An incident after a change, and the outbox entries that the change causes. */
export interface IncidentChange {
  readonly incident: Incident;
  readonly news: readonly NewEntry[];
}

/** Ends an incident: alerts those who got its earlier alerts, and has its own item written. */
export function endIncident(
  monitor: Monitor,
  incident: Incident,
  { reason, at }: { readonly reason: EndReason; readonly at: Timestamp },
  status: Status,
  context: AlertContext,
): IncidentChange {
  const ended: Incident = { ...incident, endedAt: latest(at, incident.startedAt), endReason: reason };
  const event = reason === "recovered" ? "recovered" : "closed";
  const told = incident.announced ? addAlert(monitor, ended, event, status, context) : { incident: ended, news: [] };
  return { ...told, news: [...told.news, projection(told.incident)] };
}

/**
 * Which alert about an open incident is due now, if any, and when to look again. An alert is due `afterSeconds` after
 * the start: of the incident for `degraded`, of its present down phase for `down`. A start that lies in the future
 * (clock skew) does not tell how long the trouble has lasted, so its alert is due at once.
 */
export function alertDue(
  incident: Incident,
  status: NotUp,
  since: Timestamp,
  afterSeconds: number,
  now: Date,
): { readonly event: NotUp | null; readonly lookAgainAt: number | null } {
  if (incident.announced === status) return { event: null, lookAgainAt: null };
  const after = (moment: Timestamp) =>
    isBelievable(moment, now) ? Date.parse(notAfter(moment, now)) + afterSeconds * 1000 : now.getTime();
  const isUntold = incident.announced === null;
  const troubleAt = after(incident.startedAt);
  const levelAt =
    status === "down"
      ? after(incident.downSince ?? since)
      : isUntold
        ? troubleAt
        : after(latest(since, incident.startedAt));
  if (levelAt <= now.getTime()) return { event: status, lookAgainAt: null };
  if (isUntold && troubleAt <= now.getTime()) return { event: "degraded", lookAgainAt: levelAt };
  return { event: null, lookAgainAt: isUntold ? Math.min(troubleAt, levelAt) : levelAt };
}

/** Makes one alert, and notes in the incident that it was made and who gets it. */
export function addAlert(
  monitor: Monitor,
  incident: Incident,
  event: AlertEvent,
  status: Status,
  { url, channels }: AlertContext,
): IncidentChange {
  const isEnd = event === "recovered" || event === "closed";
  const canSend = (receiver: Receiver) => channels.includes(parseReceiver(receiver).channel);
  const all = [receiverOf("sns"), ...monitor.alerts.emails.map((address) => receiverOf("email", address))];
  const receivers = (isEnd ? incident.receivers : all).filter(canSend);
  const told: Incident = {
    ...incident,
    announced: event,
    alertCount: incident.alertCount + 1,
    receivers: [...new Set([...incident.receivers, ...receivers])],
  };
  const alertId = `${incident.id}.${told.alertCount}`;
  const { id, name, tags } = monitor;
  const { endedAt } = incident;
  const alert: Alert = {
    alertId,
    event,
    severity: SEVERITIES[event],
    monitor: { id, name, ...incident.target, tags },
    status,
    previousStatus: previousStatus(monitor, incident, status),
    ...whatIsSeen(monitor, incident, event),
    startedAt: incident.startedAt,
    endedAt,
    durationSeconds: endedAt ? Math.round((Date.parse(endedAt) - Date.parse(incident.startedAt)) / 1000) : null,
    incidentId: incident.id,
    incidentState: isEnd ? "ended" : "open",
    endReason: incident.endReason,
    url: url(id),
  };
  return { incident: told, news: [{ key: alertId, content: { kind: "alert", alert }, receivers }] };
}

const SEVERITIES: Readonly<Record<AlertEvent, Severity>> = {
  down: "critical",
  degraded: "warning",
  recovered: "info",
  closed: "info",
};

function whatIsSeen(
  monitor: Monitor,
  incident: Incident,
  event: AlertEvent,
): Pick<Alert, "reason" | "message" | "locations"> {
  if (event === "closed") return { reason: null, message: whyClosed(monitor, incident), locations: {} };
  const cause = causeOf(monitor, event === "recovered" ? "up" : event);
  return {
    reason: cause?.reason ?? null,
    message: cause?.message ?? incident.message,
    locations: summarise(monitor),
  };
}

const written = ({ protocol, host, port }: Target) => `${protocol} ${host.includes(":") ? `[${host}]` : host}:${port}`;

function whyClosed(monitor: Monitor, { target, endReason }: Incident): string {
  const old = written(target);
  switch (endReason) {
    case "paused":
      return `the monitor was paused: ${old} is not checked any more`;
    case "deleted":
      return `the monitor was deleted: ${old} is not checked any more`;
    default:
      return `the monitor was changed: ${old} is not checked any more, ${written(monitor)} is`;
  }
}

/**
 * The view that an alert names as the cause: the oldest of that health; for `degraded`, failing that, the oldest `down`
 * one.
 */
function causeOf(monitor: Monitor, health: "up" | NotUp): View | undefined {
  const views = monitor.locations
    .flatMap((name) => monitor.views[name] ?? [])
    .toSorted((a, b) => a.since.localeCompare(b.since));
  const exact = views.find((view) => view.health === health);
  return exact ?? (health === "degraded" ? views.find((view) => view.health === "down") : undefined);
}

function summarise(monitor: Monitor): Incident["locations"] {
  return Object.fromEntries(
    monitor.locations.flatMap((name) => {
      const view = monitor.views[name];
      if (!view) return [];
      const { health, state, reason, message } = view;
      return [[name, { health, state, reason, message }]];
    }),
  );
}

/** The status in the last alert, or the status before this change if there was no alert yet. */
function previousStatus(monitor: Monitor, { announced }: Incident, status: Status): Status {
  if (announced === "down" || announced === "degraded") return announced;
  return monitor.status === status ? "up" : monitor.status;
}

/** Outbox entry that copies the incident to an item of its own, from which the API lists it. */
export const projection = (incident: Incident): NewEntry => ({
  key: `incident#${incident.id}`,
  content: { kind: "incident", incident },
  receivers: ["incident"],
});
