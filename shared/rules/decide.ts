/**
 * What follows from a monitor's views: status, incident, alerts. Pure, and the only place where people's sleep is
 * decided. Level-triggered: it compares what is with what should be, so running it twice changes nothing.
 */
import { isDeepStrictEqual } from "node:util";
import type {
  AlertEvent,
  Incident,
  LocationCondition,
  Monitor,
  PendingAlert,
  Status,
  Timestamp,
  View,
} from "../model.ts";
import { MAX_PENDING, outboxTimer, overflow, pending } from "./outbox.ts";
import { agree, quorumSize, usableViews } from "./quorum.ts";

/** How long the quorum may be without an answer before the status becomes `unknown`, on top of the thresholds' time. */
export const GRACE_SECONDS = 120;

/** What else a decision rests on. */
export interface Context {
  readonly conditions: Readonly<Record<string, LocationCondition>>;
  /** Link to a monitor for people, or null. */
  readonly url: (monitorId: string) => string | null;
  /** Whether mail can be sent at all. */
  readonly mail: boolean;
}

/** What a decision writes. */
export type Decision = Pick<
  Monitor,
  "status" | "since" | "incident" | "pendingAlerts" | "nextEvaluationAt" | "undecidedSince"
>;

/**
 * What to do. `ownTimerAt` is when the rules want to look again, whatever happens to the outbox (whose own timers are
 * in `decision.nextEvaluationAt` too); null for never.
 */
export type Verdict =
  | { readonly kind: "store"; readonly decision: Decision; readonly ownTimerAt: Timestamp | null }
  | { readonly kind: "nothing"; readonly ownTimerAt: Timestamp | null }
  /** A deleted monitor with nothing left to tell. */
  | { readonly kind: "remove" };

type NotUp = "degraded" | "down";

const iso = (ms: number): Timestamp => new Date(ms).toISOString();
const isNotUp = (status: Status): status is NotUp => status === "degraded" || status === "down";

/** Decides about one monitor. @param now moves timers only; moments of change come from the views' ticks */
export function decide(monitor: Monitor, context: Context, now: Date): Verdict {
  const outbox: Record<string, PendingAlert> = { ...monitor.pendingAlerts };
  const standing = stand(monitor, context, now);
  let incident = monitor.incident;

  // A changed, paused or deleted monitor has a new story: the old incident ends without an alert.
  const endReason = endWithoutAlert(monitor);
  if (incident && endReason) {
    outbox[`incident#${incident.id}`] = project({ ...incident, endedAt: iso(now.getTime()), endReason }, now);
    incident = null;
  }

  let alertDueAt: number | null = null;
  if (monitor.deletedAt) {
    // Only the outbox is left to drain.
  } else if (isNotUp(standing.status)) {
    incident = open(monitor, incident, standing.status, standing.since);
    const due = Date.parse(standing.since) + monitor.alerts.afterSeconds * 1000;
    if (incident.announced !== standing.status) {
      if (due <= now.getTime()) incident = announce(monitor, context, incident, standing.status, standing, outbox, now);
      else alertDueAt = due;
    }
  } else if (standing.status === "up" && incident) {
    const endedAt = standing.since < incident.startedAt ? incident.startedAt : standing.since;
    incident = { ...incident, endedAt, endReason: "recovered" };
    if (incident.announced) incident = announce(monitor, context, incident, "recovered", standing, outbox, now);
    outbox[`incident#${incident.id}`] = project(incident, now);
    incident = null;
  }
  if (incident && !isDeepStrictEqual(incident, monitor.incident))
    outbox[`incident#${incident.id}`] = project(incident, now);
  dropOverflow(outbox, now);

  if (monitor.deletedAt && Object.keys(outbox).length === 0) return { kind: "remove" };
  const own = [alertDueAt, standing.undecidedUntil].filter((at) => at !== null).toSorted((a, b) => a - b)[0];
  const ownTimerAt = own === undefined ? null : iso(own);
  const timers = [ownTimerAt, outboxTimer(outbox, now)].filter((at) => at !== null).toSorted();
  const decision: Decision = {
    status: standing.status,
    since: standing.since,
    incident,
    pendingAlerts: outbox,
    nextEvaluationAt: timers[0] ?? null,
    undecidedSince: standing.undecidedSince,
  };
  return holds(monitor, decision, now) ? { kind: "nothing", ownTimerAt } : { kind: "store", decision, ownTimerAt };
}

