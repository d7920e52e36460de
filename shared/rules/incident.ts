/** Opens, continues and ends incidents, and makes the alerts about them. Pure. */
import type {
  Alert,
  AlertEvent,
  EndReason,
  HeldBy,
  Incident,
  Monitor,
  NotUp,
  Severity,
  Status,
  Target,
  Timestamp,
  View,
} from "../model.ts";
import { parseReceiver, type Receiver } from "../receiver.ts";
import { isBelievable, notAfter } from "./clock-skew.ts";
import { type Dependencies, type Hold, holdOf } from "./dependencies.ts";
import type { NewEntry } from "./outbox.ts";
import { plansOf as plansBy } from "./policies.ts";
import { alertsDue, type DueAlert, type Plan, reachable, remembered } from "./telling.ts";

export const isNotUp = (status: Status): status is NotUp => status === "degraded" || status === "down";

/** What an alert is made from, beside the monitor and its incident. */
export interface AlertContext {
  /** Link to a monitor for people, or null. */
  readonly url: (monitorId: string) => string | null;
  /** Names of the alert channels that this deployment has. */
  readonly channels: readonly string[];
  /** The alert policies that apply to a monitor; none: its own addresses and topic `alerts`. */
  readonly plansOf?: (monitor: Monitor) => readonly Plan[];
  /** Until when a monitor is in maintenance, in epoch milliseconds, and nobody is told of trouble; null if it is not. */
  readonly maintenanceUntil?: (monitor: Monitor, now: Date) => number | null;
  /** Absent for a monitor that depends on no other. */
  readonly dependencies?: Dependencies | undefined;
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
  const { lastIncidentEndedAt } = monitor;
  const isLater = !isBelievable(lastIncidentEndedAt, now) || since > lastIncidentEndedAt;
  const startedAt = isLater ? since : new Date(Date.parse(lastIncidentEndedAt) + 1).toISOString();
  return beginIncident(monitor, `${monitor.id}.${Date.parse(startedAt)}`, status, startedAt);
}

