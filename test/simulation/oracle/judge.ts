/**
 * The oracle: holds what a run did against what ARCHITECTURE.md promises. It knows their words alone, and
 * imports neither rules nor functions: a mistake there must not hide itself here.
 */
import type { FaultName } from "../faults.ts";
import type { FaultWindow, Scenario } from "../scenario.ts";
import { judgeAlerts } from "./alerts.ts";
import { judgeBlocks } from "./blocks.ts";
import type { Case, Finished, Violation } from "./case.ts";
import { judgeChanges } from "./changes.ts";
import { judgeDependencies } from "./dependencies.ts";
import { judgeEnd } from "./end.ts";
import { type Epoch, epochsOf } from "./epochs.ts";
import { judgeFlapping } from "./flapping.ts";
import { judgeHistory } from "./history.ts";
import { judgeMinorities } from "./minority.ts";
import { judgePromises } from "./promises.ts";
import { judgeSchedule } from "./schedule.ts";
import { Calm, Script } from "./script.ts";
import { judgeStretches } from "./stretches.ts";
import { judgeSweeps } from "./sweeps.ts";
import { judgeSystem } from "./system.ts";
import { tellingsOf, withoutAdvisories } from "./tellings.ts";
import { judgeTruth } from "./truth.ts";

/** How long a fault is felt after its window, in seconds; for the others a moment. */
const LINGERS: Partial<Record<FaultName, number>> = {
  late: 620,
  "stream-late": 620,
  stall: 100,
  freeze: 100,
  zombie: 100,
  "kill-before": 100,
  "kill-after": 100,
  lost: 100,
  "index-lag": 30,
  "clock-step": 900,
};
const MOMENT_SECONDS = 45;
/** After receivers refused, deliveries are tried again within this. */
const BACKOFF_SECONDS = 150;
/** A clock that jumped is felt until what it wrote is over. */
const CLOCK_SECONDS = 600;

export interface Judgement {
  readonly violations: readonly Violation[];
  readonly figures: Readonly<Record<"checks" | "outages" | "required" | "alerts" | "repeats", number>>;
}

export async function judge(run: Finished): Promise<Judgement> {
  const { scenario, journal } = run;
  const violations: Violation[] = [];
  const outcomes = Map.groupBy(journal.outcomes, ({ id }) => id);
  const blocks = new Map<string, (typeof journal.blocks)[number]>();
  for (const block of journal.blocks)
    for (const id of block.entries.keys()) blocks.set(`${id} ${block.location} ${block.tick}`, block);
  const all = epochsOf(journal.segments, scenario.seconds);
  const isSwept = ({ settings }: Epoch) => settings.protocol === "ports";
  const one: Case = {
    ...run,
    script: new Script(scenario),
    calm: calmOf(scenario),
    epochs: all.filter((epoch) => !isSwept(epoch)),
    sweptEpochs: all.filter(isSwept),
    blockOf: (id, location, tick) => blocks.get(`${id} ${location} ${tick}`),
    outcomesOf: (id) => outcomes.get(id) ?? [],
    say: (kind, id, at, text) => void violations.push({ kind, id, at: Math.round(at * 10) / 10, text }),
  };
  const everything = tellingsOf(journal);
  judgeMinorities(one, everything);
  judgeChanges(one, everything);
  judgeSweeps(one, everything);
  const tellings = withoutAdvisories(everything);
  judgeAlerts(one, tellings);
  const { required } = judgePromises(one, tellings);
  judgeDependencies(one, tellings);
  judgeTruth(one, tellings);
  judgeFlapping(one, tellings);
  judgeBlocks(one);
  judgeSchedule(one);
  judgeSystem(one);
  judgeEnd(one, tellings);
  await judgeHistory(one);
  await judgeStretches(one);
  return {
    violations,
    figures: {
      checks: journal.outcomes.length,
      outages: outagesOf(one),
      required,
      alerts: tellings.firsts.filter(({ receiver }) => receiver === "sns").length,
      repeats: tellings.repeats.length,
    },
  };
}

const outagesOf = ({ epochs, script }: Case) =>
  epochs
    .filter(({ paused }) => !paused)
    .flatMap(({ settings, from, to }) => script.stretches(settings, Math.max(0, from), to))
    .filter(({ status }) => status === "down").length;

/** When nothing was amiss: outside the windows of faults, and what of them lingers. */
function calmOf({ faults, seconds, clockSteps = [], replay = [] }: Scenario): Calm {
  const lingers = ({ fault, only }: FaultWindow) =>
    only?.service === "sns" || only?.service === "ses" ? BACKOFF_SECONDS : (LINGERS[fault] ?? MOMENT_SECONDS);
  const windows = faults.map((window) => ({ from: window.from, to: window.to + lingers(window) }));
  const steps = clockSteps.map(({ at }) => ({ from: at, to: at + CLOCK_SECONDS }));
  const struck = replay.map(({ fault, at }) => ({ from: at, to: at + (LINGERS[fault] ?? MOMENT_SECONDS) }));
  return new Calm([...windows, ...steps, ...struck], seconds);
}
