/**
 * What people believe becomes what is, within the time that the settings imply: exactly where nothing was amiss, and
 * within minutes after faults.
 */
import type { StatusWrite, Told } from "../journal.ts";
import { latencyOfSlow, SECOND, type WatchedSettings } from "../scenario.ts";
import { type Case, s1 } from "./case.ts";
import { type Held, heldOf } from "./dependencies.ts";
import type { Epoch } from "./epochs.ts";
import { mayFlap } from "./flapping.ts";
import type { Stretch } from "./script.ts";
import { beliefAt, type Tellings } from "./tellings.ts";

/** From the last attempt to the alert's leaving, as the README says. */
const DELIVERY_SECONDS = 3;
/** Where bounds are exact, this much more is too late. */
const TOLERANCE_SECONDS = 1;
/** After faults everything comes right within this, on top of the bound. */
const HEALING_SECONDS = 300;
/** What could not be decided is tried again after pauses that double up to this. */
const LONGEST_BACKOFF_SECONDS = 900;
/** How long calm has to have lasted before bounds are exact again. */
const SETTLED_SECONDS = 600;
/** What a target known to be silent is given, but for once in so long. */
const DEAD_TIMEOUT_MS = 2_000;
const FULL_TIMEOUT_EVERY_SECONDS = 600;
/** A monitor is new for so long: its shard may have to be planned first. */
const NEW_SECONDS = 180;

const SAYS = { told: "people believe", escalated: "the next in line believe", status: "the status is" };

const attemptsSeconds = ({ retries: { count, delayMs }, timeoutMs }: WatchedSettings) =>
  ((count + 1) * timeoutMs + count * delayMs) / 1000;

/** The longest until the status follows; `timeToAlertSeconds` without `afterSeconds`. */
const boundOf = (settings: WatchedSettings, threshold: number) =>
  Math.ceil(settings.intervalSeconds * threshold + attemptsSeconds(settings)) + DELIVERY_SECONDS;

/**
 * A target that was silent is waited for 2 s, and for its whole time-out every ten minutes: one that comes back, and
 * takes longer than 2 s to answer, may be taken for silent until then.
 */
const patienceWithSilence = ({ scenario }: Case, settings: WatchedSettings, { from, to }: Stretch) => {
  const isSlow = scenario.events.some(
    (event) =>
      event.kind === "slow" &&
      event.host === settings.host &&
      event.from < to &&
      event.to > from &&
      latencyOfSlow(event, settings) > DEAD_TIMEOUT_MS,
  );
  return isSlow ? FULL_TIMEOUT_EVERY_SECONDS : 0;
};

export function judgePromises(run: Case, tellings: Tellings): { required: number } {
  const { firsts } = tellings;
  const toldTo = (name: string) =>
    Map.groupBy(
      firsts.filter(({ receiver }) => receiver === name),
      ({ monitorId }) => monitorId,
    );
  const byMonitor = toldTo("sns");
  const later = toldTo(`email:${SECOND}`);
  const statuses = Map.groupBy(run.journal.statuses, ({ id }) => id);
  const figures = { required: 0 };
  for (const epoch of run.epochs) {
    const told = byMonitor.get(epoch.id) ?? [];
    if (epoch.paused) judgeUnwatched(run, epoch.id, told, epoch.from, epoch.to, "paused");
    else
      judgeEpoch(
        run,
        epoch,
        {
          told,
          later: later.get(epoch.id) ?? [],
          statuses: statuses.get(epoch.id) ?? [],
          held: heldOf(run, tellings, epoch),
        },
        figures,
      );
  }
  for (const [id, epochs] of Map.groupBy(run.epochs, ({ id }) => id))
    for (const [place, { to, life }] of epochs.entries()) {
      const next = epochs[place + 1];
      if (next ? next.life !== life : to < run.scenario.seconds)
        judgeUnwatched(run, id, byMonitor.get(id) ?? [], to, next?.from ?? run.scenario.seconds, "deleted");
    }
  return figures;
}

/** Whether bounds are exact: nothing has been amiss for a while, and no location was cut off. */
const isExact = ({ calm, scenario }: Case, from: number, to: number) =>
  calm.covers(Math.max(0, from - SETTLED_SECONDS), to) &&
  !scenario.cuts.some((cut) => cut.from < to && cut.to > from - SETTLED_SECONDS);

