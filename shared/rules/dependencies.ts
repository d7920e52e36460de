/**
 * Dependencies between monitors: trouble with a monitor (the child) is held back while what it depends on (its parents) is down,
 * because people then know why. Pure: the parents are an argument, as they were read right before.
 *
 * A child waits until its parents' own alerts would have come, and longer only while all of them are down and people know it: the
 * alert was made, or a parent is held back itself, by maintenance or by its own parents. After that the child gets the time to be
 * checked again. A paused or deleted parent counts as none, and so do all parents of a monitor that depends on itself.
 */
import type { Alert, AlertEvent, HeldBy, Monitor, PendingAlert, Timestamp } from "../model.ts";
import { isBelievable, notAfter } from "./clock-skew.ts";

/** A held child looks again by itself after this: the touch by its parent's recovery may be lost. */
const LOOK_AGAIN_SECONDS = 300;

/** A monitor with the times that follow from its settings (`shared/monitor/timing.ts`). */
export interface Dependent {
  readonly monitor: Monitor;
  /** From the failure of its port until its own alert has come: so long its children wait. */
  readonly holdSeconds: number;
  /** From the return of its port until it is seen to be up. */
  readonly recheckSeconds: number;
}

/** What a decision about a child knows of its dependencies. */
export interface Dependencies {
  readonly child: Dependent;
  /** Its parents, their parents and so on, by id; those that do not exist are absent. */
  readonly ancestors: ReadonlyMap<string, Dependent>;
}

/** Why alerts about a monitor are held back. */
export interface Hold {
  /** Ancestors that are down, or were until a moment ago; none as long as it is not known whether any is. */
  readonly heldBy: readonly HeldBy[];
  /** When to look again, in epoch milliseconds. */
  readonly lookAgainAt: number;
}

interface Surroundings {
  readonly ancestors: Dependencies["ancestors"];
  readonly isInMaintenance: (monitor: Monitor) => boolean;
  readonly now: Date;
}

/** Whether a monitor depends on itself, which two changes at the same time can bring about. */
function isInCycle(id: string, ancestors: Dependencies["ancestors"], from: readonly string[]): boolean {
  const [seen, open] = [new Set<string>(), [...from]];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one === id) return true;
    if (seen.has(one)) continue;
    seen.add(one);
    open.push(...(ancestors.get(one)?.monitor.dependsOn ?? []));
  }
  return false;
}

/** Whether a parent that is down explains its children's trouble, and which of its ancestors are down too; null if it does not. */
function explanation({ monitor, ...times }: Dependent, around: Surroundings): Hold | null {
  const { status, since, incident } = monitor;
  if (status !== "down" || !incident) return null;
  const own: HeldBy = { monitorId: monitor.id, startedAt: incident.startedAt };
  if (incident.announced === "down" || around.isInMaintenance(monitor))
    return { heldBy: [own], lookAgainAt: around.now.getTime() + LOOK_AGAIN_SECONDS * 1000 };
  const above = holdOf({ monitor, ...times }, { since, heldBy: incident.heldBy ?? [] }, around);
  return above && { heldBy: [own, ...above.heldBy], lookAgainAt: above.lookAgainAt };
}

/**
 * Whether alerts about a monitor are held back because of its parents; null if not.
 * @param trouble since when it has its status, and by whom it was held back until now
 */
export function holdOf(
  { monitor: { id, dependsOn }, recheckSeconds }: Dependent,
  trouble: { readonly since: Timestamp; readonly heldBy: readonly HeldBy[] },
  around: Surroundings,
): Hold | null {
  const { ancestors, now } = around;
  const parents = dependsOn
    .flatMap((one) => ancestors.get(one) ?? [])
    .filter(({ monitor: { paused, deletedAt } }) => !paused && !deletedAt);
  if (parents.length === 0 || isInCycle(id, ancestors, dependsOn)) return null;
  const explanations = parents.map((parent) => explanation(parent, around));
  if (explanations.every((one) => one !== null)) {
    const heldBy = new Map(explanations.flatMap((one) => one.heldBy).map((one) => [one.monitorId, one]));
    return { heldBy: [...heldBy.values()], lookAgainAt: Math.min(...explanations.map((one) => one.lookAgainAt)) };
  }
  // A moment of a wrong clock does not tell how much of the time has passed, so nothing is left of it.
  const after = (moment: Timestamp, seconds: number) =>
    isBelievable(moment, now) ? Date.parse(notAfter(moment, now)) + seconds * 1000 : now.getTime();
  const alerted = parents.map(({ holdSeconds }) => after(trouble.since, holdSeconds));
  const checkedAgain = parents
    .filter(({ monitor }) => trouble.heldBy.some(({ monitorId }) => monitorId === monitor.id))
    .flatMap(({ monitor }) => (monitor.status === "down" ? [] : [after(monitor.since, recheckSeconds)]));
  const until = Math.max(...alerted, ...checkedAgain);
  return until > now.getTime() ? { heldBy: trouble.heldBy, lookAgainAt: until } : null;
}

/** Alerts that name the children which an incident held back. */
const NAMING: ReadonlySet<string> = new Set(["reminder", "recovered"] satisfies AlertEvent[]);
/** Names of children in one alert, and characters of one; the alert waits in the monitor's item. */
export const MOST_HELD_NAMES = 20;
const MAX_NAME = 60;

type Outbox = Monitor["pendingAlerts"];

/** The first alert of a decision that names held children, if any does. @param before the outbox before the decision */
export const alertNamingHeld = (before: Outbox, after: Outbox): Alert | undefined =>
  Object.entries(after)
    .filter(([key]) => !before[key])
    .flatMap(([, { content }]) =>
      content.kind === "alert" && NAMING.has(content.alert.event) ? [content.alert] : [],
    )[0];

/** The outbox with held children in the new alerts that name them. @param names of the first ones */
export const withHeld = (before: Outbox, after: Outbox, count: number, names: readonly string[]): Outbox => {
  const held = { count, names: names.slice(0, MOST_HELD_NAMES).map((name) => name.slice(0, MAX_NAME)) };
  const named = (entry: PendingAlert): PendingAlert =>
    entry.content.kind === "alert" && NAMING.has(entry.content.alert.event)
      ? { ...entry, content: { ...entry.content, alert: { ...entry.content.alert, held } } }
      : entry;
  return Object.fromEntries(Object.entries(after).map(([key, entry]) => [key, before[key] ? entry : named(entry)]));
};
