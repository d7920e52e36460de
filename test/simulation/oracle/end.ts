/** After long calm everything is as the script says: statuses, views, incidents, locations; nothing waits or lingers. */
import { LOCATIONS } from "../scenario.ts";
import { type Case, type Item, s1 } from "./case.ts";
import type { Epoch } from "./epochs.ts";
import type { Tellings } from "./tellings.ts";

/** What was made before this much of calm has been delivered. */
const DELIVERED_SECONDS = 1_000;
/** A timer is touched within this. */
const TOUCHED_SECONDS = 200;
/** A projection is written within this. */
const PROJECTED_SECONDS = 400;

interface Incident extends Item {
  readonly id: string;
  readonly monitorId: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly endReason: string | null;
}

export function judgeEnd(run: Case, tellings: Tellings): void {
  const incidents = run.monitors.filter(({ sk }) => sk.startsWith("INCIDENT#")) as Incident[];
  for (const item of run.monitors) if (item.sk === "MONITOR") judgeMonitor(run, item, incidents);
  judgeIncidents(run, incidents);
  judgeAlertsHaveIncidents(run, incidents, tellings);
  judgeLocations(run);
  for (const { pk, sk, pendingAlerts } of run.monitors) {
    const isMonitor = sk === "MONITOR" || sk === "STATE";
    const entries = Object.keys((pendingAlerts as object | undefined) ?? {});
    if (!isMonitor && entries.length > 0 && isOver(run, DELIVERED_SECONDS))
      run.say("final", pk, run.scenario.seconds, `the outbox of ${pk} ${sk} holds ${entries}`);
  }
  judgeMailboxes(run);
  for (const { at, where, text } of run.journal.bugs) run.say("bug", where, at, text);
}

/** Nothing waits in a mailbox for long, and no receiver for a look. */
function judgeMailboxes(run: Case) {
  if (!isOver(run, DELIVERED_SECONDS)) return;
  const end = run.scenario.seconds;
  for (const { pk, sk, state, createdAt, lookBy } of run.monitors) {
    const wrong = (text: string) => run.say("final", pk, end, text);
    if (
      pk.startsWith("MAIL#") &&
      state === "waiting" &&
      run.journal.sinceStart(String(createdAt)) < end - DELIVERED_SECONDS
    )
      wrong(`${sk} still waits in the mailbox`);
    if (pk.startsWith("RECEIVER#") && lookBy && run.journal.sinceStart(String(lookBy)) < end - TOUCHED_SECONDS)
      wrong(`mail has not been looked at since ${lookBy}`);
  }
}

/** Whether it has been calm for so long. */
const isOver = ({ calm, scenario: { seconds } }: Case, forSeconds: number) =>
  calm.covers(seconds - forSeconds, seconds);

function judgeMonitor(run: Case, item: Item, incidents: readonly Incident[]) {
  const { journal, scenario, script } = run;
  const end = scenario.seconds;
  const id = String(item.id);
  const wrong = (text: string) => run.say("final", id, end, text);
  if (item.deletedAt) {
    if (end - journal.sinceStart(String(item.deletedAt)) > DELIVERED_SECONDS)
      wrong(`was deleted at ${s1(journal.sinceStart(String(item.deletedAt)))} and is still there`);
    return;
  }
  judgeBeliefs(item, wrong);
  const epoch = run.epochs.findLast((one) => one.id === id);
  if (!epoch) return;
  const { settings } = epoch;
  const span = Math.max(900, 300 + 6 * settings.intervalSeconds + epoch.afterSeconds);
  const isLong = isOver(run, span) && end - epoch.from > span;
  const [stretch, ...others] = script.stretches(settings, Math.max(0, end - span), end);
  const truth = epoch.paused ? "paused" : others.length === 0 ? stretch?.status : "?";
  if (isLong && truth !== "?" && item.status !== truth) wrong(`the status is ${item.status}, the truth ${truth}`);
  if (isLong && !epoch.paused) judgeViews(run, item, epoch, span, wrong);

  type Outbox = Readonly<Record<string, { readonly createdAt: string }>>;
  const old = Object.entries((item.pendingAlerts ?? {}) as Outbox).filter(
    ([, { createdAt }]) => journal.sinceStart(createdAt) < end - DELIVERED_SECONDS,
  );
  if (old.length > 0 && isOver(run, DELIVERED_SECONDS)) wrong(`the outbox holds ${old.map(([entry]) => entry)}`);
  for (const timer of ["nextEvaluationAt", "lookBy"]) {
    const due = item[timer] ? journal.sinceStart(String(item[timer])) : Number.POSITIVE_INFINITY;
    if (due < end - TOUCHED_SECONDS && isOver(run, DELIVERED_SECONDS))
      wrong(`the timer ${timer} of ${s1(due)} is overdue`);
  }
  const incident = item.incident as Incident | null;
  const isRecorded = incidents.some((one) => one.id === incident?.id && one.endedAt === null);
  if (
    incident &&
    !isRecorded &&
    isOver(run, PROJECTED_SECONDS) &&
    journal.sinceStart(incident.startedAt) < end - PROJECTED_SECONDS
  )
    wrong(`incident ${incident.id} has no open item`);
}

