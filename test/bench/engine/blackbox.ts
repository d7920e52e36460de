/** prometheus-blackbox-exporter as a rival: Debian's package, its own TCP module, asked over HTTP as Prometheus does. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { freePort } from "../../support/product.ts";
import { scratchFolder } from "./processes.ts";

const COMMAND = "prometheus-blackbox-exporter";
const CONFIG = `modules:
  tcp_connect: { prober: tcp, timeout: 5s, tcp: { preferred_ip_protocol: ip4 } }
`;
/** Kernel clock ticks per second in /proc, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface Blackbox {
  /** @returns CPU microseconds per check, and how many were right */
  run(
    ports: readonly number[],
    checks: number,
    inFlight: number,
  ): Promise<{ readonly cpuUs: number; readonly open: number }>;
  stop(): void;
}

/** @param prefix command that pins to a core, may be empty */
export async function startBlackbox(prefix: readonly string[]): Promise<Blackbox | undefined> {
  if (spawnSync(COMMAND, ["--version"]).error) return undefined;
  const port = await freePort();
  const config = join(scratchFolder(), "blackbox.yml");
  writeFileSync(config, CONFIG);
  const [command = COMMAND, ...rest] = [...prefix, COMMAND];
  const options = [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`, "--log.level=error"];
  const child = spawn(command, [...rest, ...options], { stdio: "ignore" });
  const agent = new Agent({ keepAlive: true, maxSockets: 900 });
  process.on("exit", () => child.kill());
  for (let tries = 0; !(await fetchText(agent, port, "/-/healthy").catch(() => undefined)); tries++) {
    if (tries === 50) throw new Error(`${COMMAND} does not answer on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    async run(targets, checks, inFlight) {
      const before = cpuMs(child);
      let next = 0;
      let open = 0;
      const worker = async () => {
        while (next < checks) {
          const target = targets[next++ % targets.length];
          const text = await fetchText(agent, port, `/probe?module=tcp_connect&target=127.0.0.1:${target}`);
          if (text.includes("\nprobe_success 1")) open += 1;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, worker));
      return { cpuUs: (1000 * (cpuMs(child) - before)) / checks, open };
    },
    stop() {
      agent.destroy();
      child.kill();
    },
  };
}

function cpuMs({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

function fetchText(agent: Agent, port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}
