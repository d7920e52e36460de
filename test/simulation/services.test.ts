/** Queues, stream and schedules between simulated functions. */
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent, SQSEvent } from "aws-lambda";
import { expect, test } from "vitest";
import { Clock } from "./clock.ts";
import { createFaults, type FaultName } from "./faults.ts";
import { createAccount, createFunction, Process, type SimulatedFunction } from "./lambda.ts";
import { createLambdaService, createQueue, createSqs, startSchedule } from "./services.ts";
import { createStreamMapping, type MappingOptions } from "./stream.ts";
import type { Change } from "./table.ts";

const START = 1_796_083_200_000;

function start(...always: FaultName[]) {
  const clock = new Clock(START);
  const windows = always.map((fault) => ({ fault, strength: 1, fromMs: 0, toMs: Number.POSITIVE_INFINITY }));
  const faults = createFaults({ seed: "1", now: clock.now, windows });
  return { clock, account: createAccount({ clock, faults, seed: "1", maxSkewMs: 0 }) };
}

function startQueue(always: FaultName[] = [], fails = (_body: string, _receives: number) => false) {
  const { clock, account } = start(...always);
  const received: { body: string; atMs: number }[] = [];
  const dead: string[] = [];
  const consumer = createFunction<SQSEvent, unknown>(account, {
    name: "probe",
    timeoutMs: 75_000,
    start:
      () =>
      async ({ Records: [record] }) => {
        const { body, attributes } = record!;
        received.push({ body, atMs: clock.now() - START });
        if (fails(body, Number(attributes.ApproximateReceiveCount))) throw new Error("failed");
      },
  });
  const queue = createQueue(account, {
    url: "https://sqs/jobs",
    visibilityMs: 90_000,
    retentionMs: 3_600_000,
    maxReceives: 3,
    consumer,
    onDeadLetter: (body) => dead.push(body),
  });
  const sqs = new Process(account, "dispatch").connect<SQSClient>(createSqs(account, [queue]));
  const send = (...bodies: string[]) =>
    sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: bodies.map((MessageBody, n) => ({ Id: String(n), MessageBody, DelaySeconds: 10 })),
      }),
    );
  return { clock, received, dead, send };
}

test("a message arrives once, after its delay", async () => {
  const { clock, received, send } = startQueue();
  void send("a", "b");
  await clock.run(START + 3_600_000);
  expect(received.map(({ body }) => body).toSorted()).toEqual(["a", "b"]);
  for (const { atMs } of received) {
    expect(atMs).toBeGreaterThan(10_000);
    expect(atMs).toBeLessThan(12_000);
  }
});

test("a failed message comes again when its visibility ends; after three receives it is dead", async () => {
  const { clock, received, dead, send } = startQueue([], (body) => body === "bad");
  void send("bad", "good");
  await clock.run(START + 3_600_000);
  expect(received.map(({ body }) => body).toSorted()).toEqual(["bad", "bad", "bad", "good"]);
  expect(dead).toEqual(["bad"]);
});

test.each<[FaultName, number]>([
  ["duplicate", 2],
  ["received-again", 3],
  ["not-received", 0],
])("with the fault %s it is received %i times", async (fault, times) => {
  const { clock, received, send } = startQueue([fault]);
  void send("a");
  await clock.run(START + 3_600_000);
  expect(received).toHaveLength(times);
});

test("a part of a batch is not taken, and said so", async () => {
  const { clock, received, send } = startQueue(["partial"]);
  const failed: string[] = [];
  void send("a", "b", "c").then(({ Failed }) => failed.push(...(Failed ?? []).map(({ Id }) => Id!)));
  await clock.run(START + 60_000);
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length + received.length).toBe(3);
});

function startStream(
  always: FaultName[],
  handler: (keys: readonly string[]) => DynamoDBBatchResponse | undefined,
  more: Partial<MappingOptions> = {},
) {
  const { clock, account } = start(...always);
  const batches: string[][] = [];
  const givenUp: string[] = [];
  const consumer: SimulatedFunction<DynamoDBStreamEvent, unknown> = createFunction(account, {
    name: "state-change",
    timeoutMs: 60_000,
    start:
      () =>
      async ({ Records }: DynamoDBStreamEvent) => {
        const keys = Records.map(({ dynamodb }) => `${dynamodb?.Keys?.sk?.S} ${dynamodb?.SequenceNumber?.slice(-1)}`);
        batches.push(keys);
        return handler(keys);
      },
  });
  const take = createStreamMapping(account, {
    name: "stream",
    consumer,
    wants: ({ after }) => after !== undefined,
    batchSize: 25,
    maxRetries: 5,
    maxAgeMs: 3_600_000,
    backoffMs: 100,
    onGiveUp: ({ dynamodb }, condition) => givenUp.push(`${dynamodb?.Keys?.sk?.S} ${condition}`),
    ...more,
  });
  const write = (sk: string, change: Partial<Change> = {}) =>
    take({
      table: "monitors",
      key: { pk: "one partition", sk },
      before: undefined,
      after: {},
      hasExpired: false,
      ...change,
    });
  return { clock, batches, givenUp, write };
}

