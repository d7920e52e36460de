/**
 * Sweeps as ARCHITECTURE.md promises them: ports that stay open or closed are told once, as a change; nothing is told that no sweep of a
 * working location could have seen and seen again; and which ports the first sweep found open is told once.
 */
import type { Told } from "../journal.ts";
import { type Case, s1 } from "./case.ts";
import {
  DECIDED_SECONDS,
  healingOf,
  isQuiet,
  isWorkingAt,
  judgeOrder,
  judgeWhen,
  type Known,
  maintenanceOf,
} from "./changes.ts";
import type { Epoch } from "./epochs.ts";
import { couldSee, edgesOf, openPorts, portsOfFact } from "./listeners.ts";
import { byNumber, isAboutBaseline, isAboutChange, type Tellings } from "./tellings.ts";

/** Two slices, the last look at what they found two minutes later, and what that takes. */
const SWEEP_SECONDS = 300;
/** Three looks at what differs, five seconds apart. */
const LOOKED_SECONDS = 10;
/** The first sweep is asked for when the monitor is made; one that faults swallowed comes with the interval. */
const NEW_SECONDS = 180;
/** What is told now may rest on a view that was decided so much later, after faults. */
const STALE_SECONDS = 1_500;

export function judgeSweeps(run: Case, all: Tellings): void {
  const madeAt = ({ alertId, at }: Told) => run.journal.made.get(alertId) ?? at;
  const inOrder = (told: readonly Told[]) => told.toSorted((a, b) => madeAt(a) - madeAt(b) || byNumber(a, b));
  for (const [id, epochs] of Map.groupBy(run.sweptEpochs, (epoch) => epoch.id)) {
    const own = all.firsts.filter((one) => one.receiver === "sns" && one.monitorId === id);
    const known = judgeOrder(run, id, inOrder(own.filter(isAboutChange)), madeAt);
    for (const one of own)
      if (one.event === "changed" || one.event === "baseline-learned") {
        judgeWhen(run, all, one, madeAt(one), epochs);
        judgeSeen(run, one, madeAt(one), epochs);
      }
    judgeBaselines(run, id, own.filter(isAboutBaseline), madeAt);
    for (const epoch of epochs) if (!epoch.paused) judgeEpoch(run, epoch, known);
  }
}

/** Each port of a list was open or closed for a sweep and its looks, as one location saw it. */
function judgeSeen(run: Case, { monitorId: id, alertId, changes = [] }: Told, at: number, epochs: readonly Epoch[]) {
  const { scenario, say } = run;
  const window = { from: Math.max(0, at - STALE_SECONDS), to: at };
  const ports = new Set((scenario.listeners ?? []).map(({ port }) => port));
  for (const { key, to: value } of changes) {
    const open = portsOfFact(value).split(" ").filter(Boolean).map(Number);
    const wasSeen = (location: string) =>
      isWorkingAt(run, location, at) &&
      [...new Set([...ports, ...open])].every((port) =>
        couldSee(scenario, { location, port, open: open.includes(port) }, window, LOOKED_SECONDS),
      );
    const locations = new Set(epochs.filter(({ from }) => from <= at).flatMap(({ settings }) => settings.locations));
    if (![...locations].some(wasSeen))
      say("false-sweep", id, at, `${alertId} tells ${key} ${value}, which no sweep of a working location could find`);
  }
}

