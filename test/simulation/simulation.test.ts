/**
 * The simulator's share of the suite: seeds of every mode, some always the same and some that are fresh with each commit;
 * a sweep of single faults; and that a seed is a bug report which replays. Time is what is fixed, not the number of
 * seeds: `npm run simulate` is for more.
 */
import { afterAll, expect, test } from "vitest";
import { FAULTS, type FaultName } from "./faults.ts";
import { generate, MODES, type Mode } from "./generate.ts";
import { down, EVERYWHERE, story } from "./named/named.ts";
import { commitHash, cpuSeconds, lineOf, loadDeployment, runAndJudge, Totals, violationLine } from "./runner.ts";
import { STORIES, sweep } from "./sweep.ts";
import { simulate } from "./world.ts";

const deployment = await loadDeployment();
const totals = new Totals();
/** Long: what counts is the time on the processor, and a busy machine gives little of it. */
const TIMEOUT = 900_000;

/** Runs seeds until their time on the processor is used up, one at least. @returns what was broken, with the seed to replay */
async function runSeeds(seeds: Iterable<string>, seconds: number): Promise<string[]> {
  const until = cpuSeconds() + seconds;
  const broken: string[] = [];
  for (const seed of seeds) {
    const result = await runAndJudge(generate(seed), deployment);
    totals.add(result);
    if (result.violations.length > 0) broken.push(lineOf(result), ...result.violations.slice(0, 5).map(violationLine));
    if (cpuSeconds() > until) break;
  }
  return broken;
}

/** `hot-1`, `hot-2`, … of one mode; the long modes in turns. */
function* seedsOf(modes: readonly Mode[], suffix: string): Generator<string> {
  for (let number = 1; ; number++) for (const mode of modes) yield `${mode}-${number}${suffix}`;
}

/** Faults with few occasions in so short a time. */
const SELDOM = new Set([
  "stale",
  "partial",
  "late",
  "duplicate",
  "stream-duplicate",
  "stream-late",
  "zombie",
  "missed-run",
  "doubled-run",
]);

/** Twenty minutes in which everything goes wrong that can, now and then. */
const EVERYTHING = story({
  monitor: { ...EVERYWHERE, alerts: { afterSeconds: 0, emails: ["ops@example.com"] } },
  // The last one is after most faults have ended: its mails leave for certain.
  events: Array.from({ length: 13 }, (_, n) => down(350 + 100 * n, 400 + 100 * n)),
  faults: Object.keys(FAULTS).map((fault) => ({
    fault: fault as FaultName,
    strength: SELDOM.has(fault) ? 0.5 : 0.03,
    from: 300,
    to: 1_500,
    // Only receivers refuse a message for good; few mails leave before the other faults end.
    ...(fault === "refuse-for-good" && { strength: 1, to: 2_400, only: { service: "ses" } }),
  })),
});

const LONG = MODES.filter((mode) => mode !== "hot");

test("the same seed twice does the same to the last write", { timeout: TIMEOUT }, async () => {
  const [one, other] = [
    await simulate(generate("hot-1"), { deployment }),
    await simulate(generate("hot-1"), { deployment }),
  ];
  expect(other.trace).toBe(one.trace);
  expect(other.journal.told).toEqual(one.journal.told);
});

test("hot seeds that are always the same break no promise", { timeout: TIMEOUT }, async () => {
  expect(await runSeeds(seedsOf(["hot"], ""), 2)).toEqual([]);
});

test("seeds of the other modes break no promise", { timeout: TIMEOUT }, async () => {
  expect(await runSeeds(seedsOf(LONG, ""), 2)).toEqual([]);
});

test("seeds that are fresh with this commit break no promise", { timeout: TIMEOUT }, async () => {
  const commit = commitHash().slice(0, 10);
  console.log(`fresh seeds: hot-1-${commit} and so on`);
  expect(await runSeeds(seedsOf(["hot", "hot", "day"], `-${commit}`), 3)).toEqual([]);
});

test("a single fault at any call of a short story breaks no promise", { timeout: TIMEOUT }, async () => {
  const until = cpuSeconds() + 3;
  // Neighbouring calls have the same neighbours: an odd share goes through every fault.
  const { broken } = await sweep(STORIES.blip!, deployment, { share: 7, isTime: () => cpuSeconds() < until });
  expect(broken.map(({ call, what, violations }) => `${what} at ${call}: ${violationLine(violations[0]!)}`)).toEqual(
    [],
  );
});

test("every fault there is strikes, and all comes right again", { timeout: TIMEOUT }, async () => {
  const result = await runAndJudge(EVERYTHING, deployment);
  totals.add(result);
  expect(result.violations.map(violationLine)).toEqual([]);
  const { run } = result;
  expect(Object.entries(run.faults.counts()).filter(([, count]) => count === 0)).toEqual([]);
});

afterAll(() => {
  for (const line of totals.lines()) console.log(line);
});
