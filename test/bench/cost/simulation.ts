/**
 * A day of 1,000 monitors in minutes: the real dispatch, probe, state-change and compact code on the local database, with
 * the clock moved from event to event. Only the network is made up: an engine answers with the noise model, and
 * takes as long as the requests that it gets imply.
 */
import { randomUUID } from "node:crypto";
import type { SESClient } from "@aws-sdk/client-ses";
import type { SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBRecord } from "aws-lambda";
import { createHourlyRun } from "../../../functions/compact/wiring.ts";
import { createRecordHandler as createMailHandler } from "../../../functions/deliver/records.ts";
import { createDelivery } from "../../../functions/deliver/wiring.ts";
import { createPlanner } from "../../../functions/dispatch/wiring.ts";
import { createProbe } from "../../../functions/probe/wiring.ts";
import { newestOfEachItem } from "../../../functions/state-change/records.ts";
import { createRecordHandler } from "../../../functions/state-change/wiring.ts";
import { type LocalDatabase, openDatabase } from "../../../infra/local/dynamodb/database.ts";
import { STREAM_START } from "../../../infra/local/dynamodb/streams.ts";
import { outsideOf } from "../../../shared/alerts/outside.ts";
import type { BatchOptions, CheckRequest, Engine } from "../../../shared/engine/run.ts";
import { DEFAULT_RETENTION } from "../../../shared/history/retention.ts";
import type { Job, PlannedJob } from "../../../shared/jobs.ts";
import type { Facts, Lane, Outcome } from "../../../shared/model.ts";
import { chunksOf } from "../../../shared/rules/plan.ts";
import { MAILBOX_SK, MONITOR_SK, STATE_SK } from "../../../shared/store/keys.ts";
import { createMonitorStore } from "../../../shared/store/monitors.ts";
import { createShardStore } from "../../../shared/store/shards.ts";
import { createStretchStore } from "../../../shared/store/stretches.ts";
import { inProcessClient } from "../../support/in-process-client.ts";
import { monitorOf, viewOf } from "../../support/monitors.ts";
import { noisyTarget } from "../../support/noise.ts";
import { tableDefinitions } from "../../support/schema.ts";
import { Usage } from "../../support/usage.ts";
import { ASSUMED } from "./prices.ts";

const LOCATION = "eu-west-1";
/** 2026-12-01T00:00:00Z: after the moments in the monitors that tests make. */
const MIDNIGHT = 1_796_083_200;

export interface FunctionUse {
  invocations: number;
  /** Billed seconds. */
  seconds: number;
}

export interface Simulated {
  readonly database: LocalDatabase;
  readonly usage: Usage;
  readonly tables: { readonly monitors: string; readonly history: string };
  readonly functions: Record<"dispatch" | "probe" | "state-change" | "deliver" | "compact", FunctionUse>;
  /** Through the location's queue. */
  readonly messages: number;
  readonly sendRequests: number;
  readonly published: number;
  readonly ticks: number;
  readonly outcomes: number;
  /** Warm environments of the probe that ran ticks, and so print a line of metrics every minute. */
  readonly environments: number;
  readonly days: number;
}

