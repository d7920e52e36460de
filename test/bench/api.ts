/**
 * `npm run bench -- api [monitors ...]`: time, read units and bytes of the API's reads on the one-machine stack, at 1,000,
 * 5,000 and 10,000 monitors with 90 days of status; and what a dashboard that polls every 10 s costs in reads. Times are those
 * of the machine as it is: compare them with the reference, the health call in the same run. Exits 1 when a limit is missed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { startStack } from "../../infra/local/stack.ts";
import { BAR_PERIODS, barSteps } from "../../shared/history/bars.ts";
import { createMonitorStore } from "../../shared/store/monitors.ts";
import { createStatusReader } from "../../shared/store/status-reader.ts";
import { createStretchStore } from "../../shared/store/stretches.ts";
import { createSummaryStore } from "../../shared/store/summaries.ts";
import { createClient } from "../support/client.ts";
import { Usage } from "../support/usage.ts";
import { ASSUMED, PRICES } from "./cost/prices.ts";
import { seed } from "./load/seed.ts";

const SIZES = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [1_000, 5_000, 10_000];
const ROUNDS = 20;
/** Of 1,000 monitors and 90 days. */
const MOST_BYTES = 45 * 1024;
const MOST_MS = 300;
/** Of a poll that finds nothing. */
const MOST_UNITS = 8;
const MOST_DOLLARS = 1;

let hasMissed = false;
const check = (isMet: boolean, what: string) => {
  hasMissed ||= !isMet;
  return `${what}: ${isMet ? "met" : "NOT met"}`;
};

for (const size of SIZES) await measureAt(size);
if (hasMissed) process.exitCode = 1;

