/**
 * Compares what a service says of itself with what was accepted, the baseline: a value that is not in it is a change, which
 * people hear of once and either accept, or see revert. Pure.
 *
 * The first checks of each location make the baseline. All locations share one: what is right at one place is right at
 * another, and a change that several of them see is one change. Where servers differ, a key has several values.
 */
import { createHash } from "node:crypto";
import type { Alert, AlertEvent, Incident, Monitor, Status, Target, Timestamp, ViewCondition } from "../model.ts";
import type { Receiver } from "../receiver.ts";
import { accepting, fitted, learn, pinnedBy, type Values, watchedBy, withPins } from "./baseline.ts";
import { tellBaseline, toBeTold } from "./baseline-told.ts";
import { describeChange } from "./change-words.ts";
import { notAfter } from "./clock-skew.ts";
import { significanceOf } from "./fact-significance.ts";
import { presentValues } from "./facts.ts";
import { type AlertContext, addAlert, beginIncident, type IncidentChange, isNotUp } from "./incident.ts";
import { advisoryHeldUntil, advisoryReceivers } from "./minority.ts";
import type { NewEntry } from "./outbox.ts";
import type { Standing } from "./standing.ts";

/** Somebody says that a value is right. */
export interface Acceptance {
  readonly at: Timestamp;
  /** Name of the token. */
  readonly by: string;
  readonly note: string | null;
}

/** A value that is not in the baseline. */
export interface OpenChange {
  readonly key: string;
  readonly value: string;
  /** What was expected; empty if nothing was known of the key. */
  readonly from: readonly string[];
  /** When it was decided that it is a change. */
  readonly since: Timestamp;
  readonly locations: readonly string[];
  readonly isTold: boolean;
  /** Set by the API; the next decision takes the value into the baseline. */
  readonly accepted?: Acceptance;
}

/** What is known of a monitor's service. */
export interface Baseline {
  /** What it is about. Another one begins anew. */
  readonly target: Target;
  /** Locations whose first checks are in it. */
  readonly learned: readonly string[];
  /** Accepted values by key. An empty list: the key has more values than there is room for, and is not watched. */
  readonly values: Values;
  /** Hash of the values that the settings expected when they were taken into `values`; absent where they expect none. */
  readonly pinned?: string;
  /** Open changes by id. */
  readonly changes: Readonly<Record<string, OpenChange>>;
  /** Changes beyond those that have room. */
  readonly further: number;
  /** What people were told of: like an incident, without an item of its own. Null: no open change was told. */
  readonly advisory: Incident | null;
  /** Hash of the ports that are watched; absent where none are, and in baselines of earlier versions. Others begin it anew. */
  readonly watched?: string;
  /** By location: what its first sweep found, where people are still to hear of that; absent where they are not. */
  readonly untold?: Readonly<Record<string, string>>;
  /** Set by the API; the next decision learns the baseline anew. */
  readonly isForgotten?: boolean;
}

/** How a change ended; `recorded`: it was expected from the beginning, like an update. */
export type ChangeState = "open" | "accepted" | "reverted" | "recorded" | "closed";

/** A change, as its own item has it. */
export interface RecordedChange extends Pick<OpenChange, "key" | "value" | "from" | "since" | "locations"> {
  readonly id: string;
  readonly state: ChangeState;
  readonly endedAt: Timestamp | null;
  readonly accepted: Acceptance | null;
}

/** Open changes that the item has room for. */
const MOST_CHANGES = 20;

/** `<monitor id>.<hash>`: the same from every location, so that three of them make one change. */
const changeIdOf = (monitorId: string, key: string, value: string): string =>
  `${monitorId}.${createHash("sha256").update(`${key}\n${value}`).digest("hex").slice(0, 12)}`;

type Conditions = Readonly<Record<string, ViewCondition>>;

/** By key and value: the locations that see it now. */
type Present = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

function presentOf({ locations, views }: Monitor, isCounted: (location: string) => boolean): Present {
  const present = new Map<string, Map<string, string[]>>();
  for (const location of locations) {
    const facts = isCounted(location) ? views[location]?.facts : null;
    for (const [key, values] of facts ? presentValues(facts) : [])
      for (const value of values) {
        const byValue = present.get(key) ?? new Map<string, string[]>();
        byValue.set(value, [...(byValue.get(value) ?? []), location]);
        present.set(key, byValue);
      }
  }
  return present;
}

