import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SESClient, SendRawEmailCommand, SendRawEmailCommandInput } from "@aws-sdk/client-ses";
import type { PublishCommand, PublishCommandInput, SNSClient } from "@aws-sdk/client-sns";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { APIGatewayProxyEventV2, DynamoDBStreamEvent, SQSEvent } from "aws-lambda";
import { createProbes } from "../../functions/api/monitors/probes.ts";
import { createApiOf } from "../../functions/api/wiring.ts";
import { createHourlyRun } from "../../functions/compact/wiring.ts";
import { createRecordHandler as createMailHandler } from "../../functions/deliver/records.ts";
import { createDelivery } from "../../functions/deliver/wiring.ts";
import { createPlanner } from "../../functions/dispatch/wiring.ts";
import { createProbe } from "../../functions/probe/wiring.ts";
import { createRecordHandler } from "../../functions/state-change/wiring.ts";
import { outsideOf } from "../../shared/alerts/outside.ts";
import { HOUR_MS, MINUTE_MS } from "../../shared/durations.ts";
import { DEFAULT_RETENTION } from "../../shared/history/retention.ts";
import type { Job } from "../../shared/jobs.ts";
import type { Location } from "../../shared/model.ts";
import type { DispatchEvent } from "../../shared/payloads.ts";
import { createJobQueues } from "../../shared/store/jobs.ts";
import { readMail } from "../support/raw-mail.ts";
import { createApiClient, tokenItem } from "./api-client.ts";
import { Clock, draw } from "./clock.ts";
import { createDatabase } from "./database.ts";
import type { Deployment, FunctionName } from "./deployment.ts";
import { createFaults, type Faults, type Occasion } from "./faults.ts";
import { Journal } from "./journal.ts";
import { createAccount, createFunction, type Process, type SimulatedFunction } from "./lambda.ts";
import { createSweepTools, SWEEP_RIGHTS } from "./listeners.ts";
import type { Finished, Item } from "./oracle/case.ts";
import { deployed, watchClocks } from "./processes.ts";
import { LOCATIONS, queueUrl, type Scenario } from "./scenario.ts";
import {
  createLambdaService,
  createQueue,
  createSes,
  createSns,
  createSqs,
  type SimulatedQueue,
  startSchedule,
} from "./services.ts";
import { CONTEXT, consistently, loggerOf, NO_METRICS, noting } from "./stand-ins.ts";
import { createStreamMapping } from "./stream.ts";
import { createTargetEngine } from "./targets.ts";
import { windowsOf } from "./windows.ts";

const TOPICS = {
  alerts: "arn:aws:sns:us-east-1:000000000000:alerts",
  people: "arn:aws:sns:us-east-1:000000000000:people",
  system: "arn:aws:sns:us-east-1:000000000000:system",
};
const SENDER = "harborlight@example.com";
const DISPATCH = "dispatch";
const CONTROL_TARGETS = ["control-1:443", "control-2:443"];
/** Seven minutes past the hour, as the template's schedule says. */
const COMPACT_OFFSET_MS = 7 * MINUTE_MS;
/** Kept at the end of compact's time, as its `index.ts` does. */
const COMPACT_RESERVE_MS = 60_000;
/** The first pause of Lambda's before it sends records again. */
const STREAM_BACKOFF_MS = 1_000;

/** Who took a shard's seats before the scenario began was checked from here: nobody plans a tick for it. */
const REMOVED_LOCATION = "removed";

const PLACES: readonly Location[] = LOCATIONS.map((name) => ({
  name,
  region: name,
  kind: "public",
  families: ["ipv4"],
  port25: false,
  jobsQueueUrl: queueUrl(name),
  probeFunctionName: `probe-${name}`,
}));

export interface RunOptions {
  readonly deployment: Deployment;
  /** Hears of every attempt of a call before any fault is drawn. */
  readonly onCall?: (occasion: Occasion, at: number) => void;
}

export interface Run extends Finished {
  readonly faults: Faults;
  /** Hash over everything that happened: two runs of one scenario agree. */
  readonly trace: number;
}