/** What the list of members says of views is what they are; its tick may be a later one's, which fences them off. */
function judgeBeliefs(item: Item, wrong: (text: string) => void) {
  type Short = Readonly<Record<string, { readonly health: string; readonly tick: number } | undefined>>;
  const [beliefs, views] = [item.beliefs as Short, item.views as Short];
  for (const name of new Set([...Object.keys(beliefs), ...Object.keys(views)])) {
    const [belief, view] = [beliefs[name], views[name]];
    if (!belief || !view || belief.health !== view.health || belief.tick < view.tick)
      wrong(`${name}'s belief is ${belief?.health} of ${belief?.tick}, its view ${view?.health} of ${view?.tick}`);
  }
}

function judgeViews(
  { script, scenario: { seconds } }: Case,
  item: Item,
  { settings }: Epoch,
  span: number,
  wrong: (text: string) => void,
) {
  type Views = Readonly<Record<string, { readonly health: string } | undefined>>;
  for (const location of settings.locations) {
    const edges = script.edges(settings, Math.max(0, seconds - span), seconds);
    const healths = new Set(
      edges.slice(1).map((to, place) => script.healthAt(settings, location, (edges[place]! + to) / 2)),
    );
    const [health] = healths;
    if (healths.size > 1 || script.isCut(location, seconds - 1)) continue;
    const view = ((item.views ?? {}) as Views)[location]?.health ?? null;
    if (view !== health) wrong(`the view of ${location} is ${view}, the truth ${health}`);
  }
}

function judgeIncidents(run: Case, incidents: readonly Incident[]) {
  const { journal, scenario, say } = run;
  for (const [monitorId, own] of Map.groupBy(incidents, ({ monitorId }) => monitorId)) {
    const owner = run.monitors.find(({ sk, id }) => sk === "MONITOR" && id === monitorId);
    const inOrder = own.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
    for (const [place, { id, startedAt, endedAt }] of inOrder.entries()) {
      const at = journal.sinceStart(startedAt);
      const isPresent = (owner?.incident as Incident | null | undefined)?.id === id;
      if (endedAt === null && !isPresent && isOver(run, PROJECTED_SECONDS))
        say("incident", monitorId, at, `${id} is open for ever; the monitor is ${owner?.status ?? "gone"}`);
      if (endedAt !== null && endedAt < startedAt) say("incident", monitorId, at, `${id} ends before it starts`);
      const next = inOrder[place + 1];
      if (next && (endedAt === null || endedAt > next.startedAt))
        say(
          "incident-overlap",
          monitorId,
          journal.sinceStart(next.startedAt),
          `${id} (until ${endedAt}) overlaps ${next.id}`,
        );
    }
  }
  for (const [id, own] of Map.groupBy(journal.statuses, ({ id }) => id))
    for (const [place, { at, status, incident }] of own.entries()) {
      const to = own[place + 1]?.at ?? scenario.seconds;
      if (status === "paused" && incident && to - at > 30 && run.calm.covers(at, to))
        say("incident", id, at, `${incident} stays open while the monitor is paused`);
    }
}

/** Each alert tells of an incident that is recorded, and that ends when the alert says. */
function judgeAlertsHaveIncidents({ journal, say }: Case, incidents: readonly Incident[], { firsts }: Tellings) {
  const byId = new Map(incidents.map((incident) => [incident.id, incident]));
  for (const { receiver, alertId, monitorId, incidentId, at, endedAt } of firsts) {
    if (receiver !== "sns") continue;
    const incident = byId.get(incidentId);
    if (!incident) say("incident", monitorId, at, `${alertId} tells of an incident that is not recorded`);
    else if (
      endedAt !== null &&
      (!incident.endedAt || Math.abs(journal.sinceStart(incident.endedAt) - endedAt) > 0.001)
    )
      say(
        "incident",
        monitorId,
        at,
        `${alertId} says that it ended at ${s1(endedAt)}; the incident says ${incident.endedAt} (${incident.endReason})`,
      );
  }
}

function judgeLocations(run: Case) {
  const { monitors, scenario, script, say } = run;
  for (const location of LOCATIONS) {
    const state = monitors.find(({ pk, sk }) => pk === `LOCATION#${location}` && sk === "STATE");
    if (script.isCut(location, scenario.seconds - 1) || !isOver(run, 600)) continue;
    if (state?.condition !== "working")
      say("final", location, scenario.seconds, `location ${location} is said to be ${state?.condition}`);
    const entries = Object.keys((state?.pendingAlerts as object | undefined) ?? {});
    if (entries.length > 0 && isOver(run, DELIVERED_SECONDS))
      say("final", location, scenario.seconds, `the outbox of location ${location} holds ${entries}`);
  }
}
