/**
 * One alertId per change, told once and in order to each receiver; whoever was told a beginning is told its end, and
 * nobody else is.
 */
import type { Told } from "../journal.ts";
import { SECOND } from "../scenario.ts";
import { type Case, s1 } from "./case.ts";
import { mayFlap, wasUnknown } from "./flapping.ts";
import { byNumber, isEnd, type Tellings } from "./tellings.ts";

/** Receivers of a monitor that names none. */
const TOPICS = ["sns", "people"];
/** Undeliverable alerts are given up after a day. */
const GIVE_UP_SECONDS = 86_000;
/**
 * A lost reply or a death costs one repetition. Where two replies of five are lost for minutes, one alert in a million is
 * repeated more often than this by chance: it is a storm.
 */
const MOST_REPEATS = 15;
/** How long before a repetition its cause may lie: Lambda's time limit, SDK retries, backoff. */
const CAUSE_SECONDS = 200;
/** What was delivered is noted in the outbox within this; a fault right before may be the cause, too. */
const SETTLED_WITHIN_SECONDS = 10;

export function judgeAlerts(run: Case, { firsts, repeats }: Tellings): void {
  const byReceiver = Map.groupBy(firsts, ({ receiver, monitorId }) => `${receiver} ${monitorId}`);
  for (const told of byReceiver.values()) {
    const incidents = [...Map.groupBy(told, ({ incidentId }) => incidentId).values()];
    for (const own of incidents) judgeIncident(run, own.toSorted(byNumber));
    judgeOrderOfIncidents(run, incidents);
  }
  judgeReceivers(run, firsts);
  judgeRepeats(run, { firsts, repeats });
  for (const { at, id, entry } of run.journal.returned)
    run.say("outbox-again", id, at, `${entry} stands in the outbox again after it was removed`);
}

/** @param told of one incident to one receiver, by number */
function judgeIncident(run: Case, told: readonly Told[]) {
  const [first] = told;
  if (!first) return;
  const { monitorId, receiver } = first;
  if (isEnd(first) && first.at - (run.journal.made.get(`${first.incidentId}.1`) ?? first.at) < GIVE_UP_SECONDS)
    run.say(
      "end-of-nothing",
      monitorId,
      first.at,
      `${first.alertId} tells ${receiver} the end of what it never heard of`,
    );
  for (const [place, one] of told.entries()) {
    const before = told[place - 1];
    if (!before) continue;
    if (one.event === before.event)
      run.say("double", monitorId, one.at, `${before.alertId} and ${one.alertId} both tell ${receiver} ${one.event}`);
    if (one.at < before.at)
      run.say("order", monitorId, one.at, `${one.alertId} reached ${receiver} before ${before.alertId}`);
    if (isEnd(before))
      run.say("after-end", monitorId, one.at, `${one.alertId} goes on with an incident whose end was told`);
  }
  if (!told.some(isEnd)) judgeMissingEnd(run, told.at(-1)!);
}

/** An incident that ended long ago, and whose end this receiver was never told. */
function judgeMissingEnd(run: Case, last: Told) {
  const { monitors, journal, scenario, calm, epochs, say } = run;
  const incident = monitors.find(({ sk, id }) => sk.startsWith("INCIDENT#") && id === last.incidentId);
  if (!incident?.endedAt) return;
  const endedAt = Math.max(journal.sinceStart(String(incident.endedAt)), last.at);
  if (!calm.covers(scenario.seconds - 900, scenario.seconds) || scenario.seconds - endedAt < 1_000) return;
  const epoch = epochs.find(({ id, to }) => id === last.monitorId && to >= scenario.seconds);
  const end = scenario.seconds;
  if (last.event === "flapping-started" && epoch && (mayFlap(run, epoch, end) || wasUnknown(run, epoch, end))) return;
  const text = `${last.incidentId} ended at ${s1(endedAt)} (${incident.endReason}), and ${last.receiver} was never told`;
  say("end-lost", last.monitorId, endedAt, text);
}

/** The end of one incident comes before the beginning of the next. */
function judgeOrderOfIncidents({ epochs, say }: Case, incidents: readonly (readonly Told[])[]) {
  const inOrder = incidents.toSorted((a, b) => a[0]!.startedAt - b[0]!.startedAt);
  for (const [place, own] of inOrder.entries()) {
    const before = inOrder[place - 1];
    const end = before?.find(isEnd);
    const beginning = own[0]!;
    if (!before || !end || end.at <= beginning.at) continue;
    // A deleted monitor's last words may come after the first ones of its successor.
    const lifeAt = (at: number) =>
      epochs.find(({ id, from, to }) => id === beginning.monitorId && at >= from && at <= to)?.life;
    if (lifeAt(before[0]!.startedAt) !== lifeAt(beginning.startedAt)) continue;
    const text = `${beginning.alertId} came before ${end.alertId}, which ends the incident before it`;
    say("order", beginning.monitorId, beginning.at, text);
  }
}

/**
 * Every alert reaches both topics, and a beginning everybody whose address has stood there for a while. An escalation tells those
 * who did not know yet; whom a later step names waits as long before it is told that down has become degraded, in an alert of its own.
 */
function judgeReceivers({ journal, say }: Case, firsts: readonly Told[]) {
  for (const [alertId, told] of Map.groupBy(firsts, ({ alertId }) => alertId)) {
    const [first] = told;
    const receivers = new Set(told.map(({ receiver }) => receiver));
    const { at, monitorId } = first!;
    if (first!.event === "escalated" || first!.event === "flapping-stopped") continue;
    if (told.every(({ receiver }) => receiver === `email:${SECOND}`)) continue;
    for (const topic of TOPICS)
      if (!receivers.has(topic)) say("receiver-lost", monitorId, at, `${alertId} reached only ${[...receivers]}`);
    if (isEnd(first!)) continue;
    const madeAt = journal.made.get(alertId) ?? at;
    const standing = journal.segments.get(monitorId)?.find(({ from, to }) => from <= madeAt - 120 && madeAt + 5 <= to);
    for (const address of standing?.settings.alerts.emails ?? [])
      if (!receivers.has(`email:${address}`))
        say("receiver-lost", monitorId, at, `${alertId} never reached ${address}`);
  }
}

/** A repetition needs a cause: a lost reply, a death, a frozen or repeated invocation. */
function judgeRepeats({ mishaps, say }: Case, { firsts, repeats }: Tellings) {
  const firstAt = new Map(firsts.map(({ alertId, receiver, at }) => [`${alertId} to ${receiver}`, at]));
  for (const [key, own] of Map.groupBy(repeats, ({ alertId, receiver }) => `${alertId} to ${receiver}`)) {
    const { monitorId, at } = own[0]!;
    if (own.length > MOST_REPEATS) say("storm", monitorId, at, `${key} was published ${own.length + 1} times`);
    /** Where a decision could not be stored for long, the repetition comes long after its cause. */
    const isCaused = ({ at: again }: Told) => {
      const since = Math.min(again - CAUSE_SECONDS, (firstAt.get(key) ?? again) - SETTLED_WITHIN_SECONDS);
      return mishaps.some((mishap) => mishap.at <= again && mishap.at >= since);
    };
    const odd = own.filter((repeat) => !isCaused(repeat));
    if (odd.length > 0)
      say(
        "repeated",
        monitorId,
        odd[0]!.at,
        `${key} was published ${odd.length} times more without a lost reply or a death`,
      );
  }
}
