/**
 * Flapping as ARCHITECTURE.md says: while a status changes too often people hear so once, then nothing, then once that it has
 * settled. Counts the changes by itself, from the statuses that the table showed.
 */

import type { Told } from "../journal.ts";
import { topicsAfterSeconds } from "../scenario.ts";
import { type Case, s1 } from "./case.ts";
import type { Epoch } from "./epochs.ts";
import { byNumber, isEnd, type Tellings } from "./tellings.ts";

/** A change is decided, and a timer rings, within this where nothing is amiss; otherwise within half an hour. */
const DECIDED_SECONDS = 30;
const DECIDED_AFTER_FAULTS_SECONDS = 1_800;

const KNOWN = new Set(["up", "degraded", "down"]);

/**
 * When a monitor's status changed between up, degraded and down, of its present target; seconds since the start.
 * @param knownBy without what was decided later
 */
function changesOf(
  { journal: { stretches, startMs }, epochs }: Case,
  { id, era, settings }: Epoch,
  knownBy = Number.POSITIVE_INFINITY,
): number[] {
  const from = Math.min(...epochs.filter((one) => one.id === id && one.era === era).map((one) => one.from));
  const isQuiet = settings.alerts.degraded === false;
  const own = stretches.filter((one) => one.id === id && one.at <= knownBy);
  const statusOf = (status: string) => (isQuiet && status === "degraded" ? "up" : status);
  return own.flatMap(({ status, since }, place) => {
    const at = (Date.parse(since) - startMs) / 1000;
    const [before, after] = [statusOf(own[place - 1]?.status ?? ""), statusOf(status)];
    return KNOWN.has(before) && KNOWN.has(after) && before !== after && at >= from - 1 ? [at] : [];
  });
}

/** Weighted share, in percent, of the 20 intervals before a moment that hold a change. */
function percentAt(changes: readonly number[], { settings: { intervalSeconds } }: Epoch, at: number, startMs: number) {
  const slot = (moment: number) => Math.floor((startMs / 1000 + moment) / intervalSeconds);
  const ages = new Set(changes.filter((one) => one <= at + 1).map((one) => Math.max(0, slot(at) - slot(one))));
  return [...ages].filter((age) => age < 20).reduce((sum, age) => sum + (1.2 - (0.4 * age) / 19) * 5, 0);
}

/** The largest share since its alert had to wait: it is told `afterSeconds` after the status changed. */
function highestBefore(run: Case, epoch: Epoch, at: number): number {
  const { settings } = epoch;
  const changes = changesOf(run, epoch);
  let highest = 0;
  for (
    let moment = at;
    moment >= at - topicsAfterSeconds(settings) - DECIDED_SECONDS;
    moment -= settings.intervalSeconds / 2
  )
    highest = Math.max(highest, percentAt(changes, epoch, moment, run.journal.startMs));
  return highest;
}

/** Whether a monitor may be held to flap at a moment: it began to, and has not settled for long. */
export function mayFlap(run: Case, epoch: Epoch, at: number): boolean {
  const { flapping, intervalSeconds } = epoch.settings;
  if (!flapping) return false;
  const lag = run.calm.covers(Math.max(0, at - 600), at)
    ? DECIDED_SECONDS + intervalSeconds
    : DECIDED_AFTER_FAULTS_SECONDS;
  const changes = changesOf(run, epoch);
  for (let moment = at; moment >= Math.max(0, at - lag); moment -= intervalSeconds / 2)
    if (percentAt(changes, epoch, moment, run.journal.startMs) > flapping.lowPercent) return true;
  return false;
}

export function judgeFlapping(run: Case, { firsts }: Tellings): void {
  const byMonitor = Map.groupBy(
    firsts.filter(({ receiver }) => receiver === "sns"),
    ({ monitorId }) => monitorId,
  );
  for (const told of byMonitor.values()) {
    const inOrder = (a: Told, b: Told) =>
      madeAt(run, a) - madeAt(run, b) || a.startedAt - b.startedAt || byNumber(a, b);
    judgeOne(run, told.toSorted(inOrder));
  }
}

const madeAt = ({ journal }: Case, { alertId, at }: Told) => journal.made.get(alertId) ?? at;

/** @param told of one monitor, in the order in which it was made */
function judgeOne(run: Case, told: readonly Told[]) {
  let started: Told | null = null;
  for (const one of told) {
    const { event, alertId, monitorId } = one;
    const at = madeAt(run, one);
    const say = (kind: string, text: string) => run.say(kind, monitorId, at, `${alertId} ${text}`);
    const epoch = run.epochs.find(({ id, from, to }) => id === monitorId && at >= from && at <= to + 2);
    const flapping = epoch?.settings.flapping ?? null;
    if (event === "flapping-started") {
      if (started) say("flapping-twice", `says again that it flaps, as ${started.alertId} did`);
      const began = epoch ? highestBefore(run, epoch, at) : 0;
      if (!flapping || began < flapping.highPercent - 6)
        say("false-flapping", `says that it flaps, with changes at ${s1(began)} % of the checks`);
      started = one;
      judgeSettled(run, one, epoch, told);
    } else if (event === "flapping-stopped") {
      if (!started) say("flapping-end-of-nothing", "says that it has settled, and nobody heard that it flapped");
      const isOver = !epoch || epoch.paused || !flapping || at - epoch.from < DECIDED_AFTER_FAULTS_SECONDS;
      const percent = epoch ? percentAt(changesOf(run, epoch, at), epoch, at, run.journal.startMs) : 0;
      if (!isOver && percent > flapping.lowPercent + 6)
        say("false-settling", `says that it has settled, with changes at ${s1(percent)} % of the checks`);
      started = null;
    } else if (started?.incidentId === one.incidentId && isEnd(one)) started = null;
    else if (started && event !== "closed" && event !== "acknowledged")
      say("not-held-back", `tells ${event} while it flaps, as ${started.alertId} said`);
  }
}

/** Whether nobody could know, or not for long enough, whether the target is up: what flapped is then not said to have settled. */
export function wasUnknown({ script }: Case, { settings }: Epoch, at: number): boolean {
  const checks = settings.intervalSeconds * (Math.max(settings.failureThreshold, settings.recoveryThreshold) + 1);
  for (let moment = at; moment >= at - checks - DECIDED_SECONDS; moment -= settings.intervalSeconds / 2)
    if (script.statusAt(settings, moment) === "?") return true;
  return false;
}

/** It ends, within its time: with `flapping-stopped`, or with the incident. */
function judgeSettled(run: Case, started: Told, epoch: Epoch | undefined, told: readonly Told[]) {
  if (!epoch) return;
  const { scenario, calm } = run;
  const at = madeAt(run, started);
  const isEndOfIt = (one: Told) =>
    madeAt(run, one) >= at && one.incidentId === started.incidentId && (one.event === "flapping-stopped" || isEnd(one));
  const endedAt = told.find(isEndOfIt)?.at ?? Number.POSITIVE_INFINITY;
  for (let moment = at + 10; moment < Math.min(endedAt, epoch.to, scenario.seconds); moment += 10) {
    if (mayFlap(run, epoch, moment) || !calm.covers(moment - 300, moment)) continue;
    if (wasUnknown(run, epoch, moment)) continue;
    run.say(
      "flapping-lost",
      epoch.id,
      moment,
      `${started.alertId} said that it flaps, and nobody was told that it has settled`,
    );
    return;
  }
}