async function measureAt(size: number) {
  const folder = await mkdtemp(join(tmpdir(), "harborlight-api-"));
  const usage = new Usage();
  const stack = await startStack({ dataFolder: folder, port: 0, onCapacity: usage.add });
  try {
    const { client, tables, ids } = await seed(stack, size);

    const api = createClient(stack.apiUrl, stack.token, { isChecked: false });
    const read = async (url: string) => {
      for (;;) {
        usage.reset();
        const startedAt = performance.now();
        const cpu = process.cpuUsage();
        const { status, body } = await api("GET", url);
        const ms = performance.now() - startedAt;
        const { user, system } = process.cpuUsage(cpu);
        if (status === 429) await sleep(100);
        else {
          const own = usage
            .rows()
            .filter(({ caller, operation }) => /api/i.test(caller) && !/Put|Update/.test(operation));
          const units = own.reduce((sum, row) => sum + row.units, 0);
          return { status, body, ms, units, cpuMs: (user + system) / 1000 };
        }
      }
    };
    const measure = async (what: string, url: string, rounds = ROUNDS) => {
      const all = [];
      for (let round = 0; round < rounds + 1; round++) all.push(await read(url));
      const [cold, ...measured] = all;
      const last = measured.at(-1)!;
      const times = measured.map(({ ms }) => ms).sort((a, b) => a - b);
      const at = (q: number) => times[Math.min(times.length - 1, Math.ceil(q * times.length) - 1)]!;
      const text = typeof last.body === "string" ? last.body : JSON.stringify(last.body);
      const bytes = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }).length;
      const cpuMs = measured.map((one) => one.cpuMs).sort((a, b) => a - b)[Math.floor(measured.length / 2)]!;
      const first = `first ${cold!.ms.toFixed(0).padStart(5)} ms, ${cold!.units.toFixed(1).padStart(7)} read units`;
      const status = last.status === 200 ? "" : ` STATUS ${last.status}`;
      console.log(
        `${what.padEnd(36)} p50 ${at(0.5).toFixed(0).padStart(5)} ms  p95 ${at(0.95).toFixed(0).padStart(5)} ms  cpu ${cpuMs.toFixed(0).padStart(5)} ms${reference ? ` (${(cpuMs / reference).toFixed(0)} x reference)` : ""}  ${last.units.toFixed(1).padStart(7)} read units  ${String(text.length).padStart(8)} bytes, ${String(bytes).padStart(7)} br, ${String(gzipSync(text).length).padStart(7)} gzip  ${first}${status}`,
      );
      return { ...last, p95: at(0.95), bytes, cpuMs, cold: cold!.units };
    };
    await sleep(5_000); // The database still writes what was filled in.
    let reference = 0;
    reference = (await measure("reference: health", "/v1/health")).cpuMs;

    // First, so that its first reading finds nothing in memory.
    const full = await measure("overview, 90 days, 1,000 of them", "/v1/overview?bars=90d&limit=1000");
    await measure("list, 200 of them", "/v1/monitors?limit=200");
    await measure("list, by a tag", "/v1/monitors?tag=team=team-7&limit=50");
    const day = await measure("overview, 24 hours, 50 of them", "/v1/overview?limit=50");
    await sleep(1_000);
    const poll = await measure("overview, a poll that finds nothing", `/v1/overview?since=${day.body.changes}`);
    const rows = await measure("overview, 50 visible rows", `/v1/overview?ids=${ids.slice(0, 50).join(",")}`);
    await measure("uptime, 30 days", "/v1/uptime", 5);
    await measure("uptime, 90 days by day, Berlin", "/v1/uptime?from=-90d&step=1d&timeZone=Europe/Berlin", 3);
    await measure("stats of one, 30 days by day", `/v1/monitors/${ids[0]}/stats?from=-30d&step=1d`);
    await measure("incidents", "/v1/incidents");
    await measure("tags", "/v1/tags", 5);
    await measure("metrics", "/v1/metrics", 5);

    if (size === 1_000) {
      console.log(check(full.bytes < MOST_BYTES, `overview of 90 days under ${MOST_BYTES} bytes compressed`));
      console.log(check(full.p95 < MOST_MS, `overview of 90 days under ${MOST_MS} ms p95`));
    }
    console.log(check(poll.units <= MOST_UNITS, `a poll that finds nothing at most ${MOST_UNITS} read units`));
    const pages = Math.ceil(size / 1_000);
    await printMemory(client, tables);
    printCost(size, { poll: poll.units, rows: rows.units, full: full.units * pages, cold: full.cold });
  } finally {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function megabytes() {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

/** What the API keeps in memory, measured in this process with stores of its own. */
async function printMemory(
  client: DynamoDBDocumentClient,
  tables: { readonly monitors: string; readonly history: string },
) {
  const monitors = createMonitorStore(client, tables.monitors);
  const summaries = createSummaryStore(client, tables.history);
  const reader = createStatusReader(
    { summaries, stretches: createStretchStore(client, tables.history) },
    () => new Date(),
  );
  const before = megabytes();
  const { length } = await monitors.rows(new Date());
  const rows = megabytes();
  for (const period of BAR_PERIODS) await reader.times({ steps: barSteps(period, new Date()) });
  const all = megabytes();
  const [first, second] = [(rows - before).toFixed(1), (all - rows).toFixed(1)];
  console.log(`  the API keeps in memory: ${first} MB for ${length} rows, ${second} MB for summaries of all bars`);
}

interface Units {
  readonly poll: number;
  readonly rows: number;
  readonly full: number;
  /** Of a reading that finds nothing in the function's memory. */
  readonly cold: number;
}

/**
 * Open day and night: a poll every 10 s, the visible rows once a minute, everything once an hour. The function reads all
 * rows anew every two hours (`shared/store/monitor-rows.ts`), here in two instances.
 */
function printCost(size: number, units: Units) {
  const hours = ASSUMED.daysPerMonth * 24;
  const parts = [
    ["polls every 10 s", hours * 360, units.poll],
    ["50 visible rows a minute", hours * 60, units.rows],
    ["everything once an hour", hours, units.full],
    ["all rows anew, two instances", hours, units.cold],
  ] as const;
  let sum = 0;
  for (const [what, times, each] of parts) {
    const dollars = times * each * PRICES.readUnit;
    sum += dollars;
    console.log(
      `  ${what.padEnd(28)} ${times.toFixed(0).padStart(7)} x ${each.toFixed(1).padStart(7)} read units = $ ${dollars.toFixed(3)} a month`,
    );
  }
  console.log(
    check(
      sum < MOST_DOLLARS,
      `  a dashboard at ${size} monitors: $ ${sum.toFixed(3)} a month, under $ ${MOST_DOLLARS}`,
    ),
  );
}
