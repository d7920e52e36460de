/**
 * The simulator by hand:
 *
 *     npm run simulate                                       all named scenarios, and some seeds of each mode
 *     npm run simulate -- --mode hot --seeds 1..500          or --minutes 30
 *     npm run simulate -- --seed hot-2057                    replay
 *     npm run simulate -- --seed hot-2057 --explain m1 --from 160 --to 230
 *     npm run simulate -- --seed hot-2057 --shrink [kind]    the smallest scenario as JSON, ready for `named/`
 *     npm run simulate -- --file scenario.json               the same for a scenario from a file
 *     npm run simulate -- --named --only words
 *     npm run simulate -- --sweep blip                       every single fault at every call of a short story
 *     npm run simulate -- --mutants --only words
 *     npm run simulate -- --crowd 10000                      as many monitors down at once, state-change five minutes behind
 *
 * With `--first` seeds and named scenarios end with the first that breaks a promise.
 * Ends with 1 where a promise was broken.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { judgeCrowd } from "./crowd.ts";
import { explain } from "./explain.ts";
import { generate, MODES } from "./generate.ts";
import { judgeMutants } from "./mutants.ts";
import { faultsOf, NAMED } from "./named/index.ts";
import { commitHash, lineOf, loadDeployment, runAndJudge, Totals, violationLine } from "./runner.ts";
import type { Scenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { STORIES, sweep } from "./sweep.ts";
import { simulate } from "./world.ts";

const { values } = parseArgs({
  options: {
    mode: { type: "string" },
    seeds: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string" },
    file: { type: "string" },
    explain: { type: "string" },
    from: { type: "string", default: "0" },
    to: { type: "string", default: "Infinity" },
    shrink: { type: "boolean", default: false },
    kind: { type: "string" },
    named: { type: "boolean", default: false },
    sweep: { type: "string" },
    first: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    crowd: { type: "string" },
    only: { type: "string", default: "" },
    show: { type: "string", default: "12" },
  },
});

const say = (line: string) => console.log(line);
/** Without options: seeds of each mode. */
const USUAL_SEEDS = "1..5";
/** With `--minutes` seeds go on from here, so that each day's are fresh. */
const FIRST_SEED = Math.floor(Date.now() / 1000) % 100_000_000;
const MAX_SHRINK_SECONDS = 300;

const deployment = await loadDeployment();
let broken = 0;
if (values.mutants) broken = await judgeMutants(values.only, say);
else if (values.crowd !== undefined) broken = await judgeCrowd(Number(values.crowd), deployment, say);
else if (values.sweep !== undefined) broken = await runSweep(values.sweep);
else if (values.named) broken = await runNamed(values.only);
else if (values.seed ?? values.file)
  broken = await runOne(values.file ? fromFile(values.file) : generate(values.seed!));
else broken = (values.mode || values.seeds || values.minutes ? 0 : await runNamed("")) + (await runSeeds());
// Killed processes wait for ever, and middy's timers with them.
process.exit(broken > 0 ? 1 : 0);

function fromFile(path: string): Scenario {
  return JSON.parse(readFileSync(path, "utf8")) as Scenario;
}

async function runOne(scenario: Scenario): Promise<number> {
  say(`commit ${commitHash()}`);
  if (values.shrink) {
    const found = await shrink(scenario, {
      deployment,
      maxSeconds: MAX_SHRINK_SECONDS,
      say,
      ...(values.kind && { kind: values.kind }),
    });
    if (!found) say("nothing of that kind");
    else say(`${JSON.stringify(found.scenario, null, 1)}\n${found.runs} runs\n${violationLine(found.violation)}`);
    return found ? 1 : 0;
  }
  const result = await runAndJudge(scenario, deployment);
  if (values.explain !== undefined)
    for (const line of explain(result, values.explain, Number(values.from), Number(values.to))) say(line);
  say(lineOf(result));
  for (const violation of result.violations.slice(0, Number(values.show))) say(violationLine(violation));
  return result.violations.length;
}

async function runSeeds(): Promise<number> {
  say(`commit ${commitHash()}`);
  const modes = values.mode ? values.mode.split(",") : MODES;
  const totals = new Totals();
  let count = 0;
  for (const number of numbers())
    for (const mode of modes) {
      const result = await runAndJudge(generate(`${mode}-${number}`), deployment);
      totals.add(result);
      say(lineOf(result));
      for (const violation of result.violations.slice(0, Number(values.show))) say(violationLine(violation));
      count += result.violations.length;
      if (count > 0 && values.first) return count;
    }
  for (const line of totals.lines()) say(line);
  return count;
}

function* numbers(): Generator<number> {
  if (values.minutes) {
    const until = performance.now() + Number(values.minutes) * 60_000;
    for (let number = FIRST_SEED; performance.now() < until; number++) yield number;
    return;
  }
  const [first, last] = (values.seeds ?? USUAL_SEEDS).split("..").map(Number);
  for (let number = first!; number <= (last ?? first!); number++) yield number;
}

async function runNamed(words: string): Promise<number> {
  let count = 0;
  for (const named of NAMED.filter(({ name }) => name.includes(words))) {
    const faults = await faultsOf(named, await simulate(named.scenario, { deployment }));
    say(`${faults.length === 0 ? "well" : "WRONG"}: ${named.name}`);
    for (const fault of faults) say(`   ${fault}`);
    count += faults.length;
    if (count > 0 && values.first) break;
  }
  return count;
}

async function runSweep(name: string): Promise<number> {
  const story = STORIES[name];
  if (!story) throw new Error(`there is no story ${name}; there are ${Object.keys(STORIES).join(", ")}`);
  const startedAt = performance.now();
  const { calls, runs, broken: found } = await sweep(story, deployment);
  for (const { call, at, what, violations } of found) {
    say(`${what} at ${call} @${at.toFixed(2)}`);
    for (const violation of violations.slice(0, 3)) say(violationLine(violation));
  }
  say(
    `${calls} calls, ${runs} runs in ${((performance.now() - startedAt) / 1000).toFixed(0)} s: ${found.length} broke a promise`,
  );
  return found.length;
}
