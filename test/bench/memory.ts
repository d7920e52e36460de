/**
 * `npm run bench -- memory`: what the probe keeps in memory while it runs a job of so many monitors, by what they are.
 * It is the bundle that is deployed, in a process of its own, with the heap limits of Lambda's smallest memory. Jobs
 * are as large as they are because of these figures.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundle } from "../../infra/bundle.ts";
import { synthesise } from "../../infra/local/template/synth.ts";
import { DEFAULT_RETENTION } from "../../shared/history/retention.ts";
import { SHARD_CAPACITY } from "../../shared/model.ts";
import { shardsPerJob } from "../../shared/rules/plan.ts";
import { createShardStore } from "../../shared/store/shards.ts";
import { monitorOf, putMonitor } from "../support/monitors.ts";
import { onLines, serve, serveTls } from "../support/servers.ts";
import type { EnvironmentReport } from "./memory/environment.ts";

const MEMORY_MB = 128;
/** As Lambda's Node runtime sets them. */
const HEAP_LIMITS = [
  `--max-semi-space-size=${Math.floor(MEMORY_MB * 0.05)}`,
  `--max-old-space-size=${Math.floor(MEMORY_MB * 0.9)}`,
];
const LANE = 60;
const JOBS = 6;
const TARGETS = 20;

const KINDS = {
  tcp: { settings: {}, target: () => serve((socket) => socket.resume()) },
  spoken: {
    settings: { steps: [{ send: "PING\r\n", expect: { contains: "+PONG" } }] },
    target: () => serve((socket) => onLines(socket, () => socket.end("+PONG\r\n"))),
  },
  tls: { settings: { tls: { verify: false, warnDays: 0 } }, target: () => serveTls((socket) => socket.resume()) },
  silent: { settings: { steps: [{ expect: { contains: "x" } }] }, target: () => serve((socket) => socket.resume()) },
} as const;

const folder = mkdtempSync(join(tmpdir(), "harborlight-memory-"));
try {
  await bundle();
  await synthesise(folder, {});
  process.env.HARBORLIGHT_TEST_ASSEMBLY = folder;
  console.log(`heap limits of ${MEMORY_MB} MB; a job of the ${LANE}-second lane has ${shardsPerJob(LANE)} shards\n`);
  console.log(
    "monitors             own MB   resident MB   CPU ms   wall ms   (the most of, and the last of, a few jobs)",
  );
  for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[])
    for (const shards of [1, 2, 4]) {
      const reports = await run(kind, shards);
      const { cpuMs, wallMs } = reports.at(-1)!;
      const most = (pick: (report: EnvironmentReport) => number) => Math.max(...reports.map(pick));
      const failed = reports.find(({ error }) => error)?.error;
      console.log(
        `${String(shards * SHARD_CAPACITY).padStart(5)} ${kind.padEnd(10)}${figure(most((r) => r.ownMb))}${figure(most((r) => r.residentMb))}${figure(cpuMs)}${figure(wallMs)}${failed ? `   FAILED: ${failed}` : ""}`,
      );
      if (failed) process.exitCode = 1;
    }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

function figure(value: number): string {
  return value.toFixed(0).padStart(11);
}

/** A few jobs, one after another, in a fresh environment. */
async function run(kind: keyof typeof KINDS, shardCount: number): Promise<EnvironmentReport[]> {
  const { startTables } = await import("../support/tables.ts");
  await using tables = await startTables();
  const { settings, target } = KINDS[kind];
  const targets = await Promise.all(Array.from({ length: TARGETS }, target));
  const store = createShardStore(tables.client, tables.tables.monitors);
  const names = new Set<string>();
  for (let n = 0; n < shardCount * SHARD_CAPACITY; n++) {
    const { shard } = await store.place(LANE, ["here"]);
    names.add(shard);
    await putMonitor(
      tables,
      monitorOf({
        id: `m${String(n).padStart(19, "0")}`,
        port: targets[n % TARGETS]!.port,
        settings,
        intervalSeconds: LANE,
        shard,
        placements: [{ shard, fromTick: 0, toTick: null }],
        locations: ["here"],
      }),
    );
  }
  const location = {
    name: "here",
    region: "us-east-1",
    kind: "local",
    families: ["ipv4"],
    port25: true,
    probeFunctionName: "probe",
  };
  const child = fork(join(import.meta.dirname, "memory", "environment.ts"), {
    execArgv: HEAP_LIMITS,
    env: {
      MONITORS_TABLE: tables.tables.monitors,
      HISTORY_TABLE: tables.tables.history,
      TABLES_REGION: "us-east-1",
      LOCATION: JSON.stringify(location),
      CONTROL_TARGETS: "[]",
      RETENTION: JSON.stringify(DEFAULT_RETENTION),
      AWS_ENDPOINT_URL_DYNAMODB: tables.endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_LAMBDA_FUNCTION_NAME: "probe",
      POWERTOOLS_SERVICE_NAME: "probe",
      POWERTOOLS_METRICS_NAMESPACE: "Harborlight",
      POWERTOOLS_LOG_LEVEL: "WARN",
    },
  });
  await once(child, "message");
  const reports: EnvironmentReport[] = [];
  for (let job = 0; job < JOBS; job++) {
    const body = JSON.stringify({ kind: "tick", shards: [...names], tick: Math.floor(Date.now() / 1000) });
    child.send({ Records: [{ messageId: "1", body }] });
    const [report] = (await once(child, "message")) as [EnvironmentReport];
    reports.push(report);
    await sleep(1_000);
  }
  child.kill();
  for (const one of targets) await one[Symbol.asyncDispose]();
  return reports;
}
