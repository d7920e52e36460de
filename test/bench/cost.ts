/**
 * `npm run bench -- cost [hours at 60 s] [hours at 10 s]`: what 1,000 monitors cost in a month, from one location, 1 % of
 * the targets silent. Capacity and bytes are measured on simulated time (`cost/simulation.ts`); prices and what one
 * machine cannot measure stand in `cost/prices.ts`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { synthesise } from "../../infra/local/template/synth.ts";
import { DEFAULT_RETENTION } from "../../shared/history/retention.ts";
import type { Lane } from "../../shared/model.ts";
import { printInterfaces } from "./cost/interfaces.ts";
import { ASSUMED, PRICES } from "./cost/prices.ts";
import { type Simulated, simulate } from "./cost/simulation.ts";
import { storageOf } from "./cost/storage.ts";
import { printSweeps } from "./cost/sweeps.ts";

const MONITORS = 1_000;
const TARGETS: Partial<Record<Lane, number>> = { 60: 2, 10: 10 };
const GB = 2 ** 30;
/** Names of custom metrics that a healthy installation publishes in an hour (probe: 2 timings, 3 states; compact: 1; late ones, logins and lost alerts: some). */
const METRICS = 8;

const folder = mkdtempSync(join(tmpdir(), "harborlight-cost-"));
try {
  await synthesise(folder, { locations: [{ name: "eu-west-1", region: "us-east-1", kind: "public" }], local: false });
  process.env.HARBORLIGHT_TEST_ASSEMBLY = folder;
  const [, , , hours60 = "24", hours10 = "4"] = process.argv;
  for (const [lane, hours] of [
    [60, Number(hours60)],
    [10, Number(hours10)],
  ] as const) {
    const startedAt = performance.now();
    const run = await simulate(lane, MONITORS, hours, (line) => process.stderr.write(`\r${line}   `));
    process.stderr.write(
      `\r${((performance.now() - startedAt) / 1000).toFixed(0)} s for ${hours} simulated hours at ${lane} s\n`,
    );
    await print(lane, run);
    await run.database.close();
  }
  if (!printSweeps()) process.exitCode = 1;
  if (!(await printInterfaces())) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function print(lane: Lane, run: Simulated) {
  const perMonth = ASSUMED.daysPerMonth / run.days;
  const monthSeconds = ASSUMED.daysPerMonth * 86_400;
  const rows: { part: string; amount: string; dollars: number }[] = [];
  const add = (part: string, amount: number, unit: string, dollars: number) =>
    rows.push({
      part,
      amount: `${amount.toLocaleString("en", { maximumFractionDigits: amount < 100 ? 2 : 0 })} ${unit}`,
      dollars,
    });

  const memory = memoryIn(folder);
  for (const [name, { invocations, seconds }] of Object.entries(run.functions)) {
    const gbSeconds = seconds * perMonth * (memory.get(name)! / 1024);
    add(
      `Lambda ${name}, ${(seconds / Math.max(1, invocations)).toFixed(2)} s each`,
      gbSeconds,
      "GB-s",
      gbSeconds * PRICES.lambdaGbSecond + invocations * perMonth * PRICES.lambdaRequest,
    );
  }
  const polls = ASSUMED.pollsPerQueueAndSecond * monthSeconds;
  const handled = (run.sendRequests + 2 * run.messages) * perMonth;
  add("SQS polling of the jobs queue", polls, "requests", polls * PRICES.sqsRequest);
  add("SQS messages", handled, "requests", handled * PRICES.sqsRequest);
  const schedules = monthSeconds / 60 + monthSeconds / 3_600;
  add("EventBridge schedules", schedules, "invocations", schedules * PRICES.schedulerInvocation);
  add("SNS", run.published * perMonth, "messages", run.published * perMonth * PRICES.snsPublish);

  const isWrite = (operation: string) => /Put|Update|Delete|Write/.test(operation);
  for (const caller of ["dispatch", "probe", "state-change", "deliver", "compact"]) {
    for (const kind of ["writes", "reads"] as const) {
      const own = run.usage
        .rows()
        .filter((row) => row.caller === caller && isWrite(row.operation) === (kind === "writes"));
      const units = own.reduce((sum, row) => sum + row.units, 0) * perMonth;
      add(
        `DynamoDB ${kind} of ${caller}`,
        units,
        "units",
        units * (kind === "writes" ? PRICES.writeUnit : PRICES.readUnit),
      );
    }
  }

  const stored = await storageOf(run);
  const kept = {
    [`blocks of ${DEFAULT_RETENTION.blockDays} days`]: (stored.blocks.bytes / run.days) * DEFAULT_RETENTION.blockDays,
    [`chunks of ${DEFAULT_RETENTION.chunkDays} days`]: (stored.chunks.bytes / run.days) * DEFAULT_RETENTION.chunkDays,
    [`days of ${DEFAULT_RETENTION.dayMonths} months`]:
      stored.days.bytes * DEFAULT_RETENTION.dayMonths * ASSUMED.daysPerMonth,
    "monitors and rosters": stored.monitors.bytes + stored.rosters.bytes,
  };
  for (const [part, bytes] of Object.entries(kept))
    add(`Storage of ${part}`, bytes / GB, "GB", (bytes / GB) * PRICES.storageGbMonth);
  add(
    "Point-in-time recovery of monitors",
    stored.monitorItems.bytes / GB,
    "GB",
    (stored.monitorItems.bytes / GB) * PRICES.recoveryGbMonth,
  );
  const logBytes = (run.environments + 1) * ASSUMED.metricLineBytes * (monthSeconds / 60);
  add(
    "Logs (EMF lines; system logs at WARN)",
    logBytes / GB,
    "GB",
    (logBytes / GB) * (PRICES.logsGb + PRICES.logsGbMonth),
  );

  const total = rows.reduce((sum, { dollars }) => sum + dollars, 0);
  const perOutcome = (bytes: number) => (bytes / run.outcomes).toFixed(3);
  console.log(`\n${MONITORS} monitors at ${lane} s, one location, 1 % silent; us-east-1, ${PRICES.date}, no free tier`);
  console.log(
    `  measured on ${(run.days * 24).toFixed(0)} hours: ${run.ticks} ticks, ${run.outcomes} outcomes, ${run.environments} probe environments`,
  );
  console.log(
    `  a block: ${(stored.blocks.bytes / stored.blocks.items - 100).toFixed(0)} bytes of item (one write unit: 1024), ${perOutcome(stored.blocks.data)} bytes an outcome packed`,
  );
  console.log(
    `  a chunk: ${(stored.chunks.bytes / stored.chunks.items - 100).toFixed(0)} bytes of item, ${perOutcome(stored.chunks.data)} bytes an outcome packed, ${perOutcome(stored.chunks.bytes - stored.chunks.items * 100)} as an item, ${perOutcome(stored.chunks.bytes)} as billed`,
  );
  console.log(`  a day: ${(stored.days.bytes / Math.max(1, stored.days.items) - 100).toFixed(0)} bytes of item`);
  for (const { part, amount, dollars } of rows)
    console.log(`  ${part.padEnd(42)} ${amount.padStart(22)} ${`$${dollars.toFixed(3)}`.padStart(9)}`);
  const target = TARGETS[lane]!;
  console.log(
    `  ${"A month".padEnd(42)} ${"".padStart(22)} ${`$${total.toFixed(2)}`.padStart(9)}  target $${target.toFixed(2)}: ${total <= target ? "met" : "NOT met"}`,
  );
  const alarms = alarmsIn(folder);
  const watching = METRICS * PRICES.metricMonth + alarms * PRICES.alarmMonth;
  console.log(
    `  CloudWatch apart: ${METRICS} metrics, ${alarms} metrics under alarm ${`$${watching.toFixed(2)}`.padStart(44)}  target $5.00: ${watching <= 5 ? "met" : "NOT met"}`,
  );
  if (total > target || watching > 5) process.exitCode = 1;
}

type Resource = { readonly Type: string; readonly Properties: Record<string, unknown> };

function resourcesIn(assembly: string): Resource[] {
  const templates = readdirSync(assembly).filter((file) => file.endsWith(".template.json"));
  return templates.flatMap((file) =>
    Object.values<Resource>(JSON.parse(readFileSync(join(assembly, file), "utf8")).Resources ?? {}),
  );
}

/** Megabytes by function. */
function memoryIn(assembly: string): Map<string, number> {
  const functions = resourcesIn(assembly).filter(({ Type }) => Type === "AWS::Lambda::Function");
  return new Map(
    functions.map(({ Properties }) => {
      const { Variables } = Properties.Environment as { Variables: Record<string, string> };
      return [String(Variables.POWERTOOLS_SERVICE_NAME), Number(Properties.MemorySize)];
    }),
  );
}

/** Alarms as they are billed: one for each metric that one looks at, a sum of four is four. */
function alarmsIn(assembly: string): number {
  const alarms = resourcesIn(assembly).filter(({ Type }) => Type === "AWS::CloudWatch::Alarm");
  const metricsOf = ({ Properties: { Metrics } }: Resource) =>
    (Metrics as { MetricStat?: object }[] | undefined)?.filter(({ MetricStat }) => MetricStat).length ?? 1;
  return alarms.reduce((sum, alarm) => sum + metricsOf(alarm), 0);
}