/** @param hours before a midnight, which ends a day; 24 is exact, fewer leave reads of a day's chunks out */
export async function simulate(
  lane: Lane,
  monitors: number,
  hours: number,
  say: (line: string) => void,
): Promise<Simulated> {
  const definitions = tableDefinitions();
  const clock = { ms: (MIDNIGHT - hours * 3_600 - 120) * 1000 };
  const nowMs = () => clock.ms;
  const now = () => new Date(clock.ms);
  const usage = new Usage();
  const database = await openDatabase({ tables: Object.values(definitions), now: nowMs, onCapacity: usage.add });
  const tables = { monitors: definitions.monitors.name, history: definitions.history.name };
  const requests = { count: 0 };
  const clientOf = (caller: string) => inProcessClient(database, caller, { requests });

  // ---- the fleet, exactly one target in a hundred silent
  const setup = clientOf("setup");
  const shards = createShardStore(setup, tables.monitors);
  const store = createMonitorStore(setup, tables.monitors);
  const stretches = createStretchStore(setup, tables.history, DEFAULT_RETENTION);
  const targets = new Map<string, ReturnType<typeof noisyTarget>>();
  for (let n = 0; n < monitors; n++) {
    const { shard } = await shards.place(lane, [LOCATION]);
    const id = `${(n * 2_654_435_761) >>> 0}`.padStart(10, "0").repeat(2);
    targets.set(id, noisyTarget(n + 1, { silentShare: n % 100 === 0 ? 1 : 0, intervalSeconds: lane }));
    const placements = [{ shard, fromTick: 0, toTick: null }];
    const settings = { name: `Service number ${n}`, host: `service-${n}.example.com`, tags: { team: "operations" } };
    const timing = {
      intervalSeconds: lane,
      timeoutMs: lane === 10 ? 2_000 : 5_000,
      retries: { count: 2, delayMs: 1_000 },
    };
    const known = { ...learned(id, settings.host, clock.ms), locations: [LOCATION], ...settings, ...timing };
    await store.create(monitorOf({ id, shard, placements, ...known }), clock.ms);
    await stretches.record(id, known.lastStretch, 0);
  }

  // ---- functions
  const functions: Simulated["functions"] = {
    dispatch: { invocations: 0, seconds: 0 },
    probe: { invocations: 0, seconds: 0 },
    "state-change": { invocations: 0, seconds: 0 },
    deliver: { invocations: 0, seconds: 0 },
    compact: { invocations: 0, seconds: 0 },
  };
  let [messages, sendRequests, published, ticks, outcomes] = [0, 0, 0, 0, 0];
  /** @param memoryMb decides how long processor time takes. @param waitedMs beside the requests */
  const bill = async (
    name: keyof Simulated["functions"],
    memoryMb: number,
    work: () => Promise<{ waitedMs: number; cpuMs: number }>,
  ) => {
    const before = requests.count;
    const { waitedMs, cpuMs } = await work();
    const made = requests.count - before;
    const onCore = (made * ASSUMED.requestCpuMs + cpuMs) / Math.min(1, memoryMb / ASSUMED.memoryOfCoreMb);
    functions[name].invocations++;
    const seconds = Math.max(waitedMs + made * ASSUMED.requestMs, onCore) / 1000;
    functions[name].seconds += seconds;
    return seconds;
  };

  const [forDispatch, forProbe, forState, forDeliver, forCompact] = [
    "dispatch",
    "probe",
    "state-change",
    "deliver",
    "compact",
  ].map(clientOf) as [typeof setup, typeof setup, typeof setup, typeof setup, typeof setup];
  const queue: { job: Job; at: number }[] = [];
  const queues = async (jobs: readonly PlannedJob[]) => {
    for (const { job, dueAtSeconds } of jobs)
      queue.push({ job, at: Math.max(Math.ceil(clock.ms / 1000), dueAtSeconds) });
    messages += jobs.length;
    sendRequests += Math.ceil(jobs.length / ASSUMED.messagesPerSend);
    return { rejected: new Set<PlannedJob>(), errors: new Map<string, Error>() };
  };
  const planner = createPlanner({
    client: forDispatch,
    tables,
    locations: [LOCATION],
    queues,
    now,
    sleep: async () => {},
    newId: randomUUID,
    log: (_level, message, details) => {
      throw new Error(message, { cause: details });
    },
  });

  const engine = madeUpEngine(targets);
  const isBroken = (error: Error) => {
    throw error;
  };
  const newEnvironment = () => {
    const done = { checks: 0 };
    const probe = createProbe({
      client: forProbe,
      tables,
      location: LOCATION,
      engine,
      controlTargets: [],
      retention: DEFAULT_RETENTION,
      now: nowMs,
      sleep: async () => {},
      newId: randomUUID,
      unreadable: isBroken,
      checked: (report) => {
        ticks++;
        done.checks += report.outcomes.size;
      },
    });
    return { probe, done, freeAt: 0, ticks: 0 };
  };
  const environments: ReturnType<typeof newEnvironment>[] = [];
  const runJob = async (job: Job) => {
    const idle = environments.find(({ freeAt }) => freeAt <= clock.ms);
    const environment = idle ?? newEnvironment();
    if (!idle) environments.push(environment);
    const seconds = await bill("probe", 128, async () => {
      environment.done.checks = 0;
      if (job.kind === "tick") environment.ticks++;
      await environment.probe.job(job);
      const { checks } = environment.done;
      outcomes += checks;
      return { waitedMs: engine.takeWaitedMs(), cpuMs: job.kind === "tick" ? checks * ASSUMED.checkCpuMs : 2 };
    });
    environment.freeAt = clock.ms + seconds * 1000;
  };

  const heard = { send: async () => void published++ };
  const outside = {
    sns: heard as unknown as SNSClient,
    topics: { alerts: "alerts", people: "people", system: "system" },
    sender: "alerts@example.com",
    now,
    log: (level: string, message: string, details: object) => {
      if (level === "error") throw new Error(message, { cause: details });
    },
  };
  const handleRecords = createRecordHandler({
    ...outside,
    client: forState,
    tables,
    locations: [LOCATION],
    queues,
    url: (id) => `https://example.execute-api.us-east-1.amazonaws.com/v1/monitors/${id}`,
  });
  const deliver = createMailHandler(
    createDelivery({
      now,
      log: outside.log,
      client: forDeliver,
      table: tables.monitors,
      locations: [LOCATION],
      queues,
      receivers: outsideOf({ ...outside, ses: heard as unknown as SESClient }),
      newId: randomUUID,
      random: Math.random,
      url: null,
      sleep: async () => {},
      delivered: () => {},
    }),
  );
  const stream = database.streams;
  const { streamArn } = await import("../../../infra/local/dynamodb/table-definition.ts");
  const arn = streamArn(definitions.monitors.arn);
  let sequence = STREAM_START;
  const followStream = async () => {
    for (;;) {
      const records = await stream.read(arn, sequence, 25);
      if (records.length === 0) return;
      sequence = records.at(-1)!.dynamodb.SequenceNumber;
      // The filters of the event source mappings.
      const withKey = (...sortKeys: string[]) =>
        records.filter(
          ({ eventName, dynamodb }) =>
            eventName !== "REMOVE" && sortKeys.includes((dynamodb.Keys.sk as { S: string }).S),
        ) as DynamoDBRecord[];
      const changes = withKey(MONITOR_SK, STATE_SK);
      if (changes.length > 0)
        await bill("state-change", 256, async () => {
          await handleRecords(changes);
          return { waitedMs: 0, cpuMs: newestOfEachItem(changes).length * 2 };
        });
      for (const batch of chunksOf(withKey(MAILBOX_SK), 10))
        await bill("deliver", 256, async () => {
          await deliver(batch);
          return { waitedMs: batch.length * ASSUMED.requestMs, cpuMs: batch.length * 2 };
        });
    }
  };

  const compact = createHourlyRun({
    client: forCompact,
    tables,
    locations: [LOCATION],
    retention: DEFAULT_RETENTION,
    now: nowMs,
    sleep: async () => {},
    unreadable: isBroken,
  });

  // ---- time
  const begin = MIDNIGHT - hours * 3_600;
  for (let minute = begin - 120; minute < MIDNIGHT; minute += 60) {
    clock.ms = minute * 1000;
    if (minute === begin) {
      // What creating them cost is no month's cost.
      usage.reset();
      for (const use of Object.values(functions)) Object.assign(use, { invocations: 0, seconds: 0 });
      [messages, sendRequests, published, ticks, outcomes] = [0, 0, 0, 0, 0];
    }
    if (minute % 3_600 === 0) say(`${new Date(clock.ms).toISOString()}: ${ticks} ticks`);
    await bill("dispatch", 128, async () => {
      await planner.everyMinute();
      return { waitedMs: 500, cpuMs: 5 }; // half a second to the next whole one, on average
    });
    queue.sort((a, b) => a.at - b.at);
    while (queue[0] && queue[0].at < minute + 60) {
      const { job, at } = queue.shift()!;
      clock.ms = Math.max(clock.ms, at * 1000);
      await runJob(job);
      await followStream();
    }
    if (minute % 3_600 === 0) await runCompact();
  }
  // The hour in which the day's last window settles.
  clock.ms = (MIDNIGHT + lane + 180) * 1000;
  await runCompact();
  await followStream();
  return {
    database,
    usage,
    tables,
    functions,
    messages,
    sendRequests,
    published,
    ticks,
    outcomes,
    environments: environments.filter(({ ticks }) => ticks > 0).length,
    days: hours / 24,
  };

  async function runCompact() {
    await bill("compact", 512, async () => {
      const startedAt = process.cpuUsage();
      await compact("schedule", () => true);
      const { user, system } = process.cpuUsage(startedAt);
      // The database's own processor time is in it: more than Lambda would bill.
      return { waitedMs: 0, cpuMs: (user + system) / 1000 };
    });
  }
}