const recordOf = (
  id: string,
  { key, value, from, since, locations, accepted = undefined }: OpenChange,
  state: ChangeState,
  endedAt: Timestamp | null,
): NewEntry => ({
  // With its beginning: a value may come back while the record of its last end still waits.
  key: `change#${id}#${since}#${state}`,
  content: {
    kind: "change",
    change: { id, key, value, from, since, locations, state, endedAt, accepted: accepted ?? null },
  },
  receivers: ["change"],
});

/** What an alert needs beside its monitor. */
interface Telling {
  readonly status: Status;
  readonly context: AlertContext;
  readonly now: Date;
}

interface ChangesAfter {
  readonly baseline: Baseline | null;
  readonly news: readonly NewEntry[];
  /** When held alerts become due if nothing changes, in epoch milliseconds; null for never. */
  readonly lookAgainAt: number | null;
}

const sameTarget = (a: Target, b: Target) => a.protocol === b.protocol && a.host === b.host && a.port === b.port;

/** Whether no location sees the value any more, and all that saw it see another one: one without a view says nothing. */
function isReverted(monitor: Monitor, { key, value, locations }: OpenChange, possible: Present): boolean {
  const values = possible.get(key);
  if (!values || values.has(value)) return false;
  const seeing = new Set([...values.values()].flat());
  return locations.every((location) => seeing.has(location) || !monitor.locations.includes(location));
}

/** Whether the next decision may tell of a change: one is untold, or a location sees a value that is not known yet. */
export function mayTellChange(monitor: Monitor): boolean {
  const { baseline } = monitor;
  // The first sweep makes the baseline and tells it.
  if (!baseline || baseline.isForgotten || baseline.watched !== watchedBy(monitor)) return monitor.port === 0;
  const open = Object.values(baseline.changes);
  if (baseline.untold || open.some(({ isTold }) => !isTold)) return true;
  const isKnown = (key: string, value: string) =>
    baseline.values[key]?.includes(value) || open.some((one) => one.key === key && one.value === value);
  const present = presentOf(monitor, () => true);
  return [...present].some(([key, byValue]) => [...byValue.keys()].some((value) => !isKnown(key, value)));
}

/** Opens, ends and records changes, without telling anybody. */
function compare(
  monitor: Monitor,
  before: Baseline,
  conditions: Conditions,
  now: Date,
): {
  readonly after: Baseline;
  readonly ended: readonly (readonly [OpenChange, ChangeState])[];
  readonly news: readonly NewEntry[];
} {
  const at = now.toISOString();
  const { rules } = monitor.changeWatch;
  const pins = pinnedBy(monitor.changeWatch);
  const learned = withPins(learn(monitor, before, pins), pins);
  const isProven = (location: string) => learned.learned.includes(location);
  const proven = presentOf(monitor, (location) => isProven(location) && conditions[location] === "working");
  // What a location saw before it fell silent may still be there.
  const possible = presentOf(monitor, isProven);
  const values: Record<string, readonly string[]> = { ...learned.values };
  const accept = (key: string, value: string) =>
    accepting(key, values[key] ?? [], value, pins, (one) => possible.get(key)?.has(one) ?? false);
  const changes: Record<string, OpenChange> = {};
  const ended: (readonly [OpenChange, ChangeState])[] = [];
  const news: NewEntry[] = [];
  for (const [id, change] of Object.entries(before.changes)) {
    const { key, value, accepted } = change;
    const isExpected = values[key]?.includes(value) ?? false;
    if (!accepted && !isExpected && !isReverted(monitor, change, possible)) changes[id] = change;
    else {
      const state = accepted || isExpected ? "accepted" : "reverted";
      if (!isExpected && accepted) values[key] = accept(key, value);
      ended.push([change, state]);
      news.push(recordOf(id, change, state, accepted?.at ?? at));
    }
  }
  let further = 0;
  for (const [key, byValue] of proven)
    for (const [value, locations] of byValue) {
      const from = values[key] ?? [];
      if (from.includes(value) || (values[key] && from.length === 0)) continue;
      const id = changeIdOf(monitor.id, key, value);
      if (changes[id]) continue;
      const rule = significanceOf(key, from, value, rules, pins[key] !== undefined);
      if (rule !== "alert") values[key] = accept(key, value);
      const change = { key, value, from, since: at, locations, isTold: false };
      if (rule === "record") news.push(recordOf(id, change, "recorded", at));
      if (rule !== "alert") continue;
      if (Object.keys(changes).length >= MOST_CHANGES) further++;
      else {
        changes[id] = change;
        news.push(recordOf(id, change, "open", null));
      }
    }
  return { after: { ...learned, values: fitted(values, pins), changes, further }, ended, news };
}