/** What became of an epoch. */
interface Found {
  /** By topic `alerts`. */
  readonly told: readonly Told[];
  /** By whom a later step names. */
  readonly later: readonly Told[];
  readonly statuses: readonly StatusWrite[];
  readonly held: Held;
}

function judgeEpoch(run: Case, epoch: Epoch, { told, later, statuses, held }: Found, figures: { required: number }) {
  const { settings, afterSeconds, id } = epoch;
  const { failureThreshold, recoveryThreshold } = settings;
  const stretches = run.script.stretches(settings, Math.max(0, epoch.from), epoch.to);
  for (const stretch of stretches) {
    if (stretch.status === "?") continue;
    const isUp = stretch.status === "up";
    const threshold = isUp ? recoveryThreshold : Math.max(failureThreshold, recoveryThreshold);
    const bound =
      boundOf(settings, threshold) + (stretch.status === "down" ? 0 : patienceWithSilence(run, settings, stretch));
    const isTold = (at: number) => {
      const belief = beliefAt(told, at);
      if (belief === "flapping-started" && mayFlap(run, epoch, at)) return true;
      if (isUp) return belief === null;
      // Of degraded nobody is told where that is off; what was told before it stands until it ends.
      if (stretch.status === "degraded" && settings.alerts.degraded === false) return belief !== "degraded";
      return belief === stretch.status;
    };
    const isShown = (at: number) => statusAt(statuses, at) === stretch.status;
    const what = `${stretch.status} (script ${s1(stretch.from)} to ${s1(stretch.to)})`;
    const look = (
      kind: keyof typeof SAYS,
      within: number,
      isRight: (at: number) => boolean,
      now: (at: number) => unknown,
    ) => {
      for (const due of checkpoints(run, epoch, stretch, within)) {
        if (kind !== "status" && !isUp && held.isExcused(due.at)) continue;
        figures.required++;
        if (isRight(due.at)) continue;
        const rightAt = firstMoment(due.at, stretch.to, isRight);
        const says = `${what}, at ${s1(due.at)} ${SAYS[kind]} ${now(due.at)}`;
        const how = rightAt === undefined ? "lost" : due.isExact ? "late" : "late-after-faults";
        const when =
          rightAt === undefined ? "" : `; right at ${s1(rightAt)}, ${s1(rightAt - due.from)} s, bound ${within} s`;
        run.say(kind === "told" ? how : `${kind}-${how}`, id, due.at, `${says}${when}; ${describe(settings)}`);
        return;
      }
    };
    look("told", bound + (isUp ? 0 : Math.max(afterSeconds, held.seconds)), isTold, (at) => beliefAt(told, at));
    const escalation = settings.alerts.steps?.find(({ emails }) => emails?.includes(SECOND));
    if (escalation && !(stretch.status === "degraded" && settings.alerts.degraded === false))
      look(
        "escalated",
        bound + (isUp ? 0 : Math.max(escalation.afterSeconds, held.seconds)),
        (at) => (beliefAt(later, at) === null) === isUp || mayFlap(run, epoch, at),
        (at) => beliefAt(later, at),
      );
    look("status", bound, isShown, (at) => statusAt(statuses, at));
  }
  judgeTrouble(run, epoch, stretches, { told, held });
  judgeBlindness(run, epoch, statuses);
}

interface Checkpoint {
  readonly from: number;
  readonly at: number;
  readonly isExact: boolean;
}

/** When a stretch's status has to be known at the latest: once for each calm part of it that is long enough. */
function checkpoints(run: Case, epoch: Epoch, stretch: Stretch, within: number): Checkpoint[] {
  const { intervalSeconds } = epoch.settings;
  const skew = 2 * (run.scenario.skewMs / 1000);
  return run.calm.stretches.flatMap((calm) => {
    const from = Math.max(stretch.from, calm.from, epoch.from);
    const to = Math.min(stretch.to, calm.to, epoch.to);
    const isNew = from - epoch.from < NEW_SECONDS;
    const exactAt = from + within + TOLERANCE_SECONDS + skew + (isNew ? intervalSeconds + 5 : 0);
    const exact = isExact(run, from, exactAt);
    const backoff =
      from - calm.from < LONGEST_BACKOFF_SECONDS ? Math.min(LONGEST_BACKOFF_SECONDS, calm.roughSeconds) : 0;
    const at = exact ? exactAt : from + within + HEALING_SECONDS + backoff + 2 * intervalSeconds;
    return at <= to ? [{ from, at, isExact: exact }] : [];
  });
}