/** A monitor that has run for long: what its service says of itself was learned once, and costs nothing in a month. */
function learned(id: string, host: string, nowMs: number) {
  const tick = Math.floor(nowMs / 1000);
  const says = [factsOf(id, 0), factsOf(id, 1)];
  const keys = Object.keys(says[0]!);
  const values = Object.fromEntries(keys.map((key) => [key, [...new Set(says.map((one) => one[key]!))]]));
  const sightings = Object.entries(values).map(
    ([key, list]) => [key, list.map((value) => ({ value, ...(list.length > 1 && { returned: 3 }) }))] as const,
  );
  const facts = { checks: 3, values: Object.fromEntries(sightings) };
  const { protocol, port } = monitorOf({});
  const since = new Date(nowMs).toISOString();
  return {
    status: "up" as const,
    since,
    lastStretch: { status: "up" as const, since },
    views: { [LOCATION]: { ...viewOf("up", tick), facts } },
    baseline: {
      target: { protocol, host, port },
      learned: [LOCATION],
      values,
      changes: {},
      further: 0,
      advisory: null,
    },
  };
}

/** What a service says of itself: that of one in ten are two servers that answer in turn. */
const factsOf = (id: string, turn: number): Facts => ({
  "dns.addresses": "192.0.2.0/24",
  "tls.issuer": "Example CA R3",
  "tls.names": `service-${id}.example.com`,
  "tls.key": "ECDSA 256",
  "tls.version": "TLSv1.3",
  "tls.spki": id.endsWith("7") && turn % 2 === 0 ? "SHA256:4qp2" : "SHA256:9fk1",
});

