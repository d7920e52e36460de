/** Nothing is invented: what people were told was seen, and was so. */
import type { SeenOutcome, Told } from "../journal.ts";
import { type Case, s1 } from "./case.ts";
import type { Epoch } from "./epochs.ts";
import { quorumOf } from "./quorum.ts";
import { byNumber, type Tellings } from "./tellings.ts";

/** A view that has just turned is decided about within this, where nothing is amiss; otherwise within half an hour. */
const DECIDED_SECONDS = 15;
const DECIDED_AFTER_FAULTS_SECONDS = 1_800;
/** The SDK's attempts at a write, of three seconds each, and its pauses. */
const WRITTEN_WITHIN_SECONDS = 12;

export function judgeTruth(run: Case, { firsts }: Tellings): void {
  const seen = outcomesByPlace(run);
  const told = firsts.filter(({ receiver }) => receiver === "sns").toSorted(byNumber);
  for (const one of told) {
    const epochs = epochsOf(run, one);
    const madeAt = run.journal.made.get(one.alertId) ?? one.at;
    if (epochs.length === 0) {
      run.say(
        "false",
        one.monitorId,
        madeAt,
        `${one.alertId} says ${one.event}: nobody was watching at ${s1(one.startedAt)}`,
      );
      continue;
    }
    switch (one.event) {
      case "down":
        judgeDown(run, one, madeAt, epochs, seen);
        break;
      case "degraded":
        if (epochs.every(({ settings }) => settings.alerts.degraded === false))
          run.say("unwanted", one.monitorId, madeAt, `${one.alertId} says degraded, of which nobody wants to hear`);
        if (!epochs.some((epoch) => wasTrouble(run, one, madeAt, epoch)))
          run.say(
            "false",
            one.monitorId,
            madeAt,
            `${one.alertId} degraded since ${s1(one.startedAt)}: by the script it was up all the time`,
          );
        break;
      case "recovered":
        judgeRecovery(run, one, madeAt, epochs);
        break;
      case "closed":
        judgeClosing(run, one);
    }
  }
}

/** Epochs that an alert may tell of: watched, and touched by its incident. */
function epochsOf({ epochs, scenario, journal }: Case, { monitorId, startedAt, alertId, at }: Told): Epoch[] {
  const slack = 2 + (2 * scenario.skewMs) / 1000;
  const madeAt = journal.made.get(alertId) ?? at;
  return epochs.filter(
    (epoch) => epoch.id === monitorId && !epoch.paused && epoch.from <= madeAt + slack && epoch.to >= startedAt - slack,
  );
}

/** By monitor and location; of each tick all healths that any run of it saw. */
type Seen = ReadonlyMap<string, readonly SeenOutcome[]>;
const outcomesByPlace = ({ journal }: Case): Seen =>
  Map.groupBy(journal.outcomes, ({ id, location }) => `${id} ${location}`);

function judgeDown(run: Case, one: Told, madeAt: number, epochs: readonly Epoch[], seen: Seen) {
  const { alertId, monitorId, startedAt } = one;
  const what = `${alertId} down since ${s1(startedAt)}, made at ${s1(madeAt)}`;
  const enough = (epoch: Epoch, holds: (location: string) => boolean) =>
    epoch.settings.locations.filter(holds).length >= quorumOf(epoch.settings.quorum, epoch.settings.locations.length);
  if (!epochs.some((epoch) => enough(epoch, (location) => couldBeDown(run, epoch, location, madeAt, seen))))
    run.say("false", monitorId, madeAt, `${what}: too few locations saw it down often enough on end`);
  const skew = (2 * run.scenario.skewMs) / 1000;
  const wasDown = (epoch: Epoch) => {
    const { settings } = epoch;
    const patience =
      (settings.failureThreshold + 2 * settings.recoveryThreshold) * settings.intervalSeconds + 10 + skew;
    // What is decided late while the status is unknown begins at the decision: the outage itself may be over by then.
    const isSettled = run.calm.covers(Math.max(0, startedAt - patience - 60), madeAt);
    const from = Math.max(0, startedAt - patience - (isSettled ? 0 : DECIDED_AFTER_FAULTS_SECONDS));
    return enough(epoch, (location) =>
      run.script.atSomeMoment(
        settings,
        from,
        madeAt,
        (at) => run.script.healthAt(settings, location, at, { despiteCuts: true }) === "down",
      ),
    );
  };
  if (!epochs.some(wasDown))
    run.say("false", monitorId, madeAt, `${what}: by the script it was not down at enough locations`);
}