/** What an alert says of changes, as programs read it. */
const alertChanges = (changes: Readonly<Record<string, OpenChange>>): NonNullable<Alert["changes"]> =>
  Object.entries(changes).map(([changeId, { key, from, value }]) => ({ changeId, key, from, to: value }));

/**
 * Keeps the baseline up to date, and makes the alerts about changes. A monitor that is not up, that flaps or is in maintenance
 * tells them afterwards, if they are still there; so does one whose parents are all down.
 * @param isHeldBack whether nothing may be told now
 */
export function followChanges(
  monitor: Monitor,
  { status, undecidedSince }: Standing,
  isHeldBack: boolean,
  context: AlertContext & { readonly conditions: Conditions },
  now: Date,
): ChangesAfter {
  const { protocol, host, port } = monitor;
  const target: Target = { protocol, host, port };
  const stored = monitor.baseline;
  const isOff = monitor.changeWatch.mode === "off" || monitor.deletedAt !== null;
  const isOther = stored !== null && !sameTarget(stored.target, target);
  const watched = watchedBy(monitor);
  const isElsewhere = stored?.watched !== undefined && stored.watched !== watched;
  const isOver = isOff || isOther || isElsewhere || stored?.isForgotten;
  const watch = watched === undefined ? {} : { watched };
  const kept = isOver || !stored ? null : { ...stored, ...watch };
  const why = whyOver(monitor, { isOff, isOther, isElsewhere });
  const closed = stored && isOver ? close(monitor, stored, why, status, context, now) : [];
  if (isOff) return { baseline: null, news: closed, lookAgainAt: null };
  // The next baseline is made of what the service says now: this decision may come after the first checks of another target.
  const empty: Baseline = { target, ...watch, learned: [], values: {}, changes: {}, further: 0, advisory: null };
  const before = kept ?? empty;
  const { after, ended, news } = compare(monitor, before, context.conditions, now);
  if (after.learned.length === 0) return { baseline: kept, news: closed, lookAgainAt: null };
  const learned = toBeTold(monitor, before, after);
  const when = { status, isHeldBack: isHeldBack || undecidedSince !== null };
  const first = tellBaseline(monitor, learned, when, context, now);
  const told = tellChanges(monitor, first.baseline, ended, when, context, now);
  const timers = [first.lookAgainAt, told.lookAgainAt].filter((one) => one !== null);
  return {
    ...told,
    news: [...closed, ...news, ...first.news, ...told.news],
    lookAgainAt: timers.length > 0 ? Math.min(...timers) : null,
  };
}

function whyOver(
  { deletedAt }: Monitor,
  { isOff, isOther, isElsewhere }: { readonly [name in "isOff" | "isOther" | "isElsewhere"]: boolean },
): string {
  if (deletedAt) return "the monitor was deleted";
  if (isOff) return "changes are no longer watched";
  if (isOther) return "another target is checked now";
  return isElsewhere ? "other ports are watched now" : "what is expected is learned anew";
}