/** The first whole second after `from` at which something holds. */
function firstMoment(from: number, to: number, holds: (at: number) => boolean): number | undefined {
  for (let at = from; at <= to; at += 1) if (holds(at)) return at;
  return undefined;
}

/** Trouble that turns between down and degraded is told when it has lasted for `afterSeconds`, counted from its start. */
function judgeTrouble(
  run: Case,
  epoch: Epoch,
  stretches: readonly Stretch[],
  { told, held }: Pick<Found, "told" | "held">,
) {
  const { settings, afterSeconds } = epoch;
  if (settings.alerts.degraded === false) return; // each outage counts by itself there
  let from: number | null = null;
  for (const [place, { status, from: began, to }] of stretches.entries()) {
    const isTrouble = status === "down" || status === "degraded";
    if (!isTrouble) {
      from = null;
      continue;
    }
    from ??= began;
    const next = stretches[place + 1]?.status;
    if (next === "down" || next === "degraded") continue;
    const threshold = Math.max(settings.failureThreshold, settings.recoveryThreshold);
    const within = boundOf(settings, threshold) + Math.max(afterSeconds, held.seconds);
    for (const { at } of checkpoints(run, epoch, { from, to, status }, within))
      if (beliefAt(told, at) === null && !held.isExcused(at))
        run.say("trouble-lost", epoch.id, at, `down or degraded since ${s1(from)}, and nobody was told by ${s1(at)}`);
  }
}

/** Where the locations that work cannot tell for long, the status is `unknown`. */
function judgeBlindness(run: Case, epoch: Epoch, statuses: readonly StatusWrite[]) {
  const { settings } = epoch;
  const patience =
    180 +
    60 +
    120 +
    HEALING_SECONDS +
    3 * settings.intervalSeconds * Math.max(settings.failureThreshold, settings.recoveryThreshold);
  for (const { from, to, status } of run.script.stretches(settings, Math.max(0, epoch.from), epoch.to)) {
    if (status !== "?" || to - from < patience || !run.calm.covers(from, to)) continue;
    const dark = run.scenario.cuts.filter((cut) => cut.how === "all" && cut.from <= from && cut.to >= to);
    const isDark = (location: string) => dark.some((cut) => cut.location === location);
    const isBlind = settings.locations.every(
      (location) => isDark(location) === run.script.isCut(location, (from + to) / 2),
    );
    if (!isBlind || run.script.edges(settings, from, to).length > 2) continue;
    const shown = statusAt(statuses, to - 1); // at its end the next settings are in force
    if (shown !== "unknown")
      run.say("blind", epoch.id, to, `nobody can tell from ${s1(from)} to ${s1(to)}, and the status is still ${shown}`);
  }
}

/** A paused or deleted monitor is nobody's trouble: what was told of it has an end. */
function judgeUnwatched(run: Case, id: string, told: readonly Told[], from: number, to: number, why: string) {
  const skew = 2 * (run.scenario.skewMs / 1000);
  for (const calm of run.calm.stretches) {
    const begins = Math.max(from, calm.from);
    const exactAt = begins + 10 + TOLERANCE_SECONDS + skew;
    const backoff = Math.min(LONGEST_BACKOFF_SECONDS, calm.roughSeconds);
    const at = isExact(run, begins, exactAt) ? exactAt : begins + HEALING_SECONDS + backoff;
    if (at > Math.min(to, calm.to)) continue;
    const belief = beliefAt(told, at);
    if (belief === null) continue;
    run.say("end-lost", id, at, `${why} since ${s1(from)}, and at ${s1(at)} people still believe ${belief}`);
    return;
  }
}

const statusAt = (statuses: readonly StatusWrite[], at: number) =>
  statuses.findLast((write) => write.at <= at)?.status ?? null;

const describe = ({
  intervalSeconds,
  failureThreshold,
  recoveryThreshold,
  locations,
  quorum,
  timeoutMs,
  retries,
}: WatchedSettings) =>
  `every ${intervalSeconds} s, thresholds ${failureThreshold}/${recoveryThreshold}, quorum ${quorum} of ${locations}, ${retries.count + 1} x ${timeoutMs} ms`;