/** Runs a scenario from its start to its end. */
export async function simulate(scenario: Scenario, { deployment, onCall }: RunOptions): Promise<Run> {
  const { seed, startMs, seconds } = scenario;
  const clock = new Clock(startMs);
  const toMs = (at: number) => startMs + at * 1000;
  const faults = createFaults({
    seed,
    now: clock.now,
    windows: windowsOf(scenario),
    ...(scenario.replay && { replay: scenario.replay }),
    ...(onCall && { onCall: (occasion, atMs) => onCall(occasion, (atMs - startMs) / 1000) }),
  });
  const account = createAccount({ clock, faults, seed, maxSkewMs: scenario.skewMs });
  const journal = new Journal(startMs, clock.now, (text) => clock.note(text));
  const tables = { monitors: deployment.tables.monitors.name, history: deployment.tables.history.name };
  const retention = scenario.retention ?? DEFAULT_RETENTION;

  // ---- services
  const database = createDatabase(account, Object.values(deployment.tables), (change) => {
    const { key, table, before, after, hasExpired } = change;
    const place = key as { readonly pk: string; readonly sk: string };
    const rosterOf = (hash: string) => database.tables.table(tables.history).peek(`ROSTER#${hash}`, "ROSTER");
    if (!hasExpired) journal.written(table, place, before, after, rosterOf);
    if (table === tables.monitors) for (const intoFunction of intoFunctions) intoFunction(change);
  });
  const journalPublication = (input: PublishCommandInput, isAccepted: boolean) => {
    const { TopicArn, Subject = "", Message = "", MessageAttributes: { event } = {} } = input;
    if (TopicArn === TOPICS.alerts) journal.published(Message, isAccepted);
    else if (TopicArn === TOPICS.people)
      journal.publishedToPeople(Message, event?.DataType === "String" ? event.StringValue : undefined, isAccepted);
    else if (isAccepted) journal.system.push({ at: journal.at, subject: Subject, message: Message });
  };
  const sns = createSns((input) => journalPublication(input, true));
  const journalMail = (input: SendRawEmailCommandInput, isAccepted: boolean) => {
    const { to, subject, text } = readMail(input);
    journal.mailed(to, subject, text, isAccepted);
  };
  const ses = createSes((input) => journalMail(input, true));
  const queues: SimulatedQueue[] = [];
  const functions = new Map<string, { readonly target: SimulatedFunction<never, unknown>; readonly retries: number }>();
  const lambda = createLambdaService(account, functions);

  // ---- functions
  const clocks = watchClocks(scenario, clock);
  const deploy = <Event>(
    name: FunctionName,
    start: (process: Process) => (event: Event) => Promise<unknown>,
    location?: string,
  ) =>
    deployed(scenario, clock, account.count, () =>
      createFunction<Event, unknown>(account, {
        name,
        ...(location && { location }),
        timeoutMs: deployment.timeoutMs[name],
        start(process) {
          clocks.adopt(process);
          return start(process);
        },
        onError: (error) => journal.error(name, error),
      }),
    );
  const clientOf = (process: Process) => process.connect<DynamoDBDocumentClient>(database.service);
  const queuesOf = (process: Process) =>
    createJobQueues(PLACES, () => process.connect<SQSClient>(createSqs(account, queues)), process.date);
  const newId = () => hex(draw(seed, account.count("id")));
  const log = (where: string) => (_level: string, _message: string, details: object) => {
    const { error } = details as { error?: unknown };
    if (error instanceof Error) journal.error(where, error);
  };

  for (const { name: location } of PLACES) {
    const probe = deploy<SQSEvent>(
      "probe",
      (process) => {
        const engine = createTargetEngine({
          scenario,
          location,
          process,
          now: clock.now,
          count: account.count,
          journal,
        });
        const { job } = createProbe({
          client: clientOf(process),
          tables,
          location,
          engine,
          controlTargets: CONTROL_TARGETS,
          retention,
          now: process.now,
          sleep: process.sleep,
          newId,
          sweepTools: createSweepTools({ scenario, location, process, now: clock.now }),
          unreadable: (error) => journal.error("probe", error),
          checked: ({ crashes }) => {
            for (const { error } of crashes) journal.error("engine", error);
          },
        });
        return async ({ Records }) => {
          for (const { body } of Records) {
            engine.job = JSON.parse(body) as Job;
            await job(engine.job);
          }
        };
      },
      location,
    );
    const queue = createQueue(account, { url: queueUrl(location), location, ...deployment.queue, consumer: probe });
    queues.push(watched(queue, location, journal, scenario));
  }

  const deliver = deploy<DynamoDBStreamEvent>("deliver", (process) => {
    const deliverTo = createDelivery({
      client: clientOf(process),
      table: tables.monitors,
      locations: LOCATIONS,
      queues: queuesOf(process),
      receivers: outsideOf({
        sns: noting(process.connect<SNSClient>(sns), (command) =>
          journalPublication((command as PublishCommand).input, false),
        ),
        ses: noting(process.connect<SESClient>(ses), (command) =>
          journalMail((command as SendRawEmailCommand).input, false),
        ),
        topics: TOPICS,
        sender: SENDER,
      }),
      url: null,
      now: process.date,
      sleep: process.sleep,
      newId,
      random: () => draw(seed, account.count("jitter")),
      log: log("deliver"),
      delivered: () => {},
    });
    const handle = createMailHandler(deliverTo);
    return ({ Records }) => handle(Records);
  });

  const stateChange = deploy<DynamoDBStreamEvent>("state-change", (process) => {
    const handle = createRecordHandler({
      client: clientOf(process),
      tables,
      locations: LOCATIONS,
      queues: queuesOf(process),
      sns: process.connect<SNSClient>(sns),
      topics: TOPICS,
      sender: SENDER,
      url: () => null,
      now: process.date,
      log: log("state-change"),
    });
    return async ({ Records }) => ({ batchItemFailures: [...(await handle(Records))] });
  });
  const intoFunctions = [
    createStreamMapping(account, {
      name: "monitors",
      consumer: stateChange,
      ...deployment.streams["state-change"],
      backoffMs: STREAM_BACKOFF_MS,
      onGiveUp: ({ dynamodb }, condition) =>
        void journal.givenUp.push({ at: journal.at, pk: dynamodb?.Keys?.pk?.S ?? "", condition }),
    }),
    createStreamMapping(account, {
      name: "mailboxes",
      consumer: deliver,
      ...deployment.streams.deliver,
      backoffMs: STREAM_BACKOFF_MS,
    }),
  ];

  const dispatch = deploy<DispatchEvent>("dispatch", (process) => {
    const planner = createPlanner({
      client: clientOf(process),
      tables,
      locations: LOCATIONS,
      kinds: Object.fromEntries(PLACES.map(({ name, kind }) => [name, kind])),
      queues: queuesOf(process),
      now: process.date,
      sleep: process.sleep,
      newId,
      log: log("dispatch"),
    });
    return (event) => (event.source === "api" ? planner.planShard(event.shard) : planner.everyMinute());
  });
  functions.set(DISPATCH, { target: dispatch as SimulatedFunction<never, unknown>, retries: 0 });

  const compact = deploy<null>("compact", (process) => {
    const run = createHourlyRun({
      client: clientOf(process),
      tables,
      locations: LOCATIONS,
      retention,
      now: process.now,
      sleep: process.sleep,
      unreadable: (error) => journal.error("compact", error),
    });
    return () => {
      const untilMs = clock.now() + deployment.timeoutMs.compact - COMPACT_RESERVE_MS;
      return run("schedule", () => clock.now() < untilMs);
    };
  });

  const api = deploy<APIGatewayProxyEventV2>("api", (process) => {
    const handle = createApiOf({
      client: clientOf(process),
      tables,
      version: "0.0.0",
      locations: PLACES,
      retention,
      sweepRights: SWEEP_RIGHTS,
      probes: createProbes(PLACES, DISPATCH, {
        queues: queuesOf(process),
        lambdaOf: () => process.connect<LambdaClient>(lambda),
      }),
      receivers: outsideOf({
        sns: process.connect<SNSClient>(sns),
        ses: process.connect<SESClient>(ses),
        topics: TOPICS,
        sender: undefined,
      }),
      sns: process.connect<SNSClient>(sns),
      topics: TOPICS,
      deadLetterArn: undefined,
      openapi: async () => "",
      logger: loggerOf(journal),
      metrics: NO_METRICS,
      now: process.date,
      sleep: process.sleep,
      newId,
    });
    return (event) => handle(event, CONTEXT);
  });

  // ---- what happens
  const put = (Item: Record<string, unknown>) =>
    database.tables.send(new PutCommand({ TableName: tables.monitors, Item }));
  await put(tokenItem(startMs));
  for (const [lane, members] of Object.entries(scenario.seatsTaken ?? {}))
    await put({
      pk: "SHARD",
      sk: `${lane}#0`,
      phase: 0,
      members,
      locations: new Set([REMOVED_LOCATION]),
      settingsRevision: 1,
    });
  startSchedule(account, {
    name: "every minute",
    everyMs: MINUTE_MS,
    jitterMs: scenario.jitterMs,
    retries: 0,
    invoke: () => dispatch.invoke({ source: "schedule" }),
  });
  startSchedule(account, {
    name: "every hour",
    everyMs: HOUR_MS,
    offsetMs: COMPACT_OFFSET_MS,
    jitterMs: scenario.jitterMs,
    retries: 1,
    async invoke() {
      const ended = await compact.invoke(null);
      journal.hourly.push({ at: journal.at, ok: ended.how === "answered" });
      return ended;
    },
  });
  const client = createApiClient({ scenario, clock, journal, api });
  for (const { at, settings } of scenario.monitors)
    clock.at(toMs(at), () => void client({ at, key: settings.key, action: "create", settings }));
  for (const edit of scenario.edits) clock.at(toMs(edit.at), () => void client(edit));
  await clock.run(toMs(seconds));

  return {
    scenario,
    journal,
    // What is checked stands in one attribute of the table, and beside the others for the oracle.
    monitors: [...database.tables.table(tables.monitors).items()].map(
      (item) => ({ ...item, ...(item.check as object | undefined) }) as Item,
    ),
    client: consistently(database.tables),
    tables,
    mishaps: faults.struck.map(({ fault, occasion, atMs }) => ({
      at: (atMs - startMs) / 1000,
      caller: occasion,
      what: fault,
    })),
    faults,
    trace: clock.trace,
  };
}

/** A queue that writes down which ticks come into it. */
function watched(
  queue: SimulatedQueue,
  location: string,
  { queued }: Journal,
  { spotDelaySeconds = 0 }: Scenario,
): SimulatedQueue {
  return {
    ...queue,
    send(body, delaySeconds) {
      const job = JSON.parse(body) as Job;
      if (job.kind === "tick")
        for (const shard of job.shards) {
          const key = `${shard} ${location} ${job.tick}`;
          queued.set(key, (queued.get(key) ?? 0) + 1);
        }
      queue.send(body, delaySeconds + (job.kind === "spot" ? spotDelaySeconds : 0));
    },
  };
}

const hex = (drawn: number) => Math.floor(drawn * 2 ** 32).toString(16);
