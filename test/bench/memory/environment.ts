/**
 * Child process: one environment of a function, the bundle that is deployed (`BUNDLE`, the probe's by default). Handles
 * events as told over IPC and answers with its memory and time.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { bundleOf, type FunctionName } from "../../../infra/bundle.ts";

export interface EnvironmentReport {
  /** Megabytes at most: all that is resident, and what is the process's own (no pages of the program or its libraries). */
  readonly residentMb: number;
  readonly ownMb: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly error?: string;
}

const file = `${bundleOf((process.env.BUNDLE ?? "probe") as FunctionName)}/index.js`;
const { handler } = createRequire(file)(file) as { handler: (event: unknown, context: object) => Promise<unknown> };

const megabytes = (name: string) =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;

process.on("message", async (event) => {
  let ownMb = 0;
  const look = () => {
    ownMb = Math.max(ownMb, megabytes("RssAnon"));
  };
  const looking = setInterval(look, 10);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const context = {
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    awsRequestId: "1",
    getRemainingTimeInMillis: () => 60_000,
  };
  const error = await handler(event, context).then(() => undefined, String);
  look();
  clearInterval(looking);
  const { user, system } = process.cpuUsage(cpu);
  process.send?.({
    residentMb: megabytes("VmHWM"),
    ownMb,
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - startedAt,
    ...(error && { error }),
  } satisfies EnvironmentReport);
});
process.send?.("ready");
