/**
 * Decides a monitor's status, incident and alerts from the views of its locations. Pure, and the only place that
 * decides whether an alert is sent. Level-triggered and idempotent: it compares the stored state with the state that
 * follows from the views, so running it twice changes nothing.
 */
import { isDeepStrictEqual } from "node:util";
import type { Monitor, PendingAlert, StretchStart, Timestamp, ViewCondition } from "../model.ts";
import { followChanges } from "./changes.ts";
import { isBelievable, notAfter } from "./clock-skew.ts";
import { type FlapState, flapStateAfter } from "./flapping.ts";
import {
  type AlertContext,
  endCause,
  endIncident,
  endSilently,
  isNotUp,
  openOrContinue,
  projection,
  tell,
  tellSettled,
  upgraded,
} from "./incident.ts";
import { followMinority } from "./minority.ts";
import { entriesOf, type NewEntry, OVERFLOW, overflow, sequenceFrom } from "./outbox.ts";
import { evaluateStatus } from "./standing.ts";
import { recording, unrecorded } from "./stretch.ts";
import { isTimerKept, nextEvaluation } from "./timer.ts";

/**
 * Time to deliver the last alerts of a deleted monitor; then they move to an item of their own, and its key is free.
 */
export const LEAVING_SECONDS = 60;
/** Pause before another attempt at a monitor whose decisions do not converge. */
const UNSETTLED_SECONDS = 900;

/** Inputs of a decision beside the monitor. */
export interface Context extends AlertContext {
  /** By location: whether the monitor's view from there can be used. */
  readonly conditions: Readonly<Record<string, ViewCondition>>;
}

/** What a decision writes. */
export type Decision = Pick<
  Monitor,
  | "status"
  | "since"
  | "lastStretch"
  | "incident"
  | "lastIncidentEndedAt"
  | "pendingAlerts"
  | "nextEvaluationAt"
  | "undecidedSince"
  | "unsettledSince"
  | "flapState"
  | "minority"
  | "baseline"
>;

/** `ownTimerAt`: when the rules must be evaluated again even if nothing changes, outbox apart; null for never. */
export type Verdict =
  | { readonly kind: "store"; readonly decision: Decision; readonly ownTimerAt: Timestamp | null }
  | { readonly kind: "nothing"; readonly ownTimerAt: Timestamp | null }
  /** Delete the item: the monitor is deleted and no delivery is pending. */
  | { readonly kind: "remove" }
  /** Move the outbox to an item of its own, then delete the monitor's, so that a new monitor can take its key. */
  | { readonly kind: "leave" };

const iso = (ms: number): Timestamp => new Date(ms).toISOString();

/**
 * Decides about one monitor. A decision that would be followed by another one without new input is a bug: instead of
 * it, the verdict stores a message about the bug.
 * @param now moves timers only; moments of change come from the views' ticks
 */
export function decide(monitor: Monitor, context: Context, now: Date): Verdict {
  const verdict = evaluate(monitor, context, now);
  if (verdict.kind !== "store") return verdict;
  const stored = { ...monitor, ...verdict.decision, lookBy: null, revision: monitor.revision + 1 };
  return evaluate(stored, context, now).kind === "store" ? unsettled(monitor, now) : verdict;
}

/** What a decision knows once it has ended what is over. */
interface Ended extends Pick<Monitor, "incident" | "lastIncidentEndedAt" | "flapState"> {
  readonly news: readonly NewEntry[];
}

/**
 * Ends the incident if it is over, and tells those who heard of flapping when it has settled. The end of an incident in which
 * they heard of it is told only then.
 * @param flapState what flap detection knows now
 */
function endWhatIsOver(
  monitor: Monitor,
  { status, since }: Pick<Monitor, "status" | "since">,
  flapState: FlapState | null,
  context: Context,
  now: Date,
): Ended {
  const before = monitor.flapState;
  const news: NewEntry[] = [];
  let { lastIncidentEndedAt } = monitor;
  let incident = upgraded(monitor.incident);
  let held = before?.held ?? null;
  const over =
    incident &&
    (endCause(monitor, incident, now) ?? (status === "up" ? { reason: "recovered" as const, at: since } : null));
  if (incident && over) {
    const isHeld = incident.id === before?.toldIn && over.reason === "recovered";
    const end = isHeld ? endSilently(incident, over) : endIncident(monitor, incident, over, status, context, now);
    news.push(...end.news);
    lastIncidentEndedAt = end.incident.endedAt;
    if (isHeld) held = end.incident;
    incident = null;
  }
  if (flapState?.since) return { incident, lastIncidentEndedAt, flapState: { ...flapState, held }, news };
  const heardIn = held ?? (incident?.id === before?.toldIn ? incident : null);
  if (!before?.since || !heardIn) return { incident, lastIncidentEndedAt, flapState, news };
  const settled = tellSettled(monitor, heardIn, status, context, now);
  news.push(...settled.news);
  return { incident: held ? incident : settled.incident, lastIncidentEndedAt, flapState, news };
}

