/**
 * Changes as ARCHITECTURE.md promises them: a value of a fact that is not expected is told once, whatever the number of locations, never
 * while the monitor is down, held back or in maintenance, and never because of a location that does not work; whoever was told hears
 * of its end once.
 */
import type { Told } from "../journal.ts";
import { type Case, s1 } from "./case.ts";
import { heldOf } from "./dependencies.ts";
import type { Epoch } from "./epochs.ts";
import { mayFlap } from "./flapping.ts";
import { keyOf, Sayings } from "./sayings.ts";
import type { Window } from "./script.ts";
import { byNumber, isAboutChange, type Tellings } from "./tellings.ts";

/** A change is decided, and a timer rings, within this where nothing is amiss. */
export const DECIDED_SECONDS = 30;
/** After faults everything comes right within this, on top of the bound, and after pauses that double up to the second. */
const HEALING_SECONDS = 300;
const LONGEST_BACKOFF_SECONDS = 900;
/** A location that is cut off is known to be silent within this. */
const SILENT_SECONDS = 300;
/** A monitor is new for so long. */
const NEW_SECONDS = 180;
/** Checks that see a value until it counts, and that do not until it is gone. */
const SEEN = 2;
const GONE = 3;
/** What was decided at one moment may rest on what was read right before. */
const AT_ONCE_SECONDS = 2;
/** How long before the end of a run a change may still have no item of its own. */
const PROJECTED_SECONDS = 400;

/** A value that people know of, from the alert that told it to the one that told its end. */
export interface Known {
  readonly id: string;
  readonly key: string;
  readonly value: string;
  readonly from: number;
  to: number;
}

export function judgeChanges(run: Case, all: Tellings): void {
  const sayings = new Sayings(run.scenario);
  const madeAt = ({ alertId, at }: Told) => run.journal.made.get(alertId) ?? at;
  const told = all.firsts.filter((one) => one.receiver === "sns" && isAboutChange(one));
  const byMonitor = Map.groupBy(told, ({ monitorId }) => monitorId);
  for (const id of new Set(run.epochs.map((epoch) => epoch.id))) {
    const own = (byMonitor.get(id) ?? []).toSorted((a, b) => madeAt(a) - madeAt(b) || byNumber(a, b));
    const known = judgeOrder(run, id, own, madeAt);
    for (const one of own) if (one.event === "changed") judgeTelling(run, all, one, madeAt(one));
    for (const epoch of run.epochs)
      if (epoch.id === id && !epoch.paused) judgeEpoch(run, all, epoch, { known, sayings });
    judgeItems(run, id, known);
  }
}

/** Each change is told once, and its end once. */
export function judgeOrder(run: Case, id: string, told: readonly Told[], madeAt: (one: Told) => number): Known[] {
  const known: Known[] = [];
  const open = new Map<string, Known>();
  for (const one of told) {
    const at = madeAt(one);
    for (const { changeId, key, to: value } of one.changes ?? []) {
      const before = open.get(changeId);
      if (one.event === "changed") {
        if (before) run.say("change-twice", id, at, `${one.alertId} tells ${key} ${value} again`);
        const next = { id: changeId, key, value, from: at, to: Number.POSITIVE_INFINITY };
        open.set(changeId, next);
        known.push(next);
      } else {
        if (!before)
          run.say("change-end-of-nothing", id, at, `${one.alertId} (${one.event}) tells the end of ${key} ${value}`);
        else before.to = at;
        open.delete(changeId);
      }
    }
  }
  return known;
}

export const maintenanceOf = ({ scenario, journal }: Case, id: string): Window[] =>
  journal.answers
    .filter(({ action, status, id: own }) => action === "maintain" && status === 201 && own === id)
    .flatMap(({ at, key }) => {
      const edit = scenario.edits.findLast((one) => one.action === "maintain" && one.key === key && one.at <= at);
      return edit ? [{ from: at, to: at + (edit.seconds ?? 0) }] : [];
    });

const slackOf = ({ scenario }: Case) => AT_ONCE_SECONDS + (2 * scenario.skewMs) / 1000;

/** Whether a location was not known to be silent. */
export const isWorkingAt = (run: Case, location: string, at: number) =>
  !run.scenario.cuts.some(
    (cut) =>
      cut.location === location && cut.how === "all" && cut.from + SILENT_SECONDS < at && at < cut.to - slackOf(run),
  );

