/**
 * Dependencies: nothing but its end is said about a monitor while people know that all it depends on is down, and what is still down
 * after that is told within ten minutes.
 */
import type { Told } from "../journal.ts";
import { topicsAfterSeconds, type WatchedSettings } from "../scenario.ts";
import { type Case, s1 } from "./case.ts";
import type { Epoch } from "./epochs.ts";
import type { Window } from "./script.ts";
import { beliefAt, isEnd, type Tellings } from "./tellings.ts";

/** A monitor waits so much longer than its parent's alert may take, and so long at most. */
const SLACK_SECONDS = 10;
const LONGEST_SECONDS = 300;
/** What is still down after its parents' recovery is told within this. */
const RELEASED_SECONDS = 600;
/** After faults it may take so much longer, as with all alerts. */
const HEALING_SECONDS = 300;
/** A decision may have read the parents right before theirs was stored. */
const AT_ONCE_SECONDS = 2;
const DEPTH = 5;

const alertSeconds = (settings: WatchedSettings) => {
  const { intervalSeconds, failureThreshold, retries, timeoutMs } = settings;
  const attempts = (retries.count + 1) * timeoutMs + retries.count * retries.delayMs;
  return Math.ceil(intervalSeconds * failureThreshold + attempts / 1000) + topicsAfterSeconds(settings);
};

/** When, and for how long, alerts about a monitor are held back. */
export interface Held {
  /** How long it waits for the alerts of what it depends on. */
  readonly seconds: number;
  /** When all it depends on was down and people knew why, by when the alerts were made. */
  readonly periods: readonly Window[];
  /** Whether it may be held back at a moment, or was until less than ten minutes before. */
  readonly isExcused: (at: number) => boolean;
}

const overlap = (some: readonly Window[], others: readonly Window[]): Window[] =>
  some.flatMap((one) =>
    others
      .map((other) => ({ from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) }))
      .filter(({ from, to }) => from < to),
  );

/** When a monitor was down, as its item said. */
function downOf({ journal, scenario }: Case, id: string): Window[] {
  const statuses = journal.statuses.filter((write) => write.id === id);
  return statuses.flatMap(({ at, status }, place) =>
    status === "down" ? [{ from: at, to: statuses[place + 1]?.at ?? scenario.seconds }] : [],
  );
}

/** When topic `alerts` said that a monitor is down. */
function saidDown({ journal, scenario }: Case, { firsts }: Tellings, id: string): Window[] {
  const told = firsts
    .filter(({ receiver, monitorId }) => receiver === "sns" && monitorId === id)
    .map((one): Told => ({ ...one, at: journal.made.get(one.alertId) ?? one.at }))
    .toSorted((a, b) => a.at - b.at);
  return told.flatMap(({ at }, place) =>
    beliefAt(told, at) === "down" ? [{ from: at, to: told[place + 1]?.at ?? scenario.seconds }] : [],
  );
}

export function heldOf(
  run: Case,
  tellings: Tellings,
  { settings, from, to }: Pick<Epoch, "settings" | "from" | "to">,
  depth = 0,
): Held {
  const parents = (settings.dependsOn ?? []).flatMap((id) => {
    const own = run.epochs.filter((one) => one.id === id && one.from < to && one.to > from && !one.paused);
    return own.length > 0 && depth < DEPTH ? [{ id, own }] : [];
  });
  const known = parents.map(({ id, own }) => {
    const above = own.map((one) => heldOf(run, tellings, one, depth + 1));
    return {
      seconds: Math.max(
        ...own.map(
          (one, place) => Math.min(LONGEST_SECONDS, alertSeconds(one.settings) + SLACK_SECONDS) + above[place]!.seconds,
        ),
      ),
      periods: overlap(downOf(run, id), [...saidDown(run, tellings, id), ...above.flatMap((one) => one.periods)]),
    };
  });
  const [first, ...others] = known;
  const periods = first ? others.reduce((sum, one) => overlap(sum, one.periods), first.periods) : [];
  const isExcused = (at: number) =>
    periods.some((period) => period.from - AT_ONCE_SECONDS <= at && at <= period.to + RELEASED_SECONDS);
  return { seconds: Math.max(0, ...known.map(({ seconds }) => seconds)), periods, isExcused };
}

export function judgeDependencies(run: Case, tellings: Tellings): void {
  const { calm, journal, script, say } = run;
  for (const epoch of run.epochs) {
    const { id, settings } = epoch;
    if (epoch.paused || !settings.dependsOn?.length) continue;
    const { periods } = heldOf(run, tellings, epoch);
    const told = tellings.firsts.filter(({ receiver, monitorId }) => receiver === "sns" && monitorId === id);
    for (const one of told) {
      const madeAt = journal.made.get(one.alertId) ?? one.at;
      const isWithin = periods.some(({ from, to }) => from + AT_ONCE_SECONDS < madeAt && madeAt < to);
      // Whoever heard that it flaps hears that it has stopped.
      const isEnding = isEnd(one) || one.event === "flapping-stopped";
      if (isWithin && !isEnding && epoch.from <= madeAt && madeAt <= epoch.to)
        say("held", id, madeAt, `${one.alertId} says ${one.event} while all that it depends on is known to be down`);
    }
    for (const { to: releasedAt } of periods) {
      const isCalm = calm.covers(releasedAt, releasedAt + RELEASED_SECONDS);
      const at = releasedAt + RELEASED_SECONDS + (isCalm ? 0 : HEALING_SECONDS);
      const isDown = script
        .stretches(settings, Math.max(0, epoch.from), epoch.to)
        .some(({ status, from, to }) => status === "down" && from <= releasedAt && at <= to);
      const isHeldAgain = periods.some(({ from, to }) => from <= at && releasedAt < to);
      if (isDown && !isHeldAgain && beliefAt(told, at) !== "down")
        say(
          "held",
          id,
          at,
          `nobody was told by ${s1(at)} that it is down, and what it depends on is back since ${s1(releasedAt)}`,
        );
    }
  }
}