function evaluate(monitor: Monitor, context: Context, now: Date): Verdict {
  const standing = evaluateStatus(monitor, context.conditions, now);
  const { status, undecidedSince, lookAgainAt } = standing;
  let { since } = standing;
  const flaps = flapStateAfter(monitor, standing, now);
  const timers = [lookAgainAt, flaps.lookAgainAt];
  const past = endWhatIsOver(monitor, standing, flaps.state, context, now);
  const { lastIncidentEndedAt } = past;
  let { incident, flapState } = past;
  const minor = followMinority(monitor, standing, Boolean(flapState?.since), context, now);
  timers.push(minor.lookAgainAt);
  const changed = followChanges(monitor, standing, Boolean(flapState?.since), context, now);
  timers.push(changed.lookAgainAt);
  const news = [...past.news, ...minor.news, ...changed.news];
  if (!monitor.deletedAt && isNotUp(status)) {
    const isNew = incident === null;
    incident = openOrContinue({ ...monitor, lastIncidentEndedAt }, incident, status, since, now);
    // A new incident and its status begin at the same moment, also if that had to be after the previous incident's end.
    if (isNew && (status !== monitor.status || since !== monitor.since)) since = incident.startedAt;
    // Views that prove no status keep the last one, but nobody is told of trouble that enough locations do not see now.
    if (undecidedSince === null) {
      const told = tell({ ...monitor, flapState }, incident, status, since, context, now);
      news.push(...told.news);
      incident = told.incident;
      timers.push(told.lookAgainAt);
      flapState &&= { ...flapState, toldIn: told.flappingToldIn };
    }
  }
  if (incident && !isDeepStrictEqual(incident, monitor.incident)) news.push(projection(incident));
  const next: StretchStart = monitor.deletedAt
    ? { status: "deleted", since: notAfter(monitor.deletedAt, now) }
    : { status, since };
  const begun = monitor.lastStretch?.status === "deleted" ? [] : unrecorded(monitor, next);
  news.push(...begun.map(recording));
  const outbox = withNews(monitor, news, now);

  if (monitor.deletedAt) {
    if (Object.keys(outbox).length === 0) return { kind: "remove" };
    // A deletion moment from a clock that was ahead does not tell how long the monitor has waited: it leaves now.
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
    lastStretch: begun.at(-1) ?? monitor.lastStretch,
    incident,
    lastIncidentEndedAt,
    pendingAlerts: outbox,
    nextEvaluationAt: nextEvaluation(ownTimerAt, outbox, now),
    undecidedSince,
    unsettledSince: null,
    flapState,
    minority: minor.minority,
    baseline: changed.baseline,
  };
  return holds(monitor, decision, now) ? { kind: "nothing", ownTimerAt } : { kind: "store", decision, ownTimerAt };
}

/**
 * The verdict for decisions that do not converge: changes nothing, and puts one message for the operator into the
 * outbox.
 */
function unsettled(monitor: Monitor, now: Date): Verdict {
  const at = now.toISOString();
  const {
    status,
    since,
    lastStretch,
    incident,
    lastIncidentEndedAt,
    undecidedSince,
    unsettledSince,
    flapState,
    minority,
    baseline,
  } = monitor;
  const isWaiting = monitor.lookBy === null && monitor.nextEvaluationAt !== null && monitor.nextEvaluationAt > at;
  const ownTimerAt = iso(now.getTime() + UNSETTLED_SECONDS * 1000);
  if (unsettledSince && isWaiting) return { kind: "nothing", ownTimerAt };
  const message = `Decisions about monitor ${monitor.id} ("${monitor.name}") do not settle, so none is made. Please report this as a fault of Harborlight.`;
  const news: NewEntry = {
    key: "system#unsettled",
    content: {
      kind: "system",
      event: "system.fault",
      about: `monitor.${monitor.id}`,
      subject: "A monitor cannot be decided",
      message,
    },
    receivers: ["system"],
  };
  const added = entriesOf(unsettledSince ? [] : [news], sequenceFrom(monitor.revision), now);
  const pendingAlerts = { ...monitor.pendingAlerts, ...added };
  return {
    kind: "store",
    decision: {
      status,
      since,
      lastStretch,
      incident,
      lastIncidentEndedAt,
      pendingAlerts,
      nextEvaluationAt: nextEvaluation(ownTimerAt, pendingAlerts, now),
      undecidedSince,
      unsettledSince: unsettledSince ?? at,
      flapState,
      minority,
      baseline,
    },
    ownTimerAt,
  };
}

/** Adds entries to the outbox. If it overflows, drops the oldest and adds a message for the operator. */
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
    content: {
      kind: "system",
      event: "system.alerts-dropped",
      about: `monitor.${id}`,
      subject: "Alerts were dropped",
      message,
    },
    receivers: ["system"],
  };
  const kept = Object.entries(all).filter(([key]) => !dropped.includes(key));
  return { ...Object.fromEntries(kept), ...entriesOf([loss], nextSequence, now) };
}

const sameKeys = (a: object, b: object) => isDeepStrictEqual(Object.keys(a).toSorted(), Object.keys(b).toSorted());

/** Whether the stored monitor already equals the decision. */
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
    isDeepStrictEqual(monitor.lastStretch, decision.lastStretch) &&
    isDeepStrictEqual(monitor.flapState, decision.flapState) &&
    isDeepStrictEqual(monitor.minority, decision.minority) &&
    isDeepStrictEqual(monitor.baseline, decision.baseline) &&
    sameKeys(monitor.pendingAlerts, decision.pendingAlerts) &&
    Object.keys(decision.pendingAlerts).every((key) => monitor.pendingAlerts[key] === decision.pendingAlerts[key])
  );
}
