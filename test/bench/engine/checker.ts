/** Child process: runs batches of the engine as told over IPC, and answers with what they cost. Stays warm between batches. */
import { readdirSync } from "node:fs";
import { type CheckRequest, createEngine, type Engine } from "../../../shared/engine/run.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { checkSettings } from "../../support/check.ts";

export interface CheckerJob {
  readonly kind: "tcp" | "udp" | "tls" | "spoken" | "names" | "waiting";
  readonly ports: readonly number[];
  readonly inFlight: number;
  readonly checks: number;
  readonly timeoutMs?: number;
  readonly nameServer?: string;
}

export interface CheckerReport {
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly open: number;
  readonly stalled: number;
  /** Outcomes that are not `open`, by state and reason. */
  readonly others: Readonly<Record<string, number>>;
  readonly mostDescriptors: number;
}

const SETTINGS: Readonly<Record<CheckerJob["kind"], Readonly<Record<string, unknown>>>> = {
  tcp: {},
  names: {},
  udp: { send: "ping", expect: { equals: "ping" }, packets: { count: 1, spacingMs: 0 } },
  tls: { tls: { verify: false, warnDays: 0 } },
  spoken: { steps: [{ send: "PING\r\n", expect: { contains: "+PONG" } }] },
  waiting: { steps: [{ expect: { contains: "x" } }] },
};

const engines = new Map<string, Engine>();

function engineFor({ inFlight, nameServer }: CheckerJob): Engine {
  const key = `${inFlight} ${nameServer}`;
  const known = engines.get(key);
  if (known) return known;
  const location = { kind: "local", families: ["ipv4"] } as const;
  const engine = createEngine({
    location,
    protocols,
    maxSockets: inFlight,
    ...(nameServer ? { nameServers: [nameServer] } : {}),
  });
  engines.set(key, engine);
  return engine;
}

const fleets = new Map<string, readonly CheckRequest[]>();

/** Monitors with settings of their own each, remembered from batch to batch as the probe remembers a shard's. */
function fleetFor({ kind, ports, checks, timeoutMs = 10_000 }: CheckerJob): readonly CheckRequest[] {
  const key = `${kind} ${checks} ${timeoutMs} ${ports.join()}`;
  const known = fleets.get(key);
  if (known) return known;
  const fleet = Array.from({ length: checks }, (_, i) => {
    const host = kind === "names" ? `n${i}.example` : "127.0.0.1";
    const protocol = kind === "udp" ? "udp" : "tcp";
    const input = { protocol, host, port: ports[i % ports.length]!, settings: { ...SETTINGS[kind] } };
    return { id: String(i), check: checkSettings(input, timeoutMs) };
  });
  fleets.set(key, fleet);
  return fleet;
}

async function run(job: CheckerJob): Promise<CheckerReport> {
  const engine = engineFor(job);
  const { kind, checks } = job;
  const requests = fleetFor(job);
  let mostDescriptors = 0;
  const counter =
    kind === "waiting"
      ? setInterval(() => {
          mostDescriptors = Math.max(mostDescriptors, readdirSync("/proc/self/fd").length);
        }, 50)
      : undefined;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const { outcomes } = await engine.runBatch(requests, { deadlineAtMs: Date.now() + 120_000 });
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(counter);
  const all = [...outcomes.values()];
  const open = all.filter(({ state }) => state === "open");
  const latencies = open.map(({ timings }) => timings.latencyMs ?? Number.NaN).toSorted((a, b) => a - b);
  const others: Record<string, number> = {};
  for (const { state, reason } of all)
    if (state !== "open") others[`${state} ${reason}`] = (others[`${state} ${reason}`] ?? 0) + 1;
  return {
    cpuUs: (user + system) / checks,
    wallMs,
    p50Ms: latencies[Math.floor(latencies.length / 2)] ?? Number.NaN,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    open: open.length,
    stalled: all.filter(({ stalled }) => stalled).length,
    others,
    mostDescriptors,
  };
}

process.on("message", (job: CheckerJob) => {
  void run(job).then((report) => process.send?.(report));
});
process.send?.("ready");
