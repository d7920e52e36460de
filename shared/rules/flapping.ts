/**
 * Flap detection: recognises a monitor whose status changes so often that people are told so once, and not of each change.
 * Pure. It is Nagios' rule ("Detection and Handling of State Flapping"): the share of the last 20 checks at which the
 * status changed, where a recent change counts more. Status changes stand in for outcomes because they are what alerts
 * are made of: with thresholds and the quorum applied, known to `decide` without a read, and stored in a write that happens
 * anyway.
 */
import type { Incident, Monitor, Status, Timestamp } from "../model.ts";
import { isBelievable } from "./clock-skew.ts";
import type { Standing } from "./standing.ts";

/** What flap detection remembers of a monitor. */
export interface FlapState {
  /** Version of the target (`TargetVersion`) that it is about. */
  readonly targetVersion: number;
  /** When the status changed, within the last 20 checks; oldest first. */
  readonly changes: readonly Timestamp[];
  /** Since when the monitor has been flapping; null while it is not. */
  readonly since: Timestamp | null;
  /** Id of the incident in which people were told so; null while nobody was. */
  readonly toldIn: string | null;
  /** That incident, once it is over: its end is told by `flapping-stopped`. It takes the place in the item of the alerts that are held back. */
  readonly held: Incident | null;
}

/** Checks that count: Nagios' 21 outcomes, which have 20 transitions. */
const CHECKS = 20;
/** Weights of a change at the newest and at the oldest of them. */
const NEWEST_WEIGHT = 1.2;
const OLDEST_WEIGHT = 0.8;

/** Number of the check interval in which a moment lies. */
const slotOf = (ms: number, intervalSeconds: number) => Math.floor(ms / (intervalSeconds * 1000));

const weightOf = (age: number) =>
  age >= CHECKS ? 0 : NEWEST_WEIGHT - ((NEWEST_WEIGHT - OLDEST_WEIGHT) * age) / (CHECKS - 1);

const percentAt = (slots: ReadonlySet<number>, slot: number) =>
  (slots.values().reduce((sum, own) => sum + weightOf(Math.max(0, slot - own)), 0) / CHECKS) * 100;

/** Intervals in which the status changed. Moments from the future (clock skew) are left out. */
const slotsOf = (changes: readonly Timestamp[], intervalSeconds: number, now: Date) =>
  new Set(changes.filter((at) => isBelievable(at, now)).map((at) => slotOf(Date.parse(at), intervalSeconds)));

/** Weighted share of the last 20 checks at which the status changed, from 0 to 100. */
export const flapPercent = (changes: readonly Timestamp[], intervalSeconds: number, now: Date): number =>
  percentAt(slotsOf(changes, intervalSeconds, now), slotOf(now.getTime(), intervalSeconds));

/** When the share falls to the low mark if the status stays as it is, in epoch milliseconds. */
function settlesAt(changes: readonly Timestamp[], intervalSeconds: number, lowPercent: number, now: Date): number {
  const slots = slotsOf(changes, intervalSeconds, now);
  let slot = slotOf(now.getTime(), intervalSeconds);
  while (percentAt(slots, slot) > lowPercent) slot++;
  return slot * intervalSeconds * 1000;
}

/** Statuses between which a monitor flaps; null for those that say nothing about the target. */
const flapStatus = (status: Status, { alerts }: Pick<Monitor, "alerts">) => {
  if (status === "degraded" && !alerts.degraded) return "up";
  return status === "up" || status === "degraded" || status === "down" ? status : null;
};

const UNTOLD = { toldIn: null, held: null } as const;

/**
 * What flap detection knows after the status was evaluated; null where it is off. A monitor begins to flap only while it is
 * not up, so that there is an incident to tell it in; it settles also while it is down.
 */
export function flapStateAfter(
  monitor: Monitor,
  { status, since, undecidedSince }: Standing,
  now: Date,
): { readonly state: FlapState | null; readonly lookAgainAt: number | null } {
  const { flapping: marks, intervalSeconds, target } = monitor;
  if (!marks || monitor.deletedAt) return { state: null, lookAgainAt: null };
  const before = monitor.flapState?.targetVersion === target.version ? monitor.flapState : null;
  const present = flapStatus(status, monitor);
  if (present === null || undecidedSince !== null) return { state: before, lookAgainAt: null };

  const former = flapStatus(monitor.status, monitor);
  const isChange = former !== null && former !== present;
  const known: FlapState = before ?? { targetVersion: target.version, changes: [], since: null, ...UNTOLD };
  const oldest = now.getTime() - CHECKS * intervalSeconds * 1000;
  const changes = isChange
    ? [...known.changes.filter((at) => Date.parse(at) >= oldest), since].slice(-CHECKS)
    : known.changes;
  const percent = flapPercent(changes, intervalSeconds, now);
  const begins = known.since === null && percent >= marks.highPercent && present !== "up";
  const isFlapping = begins || (known.since !== null && percent > marks.lowPercent);
  const state: FlapState = isFlapping
    ? { ...known, changes, since: known.since ?? (isChange ? since : now.toISOString()) }
    : { ...known, changes, since: null, ...UNTOLD };
  const lookAgainAt = isFlapping ? settlesAt(changes, intervalSeconds, marks.lowPercent, now) : null;
  return { state: before === null && changes.length === 0 ? null : state, lookAgainAt };
}