/** A baseline that was made is told once; so is what a further location adds to it. */
function judgeBaselines(run: Case, id: string, told: readonly Told[], madeAt: (one: Told) => number) {
  const { journal, calm, scenario, say } = run;
  const writes = journal.learned.filter((one) => one.id === id);
  const made = writes.filter(({ locations }, place) => locations.length > 0 && !writes[place - 1]?.locations.length);
  const added = writes.filter(
    ({ locations }, place) => place > 0 && locations.length > writes[place - 1]!.locations.length,
  );
  const anew = journal.answers.filter((one) => one.id === id && one.action === "learn");
  for (const [place, one] of told.entries()) {
    const reasons = [...new Set([...made, ...added, ...anew])].filter(({ at }) => at <= madeAt(one) + 1).length;
    if (place >= reasons) say("baseline-twice", id, madeAt(one), `${one.alertId} tells a baseline again`);
  }
  const isMaintained = (from: number, to: number) =>
    maintenanceOf(run, id).some((window) => window.from < to && window.to > from);
  const isPaused = (from: number, to: number) =>
    run.sweptEpochs.some((epoch) => epoch.id === id && epoch.paused && epoch.from < to && epoch.to > from);
  for (const { at } of made) {
    const by = at + DECIDED_SECONDS;
    const isPlain = by < scenario.seconds && calm.covers(Math.max(0, at - SWEEP_SECONDS), by);
    const isUp = journal.statuses.findLast((write) => write.id === id && write.at <= by)?.status === "up";
    if (isPlain && isUp && !isMaintained(at, by) && !isPaused(at, by))
      if (!told.some((one) => madeAt(one) >= at - 1 && madeAt(one) <= by))
        say("baseline-lost", id, by, `its first sweep was over by ${s1(at)}, and nobody was told what was open`);
  }
}

/** While the ports stay as they are, people know it by the next sweep. */
function judgeEpoch(run: Case, epoch: Epoch, known: readonly Known[]) {
  const { scenario, calm, say } = run;
  const { id, settings } = epoch;
  const borders = [
    Math.max(0, epoch.from),
    ...edgesOf(scenario).filter((at) => at > epoch.from && at < epoch.to),
    epoch.to,
  ];
  const within = settings.intervalSeconds + SWEEP_SECONDS + DECIDED_SECONDS;
  for (const [place, begins] of borders.slice(0, -1).entries())
    for (const stretch of calm.stretches) {
      const ends = Math.min(borders[place + 1]!, stretch.to);
      const from = Math.max(begins, stretch.from + healingOf(stretch), epoch.from + NEW_SECONDS + within);
      const by = from + within;
      if (by > ends || !isQuiet(run, epoch, from - within, by)) continue;
      const values = new Set(settings.locations.map((location) => openPorts(scenario, location, (begins + ends) / 2)));
      for (const value of values)
        if (
          !mayBeExpected(run, epoch, value, by) &&
          !known.some((one) => portsOfFact(one.value) === value && one.from <= by && one.to >= by)
        )
          say("sweep-lost", id, by, `open are "${value}" since ${s1(begins)}, and nobody knows by ${s1(by)}`);
      for (const one of known)
        if (one.from >= epoch.from && one.from <= from && one.to > by && !values.has(portsOfFact(one.value)))
          say("sweep-end-lost", id, by, `${one.value} is over since ${s1(begins)}, and nobody knows by ${s1(by)}`);
    }
}

/** Whether a list may be right: it was so before the baseline was learned, or before somebody accepted what there was. */
function mayBeExpected({ journal, scenario, sweptEpochs }: Case, epoch: Epoch, value: string, at: number): boolean {
  const { id, era, settings } = epoch;
  const eraFrom = Math.min(...sweptEpochs.filter((one) => one.id === id && one.era === era).map((one) => one.from));
  const moments = [eraFrom, ...edgesOf(scenario).filter((edge) => edge > eraFrom && edge < at)];
  const first = Math.min(
    ...moments.filter((moment) =>
      settings.locations.some((location) => openPorts(scenario, location, moment) === value),
    ),
  );
  const learnedBy = (location: string) =>
    journal.learned.find((one) => one.id === id && one.at >= eraFrom && one.locations.includes(location))?.at ??
    Number.POSITIVE_INFINITY;
  if (settings.locations.some((location) => first <= learnedBy(location))) return true;
  return journal.answers.some(
    (one) => one.id === id && (one.action === "accept" || one.action === "learn") && one.at >= first && one.at <= at,
  );
}