export function beginIncident(monitor: Monitor, id: string, status: NotUp, startedAt: Timestamp): Incident {
  const { protocol, host, port } = monitor;
  return {
    id,
    startedAt,
    endedAt: null,
    target: { protocol, host, port },
    targetVersion: monitor.target.version,
    downSince: null,
    ...causeOfBeing(monitor, status),
    announced: null,
    alertCount: 0,
    told: {},
    acknowledged: null,
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
export function endCause({ target, deletedAt }: Monitor, incident: Incident, now: Date): End | null {
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

interface End {
  readonly reason: EndReason;
  readonly at: Timestamp;
}

const ended = (incident: Incident, { reason, at }: End): Incident => ({
  ...incident,
  endedAt: latest(at, incident.startedAt),
  endReason: reason,
});

/** Ends an incident without an alert, and has its own item written. */
export function endSilently(incident: Incident, end: End): IncidentChange {
  const over = ended(incident, end);
  return { incident: over, news: [projection(over)] };
}

/** Ends an incident: alerts those who got its earlier alerts, and has its own item written. */
export function endIncident(
  monitor: Monitor,
  incident: Incident,
  end: End,
  status: Status,
  context: AlertContext,
  now: Date,
): IncidentChange {
  const over = ended(incident, end);
  const event = end.reason === "recovered" ? "recovered" : "closed";
  if (!incident.announced) return endSilently(incident, end);
  const receivers = Object.keys(incident.told) as Receiver[];
  const told = addAlert(monitor, over, { event, level: null, receivers }, status, context, now);
  return { ...told, news: [...told.news, projection(told.incident)] };
}

/** What holds back the alerts about a monitor's trouble: what it depends on. */
export function held(
  monitor: Monitor,
  trouble: { readonly since: Timestamp; readonly heldBy: readonly HeldBy[] },
  context: AlertContext,
  now: Date,
): Hold | null {
  const { dependencies, maintenanceUntil = () => null } = context;
  if (!dependencies) return null;
  const { child, ancestors } = dependencies;
  const isInMaintenance = (one: Monitor) => maintenanceUntil(one, now) !== null;
  return holdOf({ ...child, monitor }, trouble, { ancestors, isInMaintenance, now });
}

const withHeldBy = ({ heldBy: _before, ...incident }: Incident, heldBy: readonly HeldBy[]): Incident =>
  heldBy.length > 0 ? { ...incident, heldBy } : incident;

/**
 * Tells those who heard that a monitor flaps that it has stopped; if the incident in which they did is over, also that, and
 * has its own item written.
 * @param incident in which they heard it
 */
export function tellSettled(
  monitor: Monitor,
  incident: Incident,
  status: Status,
  context: AlertContext,
  now: Date,
): IncidentChange {
  const isOver = incident.endedAt !== null;
  const receivers = (Object.keys(incident.told) as Receiver[]).filter(
    (receiver) => isOver || incident.told[receiver]?.event === "flapping",
  );
  const due: DueAlert = { event: "flapping-stopped", level: null, receivers };
  const told = addAlert(monitor, incident, due, status, context, now);
  return isOver ? { ...told, news: [...told.news, projection(told.incident)] } : told;
}

/**
 * Makes the alerts about an open incident that are due. During maintenance, and while what the monitor depends on is down, none
 * is, and what is still wrong afterwards is told then. While the monitor flaps, the first alert that is due says so, and no further one is.
 * @returns also when to look again, null for never; and the id of the incident in which people know that it flaps
 */
export function tell(
  monitor: Monitor,
  present: Incident,
  status: NotUp,
  since: Timestamp,
  context: AlertContext,
  now: Date,
): IncidentChange & { readonly lookAgainAt: number | null; readonly flappingToldIn: string | null } {
  const { maintenanceUntil = () => null } = context;
  const { since: flappingSince = null, toldIn: flappingToldIn = null } = monitor.flapState ?? {};
  const maintainedUntil = maintenanceUntil(monitor, now);
  if (maintainedUntil !== null) return { incident: present, news: [], lookAgainAt: maintainedUntil, flappingToldIn };
  const hold = held(monitor, { since, heldBy: present.heldBy ?? [] }, context, now);
  const incident = withHeldBy(present, hold?.heldBy ?? []);
  if (hold) return { incident, news: [], lookAgainAt: hold.lookAgainAt, flappingToldIn };
  const plans = plansFor(monitor, context);
  const due = (one: Incident) => alertsDue(one, { status, since }, plans, now);
  const news: NewEntry[] = [];
  let told = incident;
  const { acknowledged } = incident;
  if (acknowledged && !acknowledged.isAnnounced) {
    const receivers = Object.keys(incident.told) as Receiver[];
    const change = addAlert(monitor, incident, { event: "acknowledged", level: null, receivers }, status, context, now);
    told = {
      ...(receivers.length > 0 ? change.incident : incident),
      acknowledged: { ...acknowledged, isAnnounced: true },
    };
    news.push(...(receivers.length > 0 ? change.news : []));
  }
  const alerts = due(told).alerts;
  const isFlapping = flappingSince !== null;
  const untold = isFlapping && flappingToldIn === null ? flappingStarted(alerts, told, status) : [];
  for (const alert of isFlapping ? untold : alerts) {
    const change = addAlert(monitor, told, alert, status, context, now);
    told = change.incident;
    news.push(...change.news);
  }
  if (untold.length > 0 || (isFlapping && flappingToldIn !== null))
    return { incident: told, news, lookAgainAt: null, flappingToldIn: flappingToldIn ?? incident.id };
  // From what is known by now: an alert that was just made may be followed by reminders.
  return { incident: told, news, lookAgainAt: due(told).lookAgainAt, flappingToldIn };
}

/** The plans that apply to a monitor, with receivers that this deployment can reach. */
export function plansFor(monitor: Monitor, { channels, plansOf = () => [] }: AlertContext): readonly Plan[] {
  const policies = plansOf(monitor);
  return reachable(policies.length > 0 ? policies : plansBy(monitor, []), channels);
}

/**
 * One alert in place of those that tell of a level, for everybody who knows of the incident, because they will hear nothing else of it
 * until it has settled; none where no level is due.
 */
function flappingStarted(due: readonly DueAlert[], { told }: Incident, status: NotUp): readonly DueAlert[] {
  const wanting = due.filter(({ level }) => level !== null).flatMap((alert) => alert.receivers);
  if (wanting.length === 0) return [];
  const receivers = [...new Set([...wanting, ...(Object.keys(told) as Receiver[])])];
  return [{ event: "flapping-started", level: status, receivers }];
}

/** Makes one alert, and notes in the incident that it was made and who gets it. */
export function addAlert(
  monitor: Monitor,
  incident: Incident,
  due: DueAlert,
  status: Status,
  { url, channels, plansOf }: AlertContext,
  now: Date,
): IncidentChange {
  const { event } = due;
  const timeZone = plansOf?.(monitor)[0]?.timeZone;
  const isEnd = event === "recovered" || event === "closed";
  const receivers = due.receivers.filter((receiver) => channels.includes(parseReceiver(receiver).channel));
  const told: Incident = {
    ...incident,
    announced: isEnd ? event : (due.level ?? incident.announced),
    alertCount: incident.alertCount + 1,
    told: remembered(incident.told, due, now),
  };
  const alertId = `${incident.id}.${told.alertCount}`;
  const { id, name, tags } = monitor;
  const { endedAt } = incident;
  const alert: Alert = {
    alertId,
    event,
    severity: due.about?.severity ?? severityOf(due, status),
    monitor: { id, name, ...incident.target, tags },
    status,
    previousStatus: previousStatus(monitor, incident, status),
    ...whatIsSeen(monitor, incident, due, status),
    startedAt: incident.startedAt,
    endedAt,
    durationSeconds: lasted(incident, event, now),
    incidentId: incident.id,
    incidentState: endedAt === null ? "open" : "ended",
    endReason: incident.endReason,
    url: url(id),
    ...(due.about?.changes && { changes: due.about.changes }),
    ...(timeZone !== undefined && { timeZone }),
  };
  return { incident: told, news: [{ key: alertId, content: { kind: "alert", alert }, receivers }] };
}

/** Seconds from the start to the end, or until a later alert about an incident that goes on; null in the first ones, and of what has no length. */
function lasted({ startedAt, endedAt }: Incident, event: AlertEvent, now: Date): number | null {
  if (event === "baseline-learned") return null;
  const until = endedAt ?? (event === "down" || event === "degraded" ? null : now.toISOString());
  return until === null ? null : Math.max(0, Math.round((Date.parse(until) - Date.parse(startedAt)) / 1000));
}

/** A level is as severe as it is; a reminder as the status. */
function severityOf({ event, level }: DueAlert, status: Status): Severity {
  if (event === "reminder") return status === "degraded" ? "warning" : "critical";
  return level === null ? "info" : level === "degraded" ? "warning" : "critical";
}

function whatIsSeen(
  monitor: Monitor,
  incident: Incident,
  { event, level, about }: DueAlert,
  status: Status,
): Pick<Alert, "reason" | "message" | "locations"> {
  if (about) return { reason: null, message: about.message, locations: summarise(monitor) };
  if (event === "closed") return { reason: null, message: whyClosed(monitor, incident), locations: {} };
  if (event === "acknowledged")
    return { reason: incident.reason, message: whoHasIt(incident), locations: summarise(monitor) };
  if (event === "minority" || event === "minority-ended")
    return { reason: incident.reason, message: incident.message, locations: summarise(monitor) };
  const isSettled = event === "flapping-stopped";
  const health = event === "recovered" || (isSettled && status === "up") ? "up" : (level ?? incident.severity);
  const cause = causeOf(monitor, health);
  const message = cause?.message ?? incident.message;
  const flaps = event === "flapping-started" ? `${howItFlaps(monitor)}; ` : isSettled ? `it stays ${status}; ` : "";
  return {
    reason: cause?.reason ?? null,
    message: `${flaps}${message}`,
    locations: summarise(monitor),
  };
}

const howItFlaps = ({ flapState, intervalSeconds }: Monitor) =>
  `its status changed ${flapState?.changes.length} times within the last 20 checks, one each ${intervalSeconds} s`;

const whoHasIt = ({ acknowledged }: Incident) =>
  `Acknowledged by ${acknowledged?.by}${acknowledged?.note ? `: ${acknowledged.note}` : ""}`;

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

/** An incident that an earlier version stored, which remembered no more than the receivers. */
export function upgraded(incident: Incident | null): Incident | null {
  const { receivers, ...stored } = (incident ?? {}) as Incident & { readonly receivers?: readonly Receiver[] };
  if (!incident || incident.told) return incident;
  const { announced, startedAt } = incident;
  const event = announced === "degraded" ? "degraded" : "down";
  const told = Object.fromEntries(
    (receivers ?? []).map((one) => [one, { event, at: startedAt, reminders: 0 }] as const),
  );
  return { ...stored, told, acknowledged: null };
}

/** Outbox entry that copies the incident to an item of its own, from which the API lists it. */
export const projection = (incident: Incident): NewEntry => ({
  key: `incident#${incident.id}`,
  content: { kind: "incident", incident },
  receivers: ["incident"],
});