/** Where a monitor stands now, and since when. */
interface Standing {
  readonly status: Status;
  readonly since: Timestamp;
  readonly undecidedSince: Timestamp | null;
  /** Epoch milliseconds at which an undecided monitor becomes `unknown`. */
  readonly undecidedUntil: number | null;
  readonly views: readonly View[];
}

function stand(monitor: Monitor, { conditions }: Context, now: Date): Standing {
  const settled = { undecidedSince: null, undecidedUntil: null, views: [] };
  if (monitor.deletedAt) return { ...settled, status: monitor.status, since: monitor.since };
  if (monitor.paused)
    return { ...settled, status: "paused", since: monitor.status === "paused" ? monitor.since : iso(now.getTime()) };

  const views = usableViews(monitor, conditions, now);
  const q = quorumSize(monitor);
  const agreed = agree(
    monitor.locations.length,
    q,
    views.map(({ health }) => health),
  );
  if (agreed) {
    const since = monitor.status === agreed ? monitor.since : agreedSince(agreed, q, views, monitor, now);
    return { status: agreed, since, undecidedSince: null, undecidedUntil: null, views };
  }
  // Nobody can tell. What was known stays for a while, then it would be a claim without evidence.
  const fresh = monitor.status === "paused";
  const status = fresh ? "pending" : monitor.status;
  const since = fresh ? iso(now.getTime()) : monitor.since;
  if (status === "unknown")
    return { status, since, undecidedSince: monitor.undecidedSince, undecidedUntil: null, views };
  const undecidedSince = monitor.undecidedSince ?? iso(now.getTime());
  const thresholds = Math.max(monitor.failureThreshold, monitor.recoveryThreshold);
  const until = Date.parse(undecidedSince) + (GRACE_SECONDS + thresholds * monitor.intervalSeconds) * 1000;
  if (until <= now.getTime())
    return { status: "unknown", since: iso(now.getTime()), undecidedSince, undecidedUntil: null, views };
  return { status, since, undecidedSince, undecidedUntil: until, views };
}

/**
 * When the agreement came about: the moment the last view that was needed for it joined. For `up` that is the latest
 * of the views; for `down` and `degraded` the q-th.
 */
function agreedSince(status: "up" | NotUp, q: number, views: readonly View[], monitor: Monitor, now: Date): Timestamp {
  const counts = (view: View) =>
    status === "up" ? view.health === "up" : status === "down" ? view.health === "down" : view.health !== "up";
  const moments = views
    .filter(counts)
    .map(({ since }) => since)
    .toSorted();
  const moment = (status === "up" ? moments.at(-1) : moments[q - 1]) ?? iso(now.getTime());
  // An old view that has just become usable again tells nothing about when; and nothing began before it was asked for.
  if (monitor.status === "pending") return moment < monitor.settingsChangedAt ? monitor.settingsChangedAt : moment;
  return moment <= monitor.since ? iso(now.getTime()) : moment;
}

function endWithoutAlert({ incident, deletedAt, paused, settingsChangedAt }: Monitor): Incident["endReason"] {
  if (deletedAt) return "deleted";
  if (paused) return "paused";
  return incident && settingsChangedAt > incident.startedAt ? "changed" : null;
}

/** The incident of a not-up status: a new one, or the present one, which remembers the worst it has been. */
function open(monitor: Monitor, present: Incident | null, status: NotUp, since: Timestamp): Incident {
  if (present && (present.severity === "down" || present.severity === status)) return present;
  const cause = causeOf(monitor, status);
  const told = {
    severity: status,
    reason: cause?.reason ?? null,
    message: cause?.message ?? "",
    evidence: cause?.evidence ?? {},
    locations: summarise(monitor),
  };
  if (present) return { ...present, ...told };
  return {
    id: `${monitor.id}.${Date.parse(since)}`,
    startedAt: since,
    endedAt: null,
    ...told,
    announced: null,
    alertCount: 0,
    endReason: null,
  };
}

