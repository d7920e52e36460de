/**
 * What follows from a monitor's views: status, incident, alerts. Pure, and the only place where people's sleep is
 * decided. Level-triggered: it compares what is with what should be, so running it twice changes nothing.
 */
import { isDeepStrictEqual } from "node:util";
import type { Monitor, PendingAlert, Timestamp, ViewCondition } from "../model.ts";
import { isBelievable } from "./believe.ts";
import { announce, carryOn, end, endOf, isNotUp, projection, type Telling, tellable } from "./incident.ts";
import { entriesOf, type NewEntry, OVERFLOW, overflow, sequenceFrom } from "./outbox.ts";
import { stand } from "./standing.ts";
import { isTimerKept, nextEvaluation } from "./timer.ts";

/** What is still to be told of a deleted monitor has so long before it moves out, and the monitor's key is free. */
export const LEAVING_SECONDS = 60;
/** A monitor whose decisions do not settle is looked at again after so long. */
const UNSETTLED_SECONDS = 900;

/** What else a decision rests on. */
export interface Context extends Telling {
  /** Of the monitor's locations, as far as its own view of each can be used. */
  readonly conditions: Readonly<Record<string, ViewCondition>>;
}

/** What a decision writes. */
export type Decision = Pick<
  Monitor,
  | "status"
  | "since"
  | "incident"
  | "lastIncidentEndedAt"
  | "pendingAlerts"
  | "nextEvaluationAt"
  | "undecidedSince"
  | "unsettledSince"
>;

/** `ownTimerAt`: when the rules want to look again, whatever becomes of the outbox; null for never. */
export type Verdict =
  | { readonly kind: "store"; readonly decision: Decision; readonly ownTimerAt: Timestamp | null }
  | { readonly kind: "nothing"; readonly ownTimerAt: Timestamp | null }
  /** A deleted monitor with nothing left to tell. */
  | { readonly kind: "remove" }
  /** A deleted monitor that keeps its key from others: what is left to tell moves out, and it goes. */
  | { readonly kind: "leave" };

const iso = (ms: number): Timestamp => new Date(ms).toISOString();

/**
 * Decides about one monitor. @param now moves timers only; moments of change come from the views' ticks
 * @returns never a decision that would be followed by another one: that is a fault of ours, and is told instead
 */
export function decide(monitor: Monitor, context: Context, now: Date): Verdict {
  const verdict = follow(monitor, context, now);
  if (verdict.kind !== "store") return verdict;
  const stored = { ...monitor, ...verdict.decision, lookBy: null, revision: monitor.revision + 1 };
  return follow(stored, context, now).kind === "store" ? unsettled(monitor, now) : verdict;
}

function follow(monitor: Monitor, context: Context, now: Date): Verdict {
  const news: NewEntry[] = [];
  const { status, since, undecidedSince, lookAgainAt } = stand(monitor, context.conditions, now);
  const timers = [lookAgainAt];
  let { incident, lastIncidentEndedAt } = monitor;

  const over =
    incident &&
    (endOf(monitor, incident, now) ?? (status === "up" ? { reason: "recovered" as const, at: since } : null));
  if (incident && over) {
    const ended = end(monitor, incident, over, status, context);
    news.push(...ended.news);
    lastIncidentEndedAt = ended.incident.endedAt;
    incident = null;
  }
  if (!monitor.deletedAt && isNotUp(status)) {
    incident = carryOn({ ...monitor, lastIncidentEndedAt }, incident, status, since, now);
    const { event, lookAgainAt: tellAt } = tellable(incident, status, since, monitor.alerts.afterSeconds, now);
    if (event) {
      const told = announce(monitor, incident, event, status, context);
      news.push(...told.news);
      incident = told.incident;
    }
    timers.push(tellAt);
  }
  if (incident && !isDeepStrictEqual(incident, monitor.incident)) news.push(projection(incident));
  const outbox = withNews(monitor, news, now);

  if (monitor.deletedAt) {
    if (Object.keys(outbox).length === 0) return { kind: "remove" };
    // A clock that was ahead says when it was deleted: then nothing tells how long it has been waiting.
    const isKnown = isBelievable(monitor.deletedAt, now);
    const leavesAt = isKnown ? Date.parse(monitor.deletedAt) + LEAVING_SECONDS * 1000 : now.getTime();
    if (leavesAt <= now.getTime() && sameKeys(outbox, monitor.pendingAlerts)) return { kind: "leave" };
    timers.push(leavesAt);
  }
  const own = timers.filter((one) => one !== null);
  const ownTimerAt = own.length > 0 ? iso(Math.min(...own)) : null;
  const decision: Decision = {
    status,
    since,
    incident,
    lastIncidentEndedAt,
    pendingAlerts: outbox,
    nextEvaluationAt: nextEvaluation(ownTimerAt, outbox, now),
    undecidedSince,
    unsettledSince: null,
  };
  return holds(monitor, decision, now) ? { kind: "nothing", ownTimerAt } : { kind: "store", decision, ownTimerAt };
}

