/**
 * The smallest scenario that still breaks a promise in the same way: delta debugging over its lists, and over the faults
 * that struck in place of the windows' chances.
 */
import { idOfKey } from "./api-client.ts";
import type { Deployment } from "./deployment.ts";
import type { Violation } from "./oracle/case.ts";
import { runAndJudge } from "./runner.ts";
import type { Scenario } from "./scenario.ts";

interface Options {
  readonly deployment: Deployment;
  /** Kind of the violation to keep. Default: the first that the scenario shows. */
  readonly kind?: string;
  readonly maxSeconds: number;
  readonly say: (line: string) => void;
}

export interface Shrunk {
  readonly scenario: Scenario;
  readonly violation: Violation;
  readonly runs: number;
}

/** Parts of a scenario that are lists and may lose entries. */
const LISTS = ["faults", "replay", "cuts", "edits", "monitors", "events", "says", "clockSteps", "deploys"] as const;
/** What happened this long before a violation may have led to it. */
const BEFORE_SECONDS = 900;

/** @returns undefined when the scenario breaks no promise of that kind */
export async function shrink(
  whole: Scenario,
  { deployment, kind, maxSeconds, say }: Options,
): Promise<Shrunk | undefined> {
  const until = performance.now() + maxSeconds * 1000;
  let runs = 0;
  const look = async (scenario: Scenario) => {
    runs++;
    return runAndJudge(scenario, deployment);
  };
  const first = await look(whole);
  const wanted = first.violations.find((one) => kind === undefined || one.kind === kind);
  if (!wanted) return undefined;
  say(`${wanted.kind} @${wanted.at} ${wanted.text}`);
  const isSame = ({ kind: other, id }: Violation) => other === wanted.kind && id === wanted.id;
  let best = whole;
  let shown = wanted;
  /** Takes a smaller scenario when it shows the same. */
  const attempt = async (smaller: Scenario): Promise<boolean> => {
    if (performance.now() > until) return false;
    const { violations } = await look(smaller);
    const found = violations.find(isSame);
    if (!found) return false;
    [best, shown] = [smaller, found];
    return true;
  };

  await attempt(alone(best, wanted.id));
  await attempt({ ...best, seconds: Math.min(best.seconds, Math.ceil(wanted.at) + 300) });

  // The faults that struck, by name: these can go one by one.
  const { run } = await look(best);
  const relevant = run.faults.struck.filter(({ atMs }) => (atMs - best.startMs) / 1000 <= wanted.at);
  const replay = relevant.map(({ fault, occasion, amount, atMs }) => ({
    fault,
    occasion,
    amount,
    at: (atMs - best.startMs) / 1000,
  }));
  const states = best.faults.filter(({ strength }) => strength === 1);
  if (replay.length > 0 && (await attempt({ ...best, replay, faults: states }))) {
    say(`${replay.length} faults that struck show the same`);
    await attempt({ ...best, replay: replay.filter(({ at }) => at > wanted.at - BEFORE_SECONDS) });
  }
  for (let round = 0; round < 2; round++)
    for (const list of LISTS) {
      const entries = () => (best[list] ?? []) as readonly unknown[];
      for (let size = Math.ceil(entries().length / 2); size >= 1; size = Math.floor(size / 2))
        for (let start = 0; start < entries().length; ) {
          const left = [...entries().slice(0, start), ...entries().slice(start + size)];
          if (!(await attempt({ ...best, [list]: left }))) start += size;
          if (performance.now() > until) return { scenario: best, violation: shown, runs };
        }
      say(`${list}: ${entries().length} left after ${runs} runs`);
    }
  await attempt({ ...best, skewMs: 0 });
  await attempt({ ...best, jitterMs: 500 });
  return { scenario: best, violation: shown, runs };
}

/** The scenario without the other monitors and what belongs to them. */
function alone(scenario: Scenario, id: string): Scenario {
  const monitors = scenario.monitors.filter(({ settings }) => idOfKey(settings.key) === id);
  if (monitors.length === 0) return scenario;
  const keys = new Set(monitors.map(({ settings }) => settings.key));
  const edits = scenario.edits.filter(({ key }) => keys.has(key));
  const hosts = new Set([...monitors, ...edits].map(({ settings }) => settings?.host));
  return { ...scenario, monitors, edits, events: scenario.events.filter(({ host }) => hosts.has(host)) };
}
