/** Runs scenarios and says in lines what came of them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_SENDER, synthesise } from "../../infra/local/template/synth.ts";
import { loadTemplate } from "../../infra/local/template/template.ts";
import { type Deployment, deploymentOf } from "./deployment.ts";
import { FAULTS, type FaultName } from "./faults.ts";
import type { Violation } from "./oracle/case.ts";
import { type Judgement, judge } from "./oracle/judge.ts";
import type { Scenario } from "./scenario.ts";
import { type Run, simulate } from "./world.ts";

/** Reads the template of this checkout: the one that a test run has, else a new one. */
export async function loadDeployment(): Promise<Deployment> {
  const given = process.env.HARBORLIGHT_TEST_ASSEMBLY;
  const folder = given ?? mkdtempSync(join(tmpdir(), "harborlight-simulation-"));
  if (!given) await synthesise(folder, { locations: [{ name: "local", kind: "local" }], alertSender: DEFAULT_SENDER });
  return deploymentOf(loadTemplate(folder, { gatewayUrl: "http://127.0.0.1:1" }));
}

/** The commit that seeds belong to; `unknown` outside a checkout. */
export function commitHash(): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      encoding: "utf8",
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}

export interface Result extends Judgement {
  readonly run: Run;
  /** Of the processor: a busy machine takes longer, and says nothing of the simulator. */
  readonly seconds: number;
}

export const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
};

export async function runAndJudge(scenario: Scenario, deployment: Deployment): Promise<Result> {
  const startedAt = cpuSeconds();
  const run = await simulate(scenario, { deployment });
  const judgement = await judge(run);
  return { ...judgement, run, seconds: cpuSeconds() - startedAt };
}

/** For example `hot-2057 0.6 s 3.1k checks 74 outages 51 due 62 alerts 2 again: lost 1, view-stuck 1`. */
export function lineOf({ run, figures, violations, seconds }: Result): string {
  const { checks, outages, required, alerts, repeats } = figures;
  const kinds = [...Map.groupBy(violations, ({ kind }) => kind)].map(([kind, all]) => `${kind} ${all.length}`);
  const numbers = `${(checks / 1000).toFixed(1)}k checks ${outages} outages ${required} due ${alerts} alerts ${repeats} again`;
  return `${run.scenario.seed} ${seconds.toFixed(1)} s ${numbers}: ${kinds.join(", ") || "nothing amiss"}`;
}

export const violationLine = ({ kind, id, at, text }: Violation) => `   ${kind} ${id.slice(0, 8)} @${at} ${text}`;

/** Sums over many runs. */
export class Totals {
  readonly kinds = new Map<string, number>();
  readonly struck: Record<string, number> = Object.fromEntries(Object.keys(FAULTS).map((name) => [name, 0]));
  #runs = 0;
  #checks = 0;
  #virtualSeconds = 0;
  #cpuSeconds = 0;

  add({ run, violations, figures, seconds }: Result): void {
    this.#runs++;
    this.#checks += figures.checks;
    this.#virtualSeconds += run.scenario.seconds;
    this.#cpuSeconds += seconds;
    for (const { kind } of violations) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    for (const [name, count] of Object.entries(run.faults.counts())) this.struck[name]! += count;
  }

  /** Faults that never struck. */
  get never(): FaultName[] {
    return Object.entries(this.struck).flatMap(([name, count]) => (count === 0 ? [name as FaultName] : []));
  }

  lines(): string[] {
    const hours = this.#virtualSeconds / 3_600;
    const faults = Object.entries(this.struck).map(([name, count]) => `${name} ${count}`);
    const kinds = [...this.kinds].map(([kind, count]) => `${kind} ${count}`);
    return [
      `${this.#runs} runs, ${hours.toFixed(1)} virtual hours, ${this.#checks} checks in ${this.#cpuSeconds.toFixed(1)} s of the processor: ${(hours / this.#cpuSeconds).toFixed(2)} virtual hours a second`,
      `faults that struck: ${faults.join(", ")}`,
      `violations: ${kinds.join(", ") || "none"}`,
    ];
  }
}
