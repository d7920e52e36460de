/** Child process: one environment of the probe, the bundle that is deployed. Handles jobs as told over IPC and answers with its memory. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { bundleOf } from "../../../infra/bundle.ts";

export interface EnvironmentReport {
  /** Megabytes at most: all that is resident, and what is the process's own (no pages of the program or its libraries). */
  readonly residentMb: number;
  readonly ownMb: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly error?: string;
}

const file = `${bundleOf("probe")}/index.js`;
const { handler } = createRequire(file)(file) as { handler: (event: unknown, context: object) => Promise<unknown> };

const megabytes = (name: string) =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;

process.on("message", async (job) => {
  let ownMb = 0;
  const look = () => {
    ownMb = Math.max(ownMb, megabytes("RssAnon"));
  };
  const looking = setInterval(look, 10);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const event = { Records: [{ messageId: "1", body: JSON.stringify(job) }] };
  const context = { functionName: "probe", awsRequestId: "1", getRemainingTimeInMillis: () => 60_000 };
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
