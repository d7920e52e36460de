/**
 * Who watches the oracle: mistakes put into the product on purpose. Each has to be caught by named scenarios or by
 * seeds; one that lives has a sentence that says why.
 */
import { spawnSync } from "node:child_process";
import { MUTANTS } from "./mutations.ts";

const HOOKS = new URL("./mutation-hooks.ts", import.meta.url).href;
const MAIN = new URL("./main.ts", import.meta.url).pathname;
const MAX_MS = 600_000;
/** Where no named scenario catches it. */
const SEEDS = ["--mode", "hot,calm,edits", "--seeds", "1..12"];

/** Each mutant in a process of its own. @returns how many live without an explanation */
export async function judgeMutants(words: string, say: (line: string) => void): Promise<number> {
  const run = (mutation: unknown, args: readonly string[]) =>
    spawnSync(process.execPath, ["--import", HOOKS, MAIN, ...args, "--show", "1", "--first"], {
      env: { ...process.env, SIMULATION_MUTATION: JSON.stringify(mutation) },
      timeout: MAX_MS,
      encoding: "utf8",
      maxBuffer: 100_000_000,
    });
  // Whatever fails without a mistake would seem to catch every mistake.
  const failing = [...run([], ["--named"]).stdout.matchAll(/^WRONG: (.*)$/gm)].map(([, name]) => name);
  for (const name of failing) say(`FAILS WITHOUT A MISTAKE ${name}`);
  if (failing.length > 0) return failing.length;
  let alive = 0;
  for (const { name, replacements, caughtBy, lives } of MUTANTS.filter((mutant) => mutant.name.includes(words))) {
    const named = run(replacements, ["--named", "--only", caughtBy ?? ""]);
    if (named.stderr.includes("does not apply")) {
      say(`NOT APPLIED ${name}: ${/does not apply.*/.exec(named.stderr)?.[0]}`);
      alive++;
      continue;
    }
    if (named.stderr.includes("SyntaxError")) {
      say(`NOT CODE ${name}`);
      alive++;
      continue;
    }
    const wrong = /^WRONG: (.*)$/m.exec(named.stdout)?.[1];
    const isCrashed = named.status !== 0 && named.status !== 1;
    const seeds = wrong || isCrashed ? undefined : run(replacements, SEEDS);
    const seed = seeds?.status === 1 ? /^(\S+-\d+) .*: (?!nothing amiss)/m.exec(seeds.stdout)?.[1] : undefined;
    if (wrong) say(`caught ${name}: by "${wrong}"`);
    else if (isCrashed) say(`caught ${name}: it does not run`);
    else if (seed) say(`caught ${name}: by ${seed}`);
    else if (lives) say(`lives ${name}: ${lives}`);
    else {
      say(`LIVES ${name}`);
      alive++;
    }
  }
  return alive;
}