/** It was told when it could be. @param epochs of its monitor */
export function judgeWhen(run: Case, all: Tellings, one: Told, at: number, epochs: readonly Epoch[]): void {
  const { journal, say } = run;
  const { monitorId: id, alertId } = one;
  const slack = slackOf(run);
  const status = journal.statuses.findLast((write) => write.id === id && write.at <= at)?.status;
  if (status !== "up" && status !== "degraded") say("change-while-down", id, at, `${alertId} while it is ${status}`);
  const own = epochs.filter((epoch) => epoch.from <= at && at <= epoch.to + slack);
  const isWithin = ({ from, to }: Window) => from + slack < at && at < to - slack;
  if (own.every((epoch) => heldOf(run, all, epoch).periods.some(isWithin)))
    say("change-held", id, at, `${alertId} while all that it depends on is known to be down`);
  if (maintenanceOf(run, id).some(isWithin)) say("change-in-maintenance", id, at, alertId);
}

/** It was told because of what checks of a location that works saw. */
function judgeTelling(run: Case, all: Tellings, one: Told, at: number) {
  const { epochs, say } = run;
  const { monitorId: id, alertId } = one;
  const slack = slackOf(run);
  const own = epochs.filter((epoch) => epoch.id === id && epoch.from <= at && at <= epoch.to + slack);
  judgeWhen(run, all, one, at, own);
  for (const { key, to: value } of one.changes ?? []) {
    const wasSeen = own.some(({ settings }) =>
      settings.locations.some((location) => {
        const seen = run
          .outcomesOf(id)
          .filter(
            (outcome) =>
              outcome.location === location &&
              outcome.host === settings.host &&
              outcome.at <= at + slack &&
              (outcome.facts?.[key] ?? "") === value &&
              outcome.facts !== undefined &&
              !(run.blockOf(id, location, outcome.tick)?.offline ?? false),
          );
        return seen.length >= SEEN && isWorkingAt(run, location, at);
      }),
    );
    if (!wasSeen)
      say("false-change", id, at, `${alertId} tells ${key} ${value}, which no two checks of a working location saw`);
  }
}

/** How long after faults things may take longer. */
export const healingOf = ({ roughSeconds }: { readonly roughSeconds: number }) =>
  roughSeconds > 0 ? HEALING_SECONDS + Math.min(LONGEST_BACKOFF_SECONDS, roughSeconds) : 0;

/** When a host says something in one way, and what decides how soon people hear of it. */
interface Said {
  readonly known: readonly Known[];
  readonly sayings: Sayings;
}

function judgeEpoch(run: Case, all: Tellings, epoch: Epoch, { known, sayings }: Said) {
  const { settings, id } = epoch;
  const says = sayings.of(settings.host);
  if (says.length === 0) return;
  const held = heldOf(run, all, epoch);
  const edges = [...new Set(says.flatMap(({ from, to }) => [from, to]))]
    .filter((at) => at > epoch.from && at < epoch.to)
    .toSorted((a, b) => a - b);
  const borders = [Math.max(0, epoch.from), ...edges, epoch.to];
  const { intervalSeconds, failureThreshold, recoveryThreshold, retries, timeoutMs } = settings;
  const attempts = ((retries.count + 1) * timeoutMs + retries.count * retries.delayMs) / 1000;
  const settled = (failureThreshold + recoveryThreshold + 1) * intervalSeconds + attempts + 60;
  for (const [place, begins] of borders.slice(0, -1).entries()) {
    const ends = borders[place + 1]!;
    for (const calm of run.calm.stretches) {
      const from = Math.max(begins, calm.from + healingOf(calm), epoch.from + NEW_SECONDS + settled);
      const to = Math.min(ends, calm.to);
      /** All of it is as it should be, so that the bound holds. */
      const isPlain = (at: number) =>
        at <= to && isQuiet(run, epoch, from - settled, at) && !held.isExcused(at) && !held.isExcused(from);
      for (const key of new Set(says.map(keyOf))) {
        const seenAt = new Map(
          settings.locations.map((location) => [
            location,
            sayings.at(settings.host, location, (begins + ends) / 2)!.get(key)!,
          ]),
        );
        const turns = Math.max(...[...seenAt.values()].map((values) => values.length));
        // What checks see that turn to degraded or back, below the threshold, is not counted.
        const isSlow = run.script.atSomeMoment(settings, Math.max(0, from - settled), to, (at) =>
          settings.locations.some((location) => run.script.healthAt(settings, location, at) === "degraded"),
        );
        const uncounted = isSlow ? Math.max(failureThreshold, recoveryThreshold) : 0;
        const checks = (count: number) =>
          from + (count * turns + uncounted) * intervalSeconds + attempts + DECIDED_SECONDS + held.seconds;
        const toldBy = checks(SEEN + 1);
        if (isPlain(toldBy))
          for (const value of new Set([...seenAt.values()].flat()))
            if (
              !mayBeExpected(run, epoch, key, value, toldBy) &&
              !known.some((one) => one.key === key && one.value === value && one.from <= toldBy && one.to >= toldBy)
            )
              run.say(
                "change-lost",
                id,
                toldBy,
                `${key} is ${value} since ${s1(begins)}, and nobody knows by ${s1(toldBy)}`,
              );
        const goneBy = checks(GONE + 1);
        if (isPlain(goneBy))
          for (const one of known)
            if (
              one.key === key &&
              one.from <= from &&
              one.to > goneBy &&
              one.from >= epoch.from &&
              ![...seenAt.values()].some((values) => values.includes(one.value)) &&
              !says.some(({ values }) => values.length > 1 && values.includes(one.value))
            )
              run.say(
                "change-end-lost",
                id,
                goneBy,
                `${key} is ${one.value} no more since ${s1(begins)}, and nobody knows by ${s1(goneBy)}`,
              );
      }
    }
  }
}

