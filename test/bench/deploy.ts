/**
 * `npm run bench -- deploy`: the deployed bundles at the share of a processor and the heap that Lambda gives them, against
 * their time-outs: dispatch with 10,000 monitors, a location that falls silent, and 250 TLS checks in one job, at several
 * memory sizes of the probe with what a month of them would cost.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { bundle, type FunctionName } from "../../infra/bundle.ts";
import { synthesise } from "../../infra/local/template/synth.ts";
import { loadTemplate } from "../../infra/local/template/template.ts";
import { DEFAULT_RETENTION } from "../../shared/history/retention.ts";
import { type Lane, SHARD_CAPACITY } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import { locationKey } from "../../shared/store/keys.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createShardStore } from "../../shared/store/shards.ts";
import { monitorOf, putMonitor } from "../support/monitors.ts";
import { serve, serveTls } from "../support/servers.ts";
import { PRICES } from "./cost/prices.ts";
import { holdToShare } from "./deploy/share.ts";
import type { EnvironmentReport } from "./memory/environment.ts";

const MONITORS = 10_000;
const LOCATIONS = ["here", "far"];
const BATCH = 25;
const JOBS = 5;
const JOBS_A_MONTH = 30 * 24 * 60;

const folder = mkdtempSync(join(tmpdir(), "harborlight-deploy-"));
try {
  await bundle();
  await synthesise(folder, {});
  process.env.HARBORLIGHT_TEST_ASSEMBLY = folder;
  const { startTables } = await import("../support/tables.ts");
  const deployed = new Map(
    loadTemplate(folder, { gatewayUrl: "http://127.0.0.1:1" })
      .filter(({ type }) => type === "AWS::Lambda::Function")
      .map(({ properties: { MemorySize, Timeout, Environment } }) => {
        const { POWERTOOLS_SERVICE_NAME: name } = (Environment as { Variables: Record<string, string> }).Variables;
        return [name!, { memoryMb: Number(MemorySize), timeoutSeconds: Number(Timeout) }] as const;
      }),
  );
  await using queues = await serveQueues();
  console.log("                                        memory   time-out   wall s    CPU s   resident MB   own MB");

  // `npm run bench -- deploy tls` leaves out the rest.
  if (process.argv[3] !== "tls") await planAndFallSilent();
  await tlsJobs();

  async function planAndFallSilent() {
    await using tables = await startTables();
    await fill(tables, 10, MONITORS, () => ({}));
    const store = createLocationStore(tables.client, tables.tables.monitors);
    for (const name of LOCATIONS) await store.beat(name, new Date(), new Date());
    await using dispatch = await environment("dispatch", tables);
    const everyMinute = { source: "schedule" };
    report(`dispatch, first plan of ${MONITORS} at 10 s`, dispatch, await dispatch.handle(everyMinute));
    console.log(`    jobs sent: ${queues.take()}`);
    const silentSince = new Date(Date.now() - 600_000).toISOString();
    await tables.client.send(
      new UpdateCommand({
        TableName: tables.tables.monitors,
        Key: locationKey("far"),
        UpdateExpression: "SET lastHeartbeatAt = :at, askingSince = :at",
        ExpressionAttributeValues: { ":at": silentSince },
      }),
    );
    for (let run = 1; run <= 5; run++) {
      report(`dispatch, location silent, run ${run}`, dispatch, await dispatch.handle(everyMinute));
      const left = await toNudge(tables);
      console.log(`    shards still to bring up: ${left}`);
      if (left === 0) break;
    }
    await using stateChange = await environment("state-change", tables);
    const Records = Array.from({ length: BATCH }, (_, n) => ({
      eventID: String(n),
      eventName: "MODIFY",
      dynamodb: { Keys: { pk: { S: `MONITOR#${idOf(n)}` }, sk: { S: "MONITOR" } }, SequenceNumber: String(n) },
    }));
    for (const run of ["cold", "warm"])
      report(`state-change, ${BATCH} of them, ${run}`, stateChange, await stateChange.handle({ Records }));
  }

  async function tlsJobs() {
    const targets = {
      tls: await Promise.all(Array.from({ length: 20 }, () => serveTls((socket) => socket.resume()))),
      tcp: [await serve((socket) => socket.resume())],
    };
    const settings = { tls: { tls: { verify: false, warnDays: 0 } }, tcp: {} };
    for (const share of [0, 0.04, 0.1, 0.25, 1]) {
      const costs: string[] = [];
      for (const memoryMb of [128, 256, 512]) {
        await using tables = await startTables();
        const shard = await fill(tables, 60, SHARD_CAPACITY, (n) => {
          const kind = n % 100 < share * 100 ? "tls" : "tcp";
          return {
            port: targets[kind][n % targets[kind].length]!.port,
            settings: settings[kind],
            degradedAboveMs: 500,
          };
        });
        await using probe = await environment("probe", tables, memoryMb);
        const seen: EnvironmentReport[] = [];
        for (let job = 0; job < JOBS; job++) {
          // A tick that was seen already has nothing to do.
          await sleep(1_000);
          const body = JSON.stringify({ kind: "tick", shards: shard, tick: Math.floor(Date.now() / 1000) });
          seen.push(await probe.handle({ Records: [{ messageId: "1", body }] }));
        }
        const [median] = seen.toSorted((a, b) => a.wallMs - b.wallMs).slice(Math.floor(JOBS / 2));
        report(`probe, ${SHARD_CAPACITY} checks, ${share * 100} % TLS`, probe, median!);
        const gigabyteSeconds = (memoryMb / 1024) * (median!.wallMs / 1000) * JOBS_A_MONTH;
        costs.push(`${memoryMb} MB $${(gigabyteSeconds * PRICES.lambdaGbSecond).toFixed(2)}`);
      }
      console.log(`    Lambda time of a month at 60 s: ${costs.join(", ")}`);
    }
    for (const target of Object.values(targets).flat()) await target[Symbol.asyncDispose]();
  }

  type Tables = Awaited<ReturnType<typeof startTables>>;

  /** @returns the names of the shards */
  async function fill(tables: Tables, lane: Lane, count: number, more: (n: number) => object): Promise<string[]> {
    const store = createShardStore(tables.client, tables.tables.monitors);
    const names = new Set<string>();
    const seats: string[] = [];
    for (let n = 0; n < count; n++) {
      const { shard } = await store.place(lane, LOCATIONS);
      names.add(shard);
      seats.push(shard);
    }
    await inParallel([...seats.entries()], 16, async ([n, shard]) => {
      const placements = [{ shard, fromTick: 0, toTick: null }];
      const common = { id: idOf(n), intervalSeconds: lane, shard, placements, locations: LOCATIONS };
      await putMonitor(tables, monitorOf({ ...common, ...more(n) }));
    });
    return [...names];
  }

  async function toNudge(tables: Tables): Promise<number> {
    const { Items = [] } = await tables.client.send(
      new QueryCommand({
        TableName: tables.tables.monitors,
        KeyConditionExpression: "pk = :pk AND sk = :sk",
        ExpressionAttributeValues: { ":pk": "LOCATION#far", ":sk": "STATE" },
      }),
    );
    const [state] = Items;
    return state?.toNudge ? [...state.toNudge].length : 0;
  }

  /** A function as it is deployed, or with another memory, in a process of its own. */
  async function environment(name: FunctionName, tables: Tables, memoryMb = deployed.get(name)!.memoryMb) {
    const location = (place: string) => ({
      name: place,
      region: "us-east-1",
      kind: "local",
      families: ["ipv4"],
      port25: true,
      jobsQueueUrl: `${queues.url}/000000000000/${place}`,
      probeFunctionName: place,
    });
    const child: ChildProcess = fork(join(import.meta.dirname, "memory", "environment.ts"), {
      // As Lambda's Node runtime sets them.
      execArgv: [
        `--max-semi-space-size=${Math.max(1, Math.floor(memoryMb * 0.05))}`,
        `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`,
      ],
      env: {
        BUNDLE: name,
        MONITORS_TABLE: tables.tables.monitors,
        HISTORY_TABLE: tables.tables.history,
        TABLES_REGION: "us-east-1",
        LOCATION: JSON.stringify(location("here")),
        LOCATIONS: JSON.stringify(LOCATIONS.map(location)),
        CONTROL_TARGETS: "[]",
        RETENTION: JSON.stringify(DEFAULT_RETENTION),
        ALERTS_TOPIC_ARN: "arn:aws:sns:us-east-1:000000000000:alerts",
        SYSTEM_TOPIC_ARN: "arn:aws:sns:us-east-1:000000000000:system",
        API_URL: "http://127.0.0.1",
        AWS_ENDPOINT_URL_DYNAMODB: tables.endpoint,
        AWS_ENDPOINT_URL_SQS: queues.url,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_LAMBDA_FUNCTION_NAME: name,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: "Harborlight",
        POWERTOOLS_LOG_LEVEL: "WARN",
      },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    await once(child, "message");
    const release = holdToShare(child.pid!, memoryMb);
    if (!release) console.log("    no control group may be made here: what follows had the whole processor");
    return {
      memoryMb,
      timeoutSeconds: deployed.get(name)!.timeoutSeconds,
      handle: async (event: object): Promise<EnvironmentReport> => {
        child.send(event);
        const [answer] = (await once(child, "message")) as [EnvironmentReport];
        return answer;
      },
      [Symbol.asyncDispose]: async () => {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
        release?.();
      },
    };
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

function idOf(n: number): string {
  return `m${String(n).padStart(19, "0")}`;
}

function report(
  what: string,
  { memoryMb, timeoutSeconds }: { readonly memoryMb: number; readonly timeoutSeconds: number },
  { wallMs, cpuMs, residentMb, ownMb, error }: EnvironmentReport,
) {
  const isLate = wallMs > timeoutSeconds * 1000;
  if (isLate || error) process.exitCode = 1;
  const figures = [wallMs / 1000, cpuMs / 1000].map((value) => value.toFixed(2).padStart(9));
  const sizes = [residentMb, ownMb].map((value) => value.toFixed(0).padStart(10));
  const fault = error ?? (isLate ? "TIMED OUT" : "");
  console.log(
    `${what.padEnd(38)}${`${memoryMb} MB`.padStart(8)}${`${timeoutSeconds} s`.padStart(11)}${figures.join("")}${sizes.join("")}   ${fault}`,
  );
}

/** Takes whatever is sent to a queue, and counts it. */
async function serveQueues() {
  let taken = 0;
  const md5 = (text: string) => createHash("md5").update(text).digest("hex");
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { Entries = [] } = JSON.parse(Buffer.concat(chunks).toString()) as {
      Entries?: { Id: string; MessageBody: string }[];
    };
    taken += Entries.length;
    const Successful = Entries.map(({ Id, MessageBody }) => ({
      Id,
      MessageId: Id,
      MD5OfMessageBody: md5(MessageBody),
    }));
    response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
    response.end(JSON.stringify({ Successful, Failed: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const count = taken;
      taken = 0;
      return count;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