test("the records of a partition come in order; the mapping's filter holds", async () => {
  const { clock, batches, write } = startStream([], () => undefined);
  for (const sk of ["a", "b", "a"]) write(sk);
  write("gone", { after: undefined });
  await clock.run(START + 60_000);
  expect(batches).toEqual([["a 0", "b 1", "a 2"]]);
});

test("a failing record is found by halving, tried five times more, and given up alone", async () => {
  const { clock, batches, givenUp, write } = startStream([], (keys) => {
    if (keys.some((key) => key.startsWith("bad"))) throw new Error("failed");
    return undefined;
  });
  for (const sk of ["a", "bad", "c", "d"]) write(sk);
  await clock.run(START + 60_000);
  expect(givenUp).toEqual(["bad RetryAttemptsExhausted"]);
  expect(batches.filter((keys) => keys.join() === "bad 1")).toHaveLength(6);
  expect(batches.flat().filter((key) => key === "d 3")).toHaveLength(2); // with all, then with its half
});

test("a report of failures keeps what was handled before them", async () => {
  let isFirst = true;
  const { clock, batches, givenUp, write } = startStream([], () => {
    if (!isFirst) return undefined;
    isFirst = false;
    return { batchItemFailures: [{ itemIdentifier: "1".padStart(21, "0") }] };
  });
  for (const sk of ["a", "b", "c"]) write(sk);
  await clock.run(START + 60_000);
  expect(batches).toEqual([["a 0", "b 1", "c 2"], ["b 1"], ["c 2"]]);
  expect(givenUp).toEqual([]);
});

test("a record too old is given up", async () => {
  const fail = () => {
    throw new Error("failed");
  };
  const { clock, givenUp, write } = startStream([], fail, { maxRetries: 1_000, maxAgeMs: 120_000 });
  write("a");
  await clock.run(START + 600_000);
  expect(givenUp).toEqual(["a RecordAgeExceeded"]);
});

test("a mapping that hears nothing tries again while the function still runs", async () => {
  const { clock, batches, givenUp, write } = startStream(["zombie"], () => undefined);
  write("a");
  await clock.run(START + 600_000);
  expect(batches).toHaveLength(6);
  expect(givenUp).toEqual(["a RetryAttemptsExhausted"]);
});

test.each<[string, FaultName[], number]>([
  ["every minute", [], 5],
  ["never where all runs are missed", ["missed-run"], 0],
  ["twice where all are doubled", ["doubled-run"], 10],
])("a schedule runs %s", async (_, always, times) => {
  const { clock, account } = start(...always);
  const runs: number[] = [];
  startSchedule(account, {
    name: "every-minute",
    everyMs: 60_000,
    jitterMs: 10_000,
    retries: 0,
    invoke: async () => {
      runs.push(clock.now() - START);
      return { how: "answered", value: undefined };
    },
  });
  await clock.run(START + 299_999);
  expect(runs).toHaveLength(times);
});

test("a function is invoked by another, with or without waiting for it", async () => {
  const { clock, account } = start();
  const target = createFunction<{ n: number }, number>(account, {
    name: "target",
    timeoutMs: 5_000,
    start:
      (process) =>
      async ({ n }) => {
        await process.sleep(n);
        return n;
      },
  });
  const service = createLambdaService(account, new Map([["target", { target, retries: 0 }]]));
  const lambda = new Process(account, "api").connect<LambdaClient>(service);
  const invoke = (n: number, InvocationType: "Event" | "RequestResponse") =>
    lambda.send(
      new InvokeCommand({ FunctionName: "target", InvocationType, Payload: Buffer.from(JSON.stringify({ n })) }),
    );
  const answers: string[] = [];
  const note = ({ Payload, FunctionError, StatusCode }: Awaited<ReturnType<typeof invoke>>) =>
    answers.push(`${StatusCode} ${FunctionError ?? ""} ${Payload ? Buffer.from(Payload).toString() : ""}`);
  void invoke(10, "Event").then(note);
  void invoke(1_000, "RequestResponse").then(note);
  void invoke(6_000, "RequestResponse").then(note);
  await clock.run(START + 60_000);
  expect(answers).toEqual(["202  ", "200  1000", '200 Unhandled {"errorMessage":"Task timed out"}']);
});