/** Whether every location works and sees the target up for a while, and nobody does anything to its baseline meanwhile. */
export function isQuiet(run: Case, epoch: Epoch, from: number, to: number): boolean {
  const { settings, id } = epoch;
  const { script, scenario, journal } = run;
  const isCut = scenario.cuts.some((cut) => cut.from < to && cut.to > from - DECIDED_SECONDS);
  const isTouched = journal.answers.some(
    (one) => one.id === id && BASELINE_EDITS.has(one.action) && one.at > from && one.at < to,
  );
  const isInMaintenance = maintenanceOf(run, id).some((window) => window.from < to && window.to > from);
  if (isCut || isTouched || isInMaintenance || mayFlap(run, epoch, to)) return false;
  return !script.atSomeMoment(settings, Math.max(0, from), to, (at) =>
    settings.locations.some((location) => {
      const health = script.healthAt(settings, location, at);
      return health !== "up" && health !== "degraded";
    }),
  );
}
const BASELINE_EDITS = new Set(["accept", "learn", "maintain"]);

/** Whether a value may be right: a location saw it before it had learned, or somebody accepted it or had it learned anew. */
function mayBeExpected({ journal, epochs, outcomesOf }: Case, epoch: Epoch, key: string, value: string, at: number) {
  const { id, era, settings } = epoch;
  const eraFrom = Math.min(...epochs.filter((one) => one.id === id && one.era === era).map((one) => one.from));
  const saw = outcomesOf(id).filter(
    (one) => one.host === settings.host && one.facts?.[key] === value && one.at >= eraFrom && one.at <= at,
  );
  const learnedAt = (location: string) =>
    journal.learned.find((one) => one.id === id && one.at >= eraFrom && one.locations.includes(location))?.at ??
    Number.POSITIVE_INFINITY;
  if (saw.some((one) => one.at <= learnedAt(one.location))) return true;
  return journal.answers.some(
    (one) =>
      one.id === id &&
      (one.action === "accept" || one.action === "learn") &&
      one.at >= eraFrom &&
      one.at <= at &&
      saw.some((outcome) => outcome.at <= one.at + AT_ONCE_SECONDS),
  );
}

/** What was told has an item of its own, which says whether it is over. */
function judgeItems(run: Case, id: string, known: readonly Known[]) {
  const { monitors, calm, scenario, say } = run;
  if (!calm.covers(scenario.seconds - PROJECTED_SECONDS, scenario.seconds)) return;
  const items = monitors.filter(({ sk, monitorId }) => sk.startsWith("FACT-CHANGE#") && monitorId === id);
  for (const [changeId, own] of Map.groupBy(known, (one) => one.id)) {
    const last = own.at(-1)!;
    if (Math.max(last.from, Number.isFinite(last.to) ? last.to : 0) > scenario.seconds - PROJECTED_SECONDS) continue;
    const recorded = items.filter((item) => item.id === changeId);
    const isOpen = recorded.some(({ endedAt }) => endedAt === null);
    const what = `${last.key} ${last.value}`;
    if (recorded.length === 0) say("change-item", id, last.from, `${what} was told, and is not recorded`);
    else if (isOpen !== (last.to === Number.POSITIVE_INFINITY))
      say("change-item", id, last.from, `${what} is recorded as ${isOpen ? "open" : "over"}, and told as the contrary`);
  }
}
