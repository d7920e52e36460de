/** The benchmark's children: pinned where the machine lets us, asked and answered one job at a time. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckerJob, CheckerReport } from "./checker.ts";
import type { TargetPorts } from "./targets.ts";

const canPin = availableParallelism() > 1 && !spawnSync("taskset", ["-c", "0", "true"]).error;
/** Checkers share one core, targets the other. */
export const CHECKER_CORE = canPin ? ["taskset", "-c", "0"] : [];
const TARGET_CORE = canPin ? ["taskset", "-c", "1"] : [];

export interface ReferenceReport {
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly open: number;
}

/** A folder that is gone when the benchmark ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "harborlight-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @returns the path of the compiled reference, or undefined where there is no gcc */
export function compileReference(): string | undefined {
  const binary = join(scratchFolder(), "reference");
  const { status } = spawnSync("gcc", ["-O2", "-o", binary, join(import.meta.dirname, "reference.c")], {
    stdio: "inherit",
  });
  return status === 0 ? binary : undefined;
}

export async function startReferenceTargets(binary: string, count: number) {
  const child = launch([...TARGET_CORE, binary, "targets", String(count)], ["ignore", "pipe", "inherit"]);
  let text = "";
  while (!text.endsWith("\n")) text += String((await once(child.stdout!, "data"))[0]);
  const { tcp, udp } = JSON.parse(text) as Pick<TargetPorts, "tcp" | "udp">;
  return { tcp, udp, stop: () => child.kill() };
}

/**
 * @param eager whether to look for answers after each start
 * @param rhythmUs from one start to the next at least
 */
export function runReference(
  binary: string,
  kind: "tcp" | "udp",
  ports: readonly number[],
  inFlight: number,
  checks: number,
  eager: boolean,
  rhythmUs = 0,
): ReferenceReport {
  const mode = [String(inFlight), String(checks), eager ? "1" : "0", String(rhythmUs)];
  const [command = "", ...rest] = [...CHECKER_CORE, binary, kind, ...mode];
  const { stdout } = spawnSync(command, rest, {
    input: ports.join(" "),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "inherit"],
  });
  return JSON.parse(stdout) as ReferenceReport;
}

export async function startTargets() {
  const child = launch(
    [...TARGET_CORE, process.execPath, join(import.meta.dirname, "targets.ts")],
    ["ignore", "inherit", "inherit", "ipc"],
  );
  const [ports] = (await once(child, "message")) as [TargetPorts];
  return { ports, stop: () => child.kill() };
}

export interface Checker {
  readonly pid: number;
  run(job: CheckerJob): Promise<CheckerReport>;
  stop(): void;
}

/** @param descriptors limit of open files; default: what this process has */
export async function startChecker({ descriptors }: { descriptors?: number } = {}): Promise<Checker> {
  const script = join(import.meta.dirname, "checker.ts");
  const limited = descriptors ? ["sh", "-c", `ulimit -n ${descriptors} && exec "$@"`, "sh"] : [];
  const child = launch(
    [...limited, ...CHECKER_CORE, process.execPath, script],
    ["ignore", "inherit", "inherit", "ipc"],
  );
  await once(child, "message");
  return {
    pid: child.pid!,
    async run(job) {
      child.send(job);
      const [report] = (await once(child, "message")) as [CheckerReport];
      return report;
    },
    stop: () => child.kill(),
  };
}

function launch(command: readonly string[], stdio: ("ignore" | "pipe" | "inherit" | "ipc")[]): ChildProcess {
  const [name = "", ...rest] = command;
  const child = spawn(name, rest, { stdio });
  process.on("exit", () => child.kill());
  return child;
}

/** Lambda refills its CPU share every 20 ms. */
const PERIOD_US = 20_000;

/** Gives a process that share of one core (cgroup v1 or v2). @returns how to undo it, or why it is not allowed */
export function throttle(pid: number, share: number): (() => void) | string {
  const quota = Math.round(PERIOD_US * share);
  const name = `harborlight-bench-${process.pid}`;
  const v1 = join("/sys/fs/cgroup/cpu", name);
  const v2 = join("/sys/fs/cgroup", name);
  const attempts: [folder: string, files: Record<string, string>][] = [
    [v1, { "cpu.cfs_period_us": String(PERIOD_US), "cpu.cfs_quota_us": String(quota), "cgroup.procs": String(pid) }],
    [v2, { "cpu.max": `${quota} ${PERIOD_US}`, "cgroup.procs": String(pid) }],
  ];
  let refusal = "";
  for (const [folder, files] of attempts)
    try {
      mkdirSync(folder);
      for (const [file, value] of Object.entries(files)) writeFileSync(join(folder, file), value);
      return () => rmdirSync(folder);
    } catch (error) {
      refusal ||= (error as Error).message;
    }
  return refusal;
}