/** Answers from the noise model; `takeWaitedMs` tells how long the slowest batch since the last question would have taken. */
function madeUpEngine(targets: ReadonlyMap<string, ReturnType<typeof noisyTarget>>) {
  let tick = 0;
  let waitedMs = 0;
  return {
    takeWaitedMs() {
      const taken = waitedMs;
      waitedMs = 0;
      return taken;
    },
    async runBatch(requests: readonly CheckRequest[], { deadlineAtMs, presentHealth, onOutcome }: BatchOptions) {
      const outcomes = new Map<string, Outcome>();
      tick = Math.floor(deadlineAtMs / 1000);
      for (const { id, check, effectiveTimeoutMs } of requests) {
        const seen = targets.get(id)!(tick);
        const attemptMs = seen.latencyMs ?? (seen.state === "closed" ? 20 : (effectiveTimeoutMs ?? check.timeoutMs));
        // Attempts that contradict the view, or fail without one, are made again.
        const present = presentHealth?.(id) ?? null;
        const isRetried = seen.health === "down" ? present !== "down" : present === "down";
        const attempts = isRetried ? 1 + check.retries.count : 1;
        waitedMs = Math.max(waitedMs, attempts * attemptMs + (attempts - 1) * check.retries.delayMs);
        const outcome: Outcome = {
          state: seen.state,
          reason: seen.reason,
          health: seen.health,
          message: `${check.host} port ${check.port}: ${seen.state}`,
          address: "192.0.2.10",
          timings: seen.latencyMs === null ? {} : { connectMs: seen.latencyMs, latencyMs: seen.latencyMs },
          traffic: { bytesSent: 0, bytesReceived: 0 },
          ...(seen.lossPercent !== null && { lossPercent: seen.lossPercent }),
          evidence: {},
          attempts,
          ...(seen.health !== "down" && { facts: factsOf(id, Math.floor(tick / check.intervalSeconds)) }),
        };
        outcomes.set(id, outcome);
        onOutcome?.(id, outcome);
      }
      return { outcomes, late: [], crashes: [] };
    },
    runOne: () => Promise.reject(new Error("nobody asks for single checks here")),
  } satisfies Engine & { takeWaitedMs: () => number };
}