/** Whether a location may have held the view `down` shortly before a moment, by what its checks saw. */
function couldBeDown(run: Case, epoch: Epoch, location: string, madeAt: number, seen: Seen): boolean {
  const { journal, calm } = run;
  const { failureThreshold, recoveryThreshold, intervalSeconds } = epoch.settings;
  const outcomes = seen.get(`${epoch.id} ${location}`) ?? [];
  const since = (tick: number) => tick - journal.startMs / 1000;
  const own = outcomes.filter(
    ({ spot, tick }) => !spot && since(tick) >= epoch.viewsFrom - intervalSeconds && since(tick) <= madeAt + 2,
  );
  const byTick = [...Map.groupBy(own, ({ tick }) => tick)].toSorted(([a], [b]) => a - b);
  let [downs, ups, isPossible, endedAt] = [0, 0, false, Number.NEGATIVE_INFINITY];
  for (const [tick, healths] of byTick) {
    const block = run.blockOf(epoch.id, location, tick);
    if (block?.offline) continue;
    const has = (health: string) => healths.some((one) => one.health === health);
    if (has("down")) {
      [downs, ups] = [downs + 1, 0];
      if (downs >= failureThreshold) isPossible = true;
    } else if (block && (has("up") || has("degraded"))) {
      [downs, ups] = [0, ups + 1];
      if (isPossible && ups >= recoveryThreshold) [isPossible, endedAt] = [false, since(tick)];
    }
  }
  if (isPossible) return true;
  const isSettled = calm.covers(Math.max(0, endedAt - 60), madeAt);
  if (madeAt - endedAt < (isSettled ? DECIDED_SECONDS + intervalSeconds : DECIDED_AFTER_FAULTS_SECONDS)) return true;
  // A first look fills an empty view, and needs no second where one failure is enough.
  return (
    failureThreshold === 1 &&
    outcomes.some(({ spot, health, at }) => spot && health === "down" && at >= epoch.from && at <= madeAt)
  );
}

function wasTrouble(run: Case, { startedAt }: Told, madeAt: number, { settings }: Epoch): boolean {
  const { failureThreshold, recoveryThreshold, intervalSeconds } = settings;
  const from = Math.max(
    0,
    startedAt - (failureThreshold + 2 * recoveryThreshold) * intervalSeconds - 10 - (2 * run.scenario.skewMs) / 1000,
  );
  const isNotUp = (location: string) =>
    run.script.atSomeMoment(settings, from, madeAt, (at) => {
      const health = run.script.healthAt(settings, location, at, { despiteCuts: true });
      return health === "down" || health === "degraded";
    });
  return settings.locations.filter(isNotUp).length >= quorumOf(settings.quorum, settings.locations.length);
}

function judgeRecovery(run: Case, one: Told, madeAt: number, epochs: readonly Epoch[]) {
  const { alertId, monitorId, startedAt } = one;
  const endedAt = one.endedAt ?? madeAt;
  const wasUp = ({ settings, from: begins }: Epoch) => {
    const patience = settings.recoveryThreshold * settings.intervalSeconds + 10 + (2 * run.scenario.skewMs) / 1000;
    const isSettled = run.calm.covers(Math.max(0, endedAt - patience - 60), madeAt);
    // Another quorum judges the views that stand there: the last that turned may be older than the incident.
    const oldest =
      startedAt - (begins > startedAt ? settings.failureThreshold * settings.intervalSeconds + patience : 0);
    const from = Math.max(
      0,
      oldest,
      Math.min(endedAt, madeAt) - patience - (isSettled ? 0 : DECIDED_AFTER_FAULTS_SECONDS),
    );
    return run.script.atSomeMoment(settings, from, madeAt, (at) => {
      const { degraded, down } = run.script.countAt(settings, at, { despiteCuts: true });
      return degraded + down < quorumOf(settings.quorum, settings.locations.length);
    });
  };
  if (epochs.some(wasUp)) return;
  const text = `${alertId} recovered at ${s1(endedAt)}, made at ${s1(madeAt)}: by the script enough locations saw trouble all the time`;
  run.say("false-recovery", monitorId, madeAt, text);
}

/** An incident that is closed ends with its monitor's target, life, or with a pause, and names the right one. */
function judgeClosing({ epochs, scenario, calm, say }: Case, { monitorId, alertId, endedAt, endReason, at }: Told) {
  const moment = endedAt ?? at;
  const slack = 2 + (2 * scenario.skewMs) / 1000;
  // The API dates a change when it is asked for it; a write that needs further attempts is stored later.
  const onItsWay = calm.covers(moment - slack, at) ? 0 : WRITTEN_WITHIN_SECONDS;
  const own = epochs.filter(({ id }) => id === monitorId);
  const borders = own.flatMap((epoch, place) => {
    const next = own[place + 1];
    const reasons: { readonly at: number; readonly reason: string | null }[] = [];
    if (!next || next.life !== epoch.life) reasons.push({ at: epoch.to, reason: "deleted" });
    else if (next.era !== epoch.era) {
      reasons.push({ at: next.from, reason: next.beganBy });
      if (next.beganBy === "resumed" && next.settings.host !== epoch.settings.host)
        reasons.push({ at: next.from, reason: "changed" });
    }
    return reasons;
  });
  const near = borders.filter((border) => border.at >= moment - slack && border.at <= moment + slack + onItsWay);
  if (near.some(({ reason }) => reason === endReason)) return;
  const found = near.map(({ reason, at: when }) => `${reason} at ${s1(when)}`).join(", ") || "nothing";
  say(
    "false-closing",
    monitorId,
    at,
    `${alertId} closed at ${s1(moment)} because it was ${endReason}; there was ${found}`,
  );
}
