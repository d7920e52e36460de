/**
 * Minority: trouble that fewer locations see than the quorum asks is no incident, because it may lie between us and the target. Where
 * it lasts, people may be told once that it began and once that it ended. Pure.
 */
import type { Incident, Monitor, Status, Timestamp, ViewCondition } from "../model.ts";
import type { Receiver } from "../receiver.ts";
import { notAfter } from "./clock-skew.ts";
import type { Context } from "./decide.ts";
import { type AlertContext, addAlert, beginIncident, held, isNotUp, plansFor } from "./incident.ts";
import type { NewEntry } from "./outbox.ts";
import type { Standing } from "./standing.ts";

/** The other locations may see the same with the next tick, or seconds later: until then it is no minority. */
const NEXT_TICK_SLACK_SECONDS = 5;

interface MinorityChange {
  readonly minority: Incident | null;
  readonly news: readonly NewEntry[];
  /** When an advisory becomes due if nothing changes, in epoch milliseconds; null for never. */
  readonly lookAgainAt: number | null;
}

const latest = (...moments: readonly Timestamp[]) => moments.toSorted().at(-1)!;

const UNCERTAIN = new Set<ViewCondition | undefined>(["unproven", "doubtful"]);

/**
 * Locations that work and see it down, the first one first. What a silent or offline one saw last proves nothing; nor does an
 * uncertain view, but it ends nothing either.
 */
const whereDown = ({ locations, views }: Monitor, conditions: Context["conditions"], isOpen: boolean) =>
  locations
    .flatMap((name) => {
      const view = views[name];
      const counts = conditions[name] === "working" || (isOpen && UNCERTAIN.has(conditions[name]));
      return counts && view?.health === "down" ? [{ name, view }] : [];
    })
    .toSorted((a, b) => a.view.since.localeCompare(b.view.since));

/**
 * Begins, keeps or ends the advisory about a minority, and makes its alerts. It ends with the last location that is down, and
 * with an incident, which tells of the same trouble. Views that prove no status leave it as it is.
 * @param isHeldBack whether no advisory may begin now: the monitor flaps
 */
export function followMinority(
  monitor: Monitor,
  { status, since, undecidedSince }: Standing,
  isHeldBack: boolean,
  context: Context,
  now: Date,
): MinorityChange {
  const present = monitor.minority;
  const after = monitor.alerts.minorityAfterSeconds;
  const isOver = after === null || Boolean(monitor.deletedAt) || present?.targetVersion !== monitor.target.version;
  const isUndecided = undecidedSince !== null || status === "pending" || status === "unknown";
  if (isUndecided && !(present && isOver)) return { minority: present, news: [], lookAgainAt: null };

  const down = status === "up" ? whereDown(monitor, context.conditions, present !== null) : [];
  if (present) {
    if (!isOver && down.length > 0) return { minority: present, news: [], lookAgainAt: null };
    return {
      minority: null,
      news: tellEnd(monitor, present, status, down.length === 0, context, now),
      lookAgainAt: null,
    };
  }
  const first = down[0]?.view;
  if (after === null || monitor.deletedAt || isHeldBack) return { minority: null, news: [], lookAgainAt: null };
  if (!first) {
    const isDoubtful = monitor.locations.some((name) => context.conditions[name] === "doubtful");
    return {
      minority: null,
      news: [],
      lookAgainAt: isDoubtful ? now.getTime() + monitor.intervalSeconds * 1000 : null,
    };
  }
  // After a recovery it begins there: until then it was part of the incident.
  const startedAt = notAfter(latest(first.since, since), now);
  const dueAt = Date.parse(startedAt) + Math.max(after, monitor.intervalSeconds + NEXT_TICK_SLACK_SECONDS) * 1000;
  if (dueAt > now.getTime()) return { minority: null, news: [], lookAgainAt: dueAt };
  const lookAgainAt = advisoryHeldUntil(monitor, startedAt, context, now);
  if (lookAgainAt !== null) return { minority: null, news: [], lookAgainAt };
  const receivers = advisoryReceivers(monitor, context);
  if (receivers.length === 0) return { minority: null, news: [], lookAgainAt: null };
  const begun = {
    // Not by its start, which another advisory may have had that ended because alerts of it were turned off.
    ...beginIncident(monitor, `${monitor.id}.minority.${now.getTime()}`, "down", startedAt),
    message: `only ${down.map(({ name }) => name).join(", ")} of ${monitor.locations.length} locations: ${first.message}`,
  };
  const told = addAlert(monitor, begun, { event: "minority", level: null, receivers }, status, context, now);
  const at = now.toISOString();
  const who = Object.fromEntries(receivers.map((receiver) => [receiver, { event: "down", at, reminders: 0 } as const]));
  return { minority: { ...told.incident, told: who }, news: told.news, lookAgainAt: null };
}

/** Who hears of what is no outage: the first step of each policy that takes `warning`. */
export const advisoryReceivers = (monitor: Monitor, context: AlertContext): readonly Receiver[] => {
  const plans = plansFor(monitor, context).filter(({ takesAdvisories }) => takesAdvisories);
  return [...new Set(plans.flatMap(({ steps }) => steps[0]?.receivers ?? []))];
};

/** The alert that an advisory is over, for those who were told of it. */
function tellEnd(
  monitor: Monitor,
  present: Incident,
  status: Status,
  isNowhere: boolean,
  context: Context,
  now: Date,
): readonly NewEntry[] {
  const isRecovered = status === "up" && isNowhere;
  const ended: Incident = {
    ...present,
    endedAt: latest(present.startedAt, endOf(monitor, present, now)),
    endReason: isRecovered ? "recovered" : null,
    reason: null,
    message: whyEnded(monitor, status, isRecovered),
  };
  const receivers = Object.keys(present.told) as Receiver[];
  return addAlert(monitor, ended, { event: "minority-ended", level: null, receivers }, status, context, now).news;
}

/**
 * Until when no advisory about a monitor that is not down may begin, in epoch milliseconds: maintenance, or what the monitor depends on;
 * null if it may.
 */
export function advisoryHeldUntil(
  monitor: Monitor,
  startedAt: Timestamp,
  context: AlertContext,
  now: Date,
): number | null {
  const maintainedUntil = context.maintenanceUntil?.(monitor, now) ?? null;
  if (maintainedUntil !== null) return maintainedUntil;
  // Nothing is stored of who held an advisory back, so any parent that has just recovered counts.
  const parents = monitor.dependsOn.map((monitorId) => ({ monitorId, startedAt }));
  const hold = held(monitor, { since: startedAt, heldBy: parents }, context, now);
  return hold?.lookAgainAt ?? null;
}

function whyEnded({ paused, deletedAt, alerts }: Monitor, status: Status, isRecovered: boolean): string {
  if (isRecovered) return "no location sees it down any more";
  if (deletedAt || paused) return `the monitor was ${deletedAt ? "deleted" : "paused"}`;
  if (isNotUp(status)) return "enough locations see it now: it is an incident";
  return alerts.minorityAfterSeconds === null ? "alerts of it were turned off" : "the monitor was changed";
}

/** When the last of the locations that saw it down turned, as far as that is known. */
function endOf({ views }: Monitor, { locations }: Incident, now: Date): Timestamp {
  const turned = Object.entries(locations)
    .filter(([name, { health }]) => health === "down" && views[name])
    .map(([name]) => views[name]!.since);
  return turned.length > 0 ? notAfter(latest(...turned), now) : now.toISOString();
}
