/** Evaluates a monitor's status from the views of its locations, and since when it has it. Pure. */
import type { Monitor, Status, Timestamp, View, ViewCondition } from "../model.ts";
import { notAfter } from "./clock-skew.ts";
import { agree, freshUntil, quorumSize, usableViews } from "./quorum.ts";

/** How long the views may prove no status before it becomes `unknown`, on top of the thresholds' time. */
const GRACE_SECONDS = 120;
/** Wait for the first tick after a location's return: the interval and this slack, but at most `PROOF_SECONDS`. */
const PROOF_SLACK_SECONDS = 5;
const PROOF_SECONDS = 300;

export interface Standing {
  readonly status: Status;
  readonly since: Timestamp;
  readonly undecidedSince: Timestamp | null;
  /** When to evaluate again even if nothing changes, in epoch milliseconds; null for never. */
  readonly lookAgainAt: number | null;
}

const iso = (ms: number): Timestamp => new Date(ms).toISOString();

/** @param conditions by location: whether the monitor's view from there can be used */
export function evaluateStatus(
  monitor: Monitor,
  conditions: Readonly<Record<string, ViewCondition>>,
  now: Date,
): Standing {
  const settled = { undecidedSince: null, lookAgainAt: null };
  if (monitor.deletedAt) return { ...settled, status: monitor.status, since: monitor.since };
  // The pause's own moment, at which its incident ends too.
  if (monitor.paused)
    return {
      ...settled,
      status: "paused",
      since: monitor.status === "paused" ? monitor.since : notAfter(monitor.target.changedAt, now),
    };

  const views = usableViews(monitor, conditions, now);
  const q = quorumSize(monitor);
  const agreed = agree(
    monitor.locations.length,
    q,
    views.map(({ health }) => health),
  );
  const turnAt = nextTurn(monitor, conditions, views, now);
  if (agreed) {
    const since = monitor.status === agreed ? monitor.since : agreedSince(agreed, q, views, monitor, now);
    return { status: agreed, since, undecidedSince: null, lookAgainAt: turnAt };
  }
  return undecided(monitor, turnAt, now);
}

/**
 * When the set of usable views may change without a write: a tick confirms the view of a location that has returned, or
 * the view of a silent location gets too old. Epoch milliseconds, or null.
 */
function nextTurn(
  { locations, views: all, intervalSeconds }: Monitor,
  conditions: Readonly<Record<string, ViewCondition>>,
  usable: readonly View[],
  now: Date,
): number | null {
  const turns = locations.flatMap((name) => {
    const view = all[name];
    if (conditions[name] === "unproven")
      return [now.getTime() + Math.min(intervalSeconds + PROOF_SLACK_SECONDS, PROOF_SECONDS) * 1000];
    return conditions[name] === "silent" && view && usable.includes(view) ? [freshUntil(view) + 1] : [];
  });
  return turns.length > 0 ? Math.min(...turns) : null;
}

/** The views prove no status: the last one stays for a grace period, then becomes `unknown`. */
function undecided(monitor: Monitor, turnAt: number | null, now: Date): Standing {
  const isFresh = monitor.status === "paused";
  const status = isFresh ? "pending" : monitor.status;
  const since = isFresh ? iso(now.getTime()) : monitor.since;
  if (status === "unknown") return { status, since, undecidedSince: monitor.undecidedSince, lookAgainAt: turnAt };
  const undecidedSince = notAfter(monitor.undecidedSince ?? iso(now.getTime()), now);
  const thresholds = Math.max(monitor.failureThreshold, monitor.recoveryThreshold);
  const until = Date.parse(undecidedSince) + (GRACE_SECONDS + thresholds * monitor.intervalSeconds) * 1000;
  if (until <= now.getTime())
    return { status: "unknown", since: iso(now.getTime()), undecidedSince, lookAgainAt: turnAt };
  return { status, since, undecidedSince, lookAgainAt: Math.min(until, turnAt ?? until) };
}

/**
 * Since when the quorum has agreed: when the last view that it needed changed. For `up` that is the latest of the
 * views, for `down` and `degraded` the q-th oldest. Never in the future.
 */
function agreedSince(
  status: "up" | "degraded" | "down",
  q: number,
  views: readonly View[],
  monitor: Monitor,
  now: Date,
): Timestamp {
  const counts = ({ health }: View) =>
    status === "up" ? health === "up" : status === "down" ? health === "down" : health !== "up";
  const moments = views
    .filter(counts)
    .map(({ since }) => since)
    .toSorted();
  const moment = notAfter((status === "up" ? moments.at(-1) : moments[q - 1]) ?? iso(now.getTime()), now);
  // A status is never older than the settings; and an old view that became usable again does not tell since when.
  if (monitor.status === "pending")
    return moment < monitor.settingsChangedAt ? notAfter(monitor.settingsChangedAt, now) : moment;
  return moment <= monitor.since ? iso(now.getTime()) : moment;
}
