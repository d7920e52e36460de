/** Where a monitor stands: what the views of its locations come to, and since when. Pure. */
import type { Monitor, Status, Timestamp, View, ViewCondition } from "../model.ts";
import { notAfter } from "./believe.ts";
import { agree, freshUntil, quorumSize, usableViews } from "./quorum.ts";

/** How long the quorum may be without an answer before the status becomes `unknown`, on top of the thresholds' time. */
const GRACE_SECONDS = 120;
/** After a location's return its next tick may be so late, on top of the interval; slow lanes are asked more often. */
const PROOF_SLACK_SECONDS = 5;
const PROOF_SECONDS = 300;

export interface Standing {
  readonly status: Status;
  readonly since: Timestamp;
  readonly undecidedSince: Timestamp | null;
  /** Epoch milliseconds at which to look again without anything having changed; null for never. */
  readonly lookAgainAt: number | null;
}

const iso = (ms: number): Timestamp => new Date(ms).toISOString();

/** @param conditions of the monitor's locations, as far as its own view of each can be used */
export function stand(monitor: Monitor, conditions: Readonly<Record<string, ViewCondition>>, now: Date): Standing {
  const settled = { undecidedSince: null, lookAgainAt: null };
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
  const turnAt = nextTurn(monitor, conditions, views, now);
  if (agreed) {
    const since = monitor.status === agreed ? monitor.since : agreedSince(agreed, q, views, monitor, now);
    return { status: agreed, since, undecidedSince: null, lookAgainAt: turnAt };
  }
  return undecided(monitor, turnAt, now);
}

/**
 * When other views may count although nothing is written: one is proved by a tick, or has been a sign of life of a silent
 * location for too long. Epoch milliseconds, or null.
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

/** Nobody can tell. What was known stays for a while, then it would be a claim without evidence. */
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
 * When the agreement came about: the moment the last view that was needed for it joined. For `up` that is the latest
 * of the views; for `down` and `degraded` the q-th. Never in the future.
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
  // Nothing began before it was asked for; and an old view that has just become usable again tells nothing about when.
  if (monitor.status === "pending")
    return moment < monitor.settingsChangedAt ? notAfter(monitor.settingsChangedAt, now) : moment;
  return moment <= monitor.since ? iso(now.getTime()) : moment;
}