/** The earliest view of that health: what people should hear as the cause. */
function causeOf(monitor: Monitor, health: View["health"]): View | undefined {
  const views = monitor.locations.flatMap((name) => monitor.views[name] ?? []);
  return views.filter((view) => view.health === health).toSorted((a, b) => a.since.localeCompare(b.since))[0];
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

/** Puts one alert into the outbox. @returns the incident that remembers having told it */
function announce(
  monitor: Monitor,
  context: Context,
  incident: Incident,
  event: AlertEvent,
  standing: Standing,
  outbox: Record<string, PendingAlert>,
  now: Date,
): Incident {
  const told: Incident = { ...incident, announced: event, alertCount: incident.alertCount + 1 };
  const alertId = `${incident.id}.${told.alertCount}`;
  const { id, name, protocol, host, port, tags } = monitor;
  const cause = causeOf(monitor, event === "recovered" ? "up" : event);
  const ended = event === "recovered" ? incident.endedAt : null;
  outbox[alertId] = pending(
    {
      kind: "alert",
      alert: {
        alertId,
        event,
        severity: event === "down" ? "critical" : event === "degraded" ? "warning" : "info",
        monitor: { id, name, protocol, host, port, tags },
        status: standing.status,
        previousStatus: previousStatus(monitor, incident, standing.status),
        reason: cause?.reason ?? null,
        message: cause?.message ?? incident.message,
        locations: summarise(monitor),
        startedAt: incident.startedAt,
        endedAt: ended,
        durationSeconds: ended ? Math.round((Date.parse(ended) - Date.parse(incident.startedAt)) / 1000) : null,
        incidentId: incident.id,
        url: context.url(id),
      },
    },
    ["sns", ...(context.mail ? monitor.alerts.emails.map((address) => `email:${address}`) : [])],
    iso(now.getTime()),
  );
  return told;
}

/** What people last heard, or the status before this change when they heard nothing yet. */
function previousStatus(monitor: Monitor, incident: Incident, status: Status): Status {
  if (incident.announced && incident.announced !== "recovered") return incident.announced;
  return monitor.status === status ? "up" : monitor.status;
}

/** The incident as the API lists it, to be written as an item of its own. */
function project(incident: Incident, now: Date): PendingAlert {
  return pending({ kind: "incident", incident }, ["incident"], iso(now.getTime()));
}

function dropOverflow(outbox: Record<string, PendingAlert>, now: Date): void {
  const dropped = overflow(outbox);
  if (dropped.length === 0) return;
  for (const key of dropped) delete outbox[key];
  outbox[`system#overflow`] = pending(
    {
      kind: "system",
      subject: "Alerts were dropped",
      message: `More than ${MAX_PENDING} alerts of one monitor could not be delivered; the oldest were dropped: ${dropped.join(", ")}`,
    },
    ["system"],
    iso(now.getTime()),
  );
}

/** Whether the monitor already stands as decided. A timer that only moved because time passed is no change. */
function holds(monitor: Monitor, decision: Decision, now: Date): boolean {
  const timerHolds =
    monitor.nextEvaluationAt === decision.nextEvaluationAt ||
    (monitor.nextEvaluationAt !== null &&
      decision.nextEvaluationAt !== null &&
      Date.parse(monitor.nextEvaluationAt) > now.getTime() &&
      monitor.nextEvaluationAt < decision.nextEvaluationAt);
  return (
    timerHolds &&
    monitor.status === decision.status &&
    monitor.since === decision.since &&
    monitor.undecidedSince === decision.undecidedSince &&
    isDeepStrictEqual(monitor.incident, decision.incident) &&
    isDeepStrictEqual(Object.keys(monitor.pendingAlerts).toSorted(), Object.keys(decision.pendingAlerts).toSorted()) &&
    Object.keys(decision.pendingAlerts).every((key) => monitor.pendingAlerts[key] === decision.pendingAlerts[key])
  );
}