/** Ends what is open, because it is no longer compared with this baseline. */
function close(
  monitor: Monitor,
  { changes, advisory }: Baseline,
  why: string,
  status: Status,
  context: AlertContext,
  now: Date,
): readonly NewEntry[] {
  const at = now.toISOString();
  const news = Object.entries(changes).map(([id, change]) => recordOf(id, change, "closed", at));
  if (!advisory) return news;
  const known = Object.fromEntries(Object.entries(changes).filter(([, { isTold }]) => isTold));
  const told = say(monitor, { ...advisory, endedAt: at }, "closed", known, why, { status, context, now });
  return [...news, ...told.news];
}

/** One alert about changes, to those who know of the advisory. */
function say(
  monitor: Monitor,
  advisory: Incident,
  event: AlertEvent,
  about: Readonly<Record<string, OpenChange>>,
  message: string,
  { status, context, now }: Telling,
): IncidentChange {
  const receivers = Object.keys(advisory.told) as Receiver[];
  const severity = event === "changed" ? monitor.changeWatch.severity : "info";
  const due = { event, level: null, receivers, about: { message, severity, changes: alertChanges(about) } };
  return addAlert(monitor, advisory, due, status, context, now);
}

const endMessage = (ended: readonly (readonly [OpenChange, ChangeState])[], left: number): string => {
  const words = ended.map(([change, state]) => {
    const { accepted } = change;
    const who = accepted
      ? `${accepted.by} accepted it${accepted.note ? `: ${accepted.note}` : ""}`
      : "it is expected now";
    return `${describeChange(change)}: ${state === "reverted" ? "it is as before" : who}`;
  });
  return `${words.join("; ")}${left > 0 ? `; ${left} other changes are open` : ""}`;
};

function tellChanges(
  monitor: Monitor,
  baseline: Baseline,
  ended: readonly (readonly [OpenChange, ChangeState])[],
  { status, isHeldBack }: { readonly status: Status; readonly isHeldBack: boolean },
  context: AlertContext,
  now: Date,
): ChangesAfter {
  const news: NewEntry[] = [];
  let { advisory, changes } = baseline;
  const left = Object.values(changes).filter(({ isTold }) => isTold).length;
  for (const state of ["accepted", "reverted"] as const) {
    const own = ended.filter(([change, how]) => how === state && change.isTold);
    if (!advisory || own.length === 0) continue;
    const isLast =
      left === 0 && (state === "reverted" || !ended.some(([change, how]) => how === "reverted" && change.isTold));
    const present: Incident = isLast
      ? { ...advisory, endedAt: notAfter(now.toISOString(), now), endReason: "recovered" }
      : advisory;
    const about = Object.fromEntries(own.map(([change]) => [changeIdOf(monitor.id, change.key, change.value), change]));
    const event = state === "accepted" ? "change-accepted" : "change-reverted";
    const told = say(monitor, present, event, about, endMessage(own, left), { status, context, now });
    news.push(...told.news);
    advisory = isLast ? null : told.incident;
  }
  const untold = Object.entries(changes).filter(([, { isTold }]) => !isTold);
  const quiet = (lookAgainAt: number | null) => ({ baseline: { ...baseline, advisory }, news, lookAgainAt });
  if (untold.length === 0 || isHeldBack || (status !== "up" && status !== "degraded")) return quiet(null);
  const first = untold[0]![1];
  const heldUntil = advisoryHeldUntil(monitor, first.since, context, now);
  if (heldUntil !== null) return quiet(heldUntil);
  const receivers = advisoryReceivers(monitor, context);
  const begun =
    advisory ??
    beginIncident(
      monitor,
      `${monitor.id}.changes.${now.getTime()}`,
      isNotUp(status) ? status : "degraded",
      first.since,
    );
  const at = now.toISOString();
  const known = Object.fromEntries(receivers.map((one) => [one, { event: "degraded", at, reminders: 0 } as const]));
  const present: Incident = { ...begun, reason: null, told: { ...known, ...begun.told } };
  const about = Object.fromEntries(untold);
  const words = untold.map(([, change]) => describeChange(change)).join("; ");
  const told = say(monitor, present, "changed", about, words, { status, context, now });
  changes = Object.fromEntries(Object.entries(changes).map(([id, change]) => [id, { ...change, isTold: true }]));
  return {
    baseline: { ...baseline, changes, advisory: told.incident },
    news: [...news, ...told.news],
    lookAgainAt: null,
  };
}