/** What is written in place of a decision that would not settle: that it does not. Told once. */
function unsettled(monitor: Monitor, now: Date): Verdict {
  const at = now.toISOString();
  const { status, since, incident, lastIncidentEndedAt, undecidedSince, unsettledSince } = monitor;
  const isWaiting = monitor.lookBy === null && monitor.nextEvaluationAt !== null && monitor.nextEvaluationAt > at;
  const ownTimerAt = iso(now.getTime() + UNSETTLED_SECONDS * 1000);
  if (unsettledSince && isWaiting) return { kind: "nothing", ownTimerAt };
  const message = `Decisions about monitor ${monitor.id} ("${monitor.name}") do not settle, so none is made. Please report this as a fault of Harborlight.`;
  const news: NewEntry = {
    key: "system#unsettled",
    content: { kind: "system", subject: "A monitor cannot be decided", message },
    receivers: ["system"],
  };
  const added = entriesOf(unsettledSince ? [] : [news], sequenceFrom(monitor.revision), now);
  const pendingAlerts = { ...monitor.pendingAlerts, ...added };
  return {
    kind: "store",
    decision: {
      status,
      since,
      incident,
      lastIncidentEndedAt,
      pendingAlerts,
      nextEvaluationAt: nextEvaluation(ownTimerAt, pendingAlerts, now),
      undecidedSince,
      unsettledSince: unsettledSince ?? at,
    },
    ownTimerAt,
  };
}

/** The outbox with these entries. Where they are too many, the oldest are dropped, and `system` is told. */
function withNews(
  { id, revision, pendingAlerts }: Monitor,
  news: readonly NewEntry[],
  now: Date,
): Record<string, PendingAlert> {
  const nextSequence = sequenceFrom(revision);
  const all = { ...pendingAlerts, ...entriesOf(news, nextSequence, now) };
  const dropped = overflow(all);
  if (dropped.length === 0) return all;
  const message = `Too many alerts of monitor ${id} wait for receivers that do not take them; the oldest were dropped: ${dropped.join(", ")}`;
  const loss: NewEntry = {
    key: OVERFLOW,
    content: { kind: "system", subject: "Alerts were dropped", message },
    receivers: ["system"],
  };
  const kept = Object.entries(all).filter(([key]) => !dropped.includes(key));
  return { ...Object.fromEntries(kept), ...entriesOf([loss], nextSequence, now) };
}

const sameKeys = (a: object, b: object) => isDeepStrictEqual(Object.keys(a).toSorted(), Object.keys(b).toSorted());

/** Whether the monitor already stands as decided. */
function holds(monitor: Monitor, decision: Decision, now: Date): boolean {
  return (
    monitor.lookBy === null &&
    isTimerKept(monitor.nextEvaluationAt, decision.nextEvaluationAt, now) &&
    monitor.status === decision.status &&
    monitor.since === decision.since &&
    monitor.undecidedSince === decision.undecidedSince &&
    monitor.unsettledSince === decision.unsettledSince &&
    monitor.lastIncidentEndedAt === decision.lastIncidentEndedAt &&
    isDeepStrictEqual(monitor.incident, decision.incident) &&
    sameKeys(monitor.pendingAlerts, decision.pendingAlerts) &&
    Object.keys(decision.pendingAlerts).every((key) => monitor.pendingAlerts[key] === decision.pendingAlerts[key])
  );
}
