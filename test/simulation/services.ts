/**
 * What stands between the functions: queues with their mappings, the stream's mapping, schedules, and the receivers of
 * SNS, SES and Lambda's own calls. Everything arrives, some time; nothing arrives in the same order twice.
 */
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { SendRawEmailCommand, type SendRawEmailCommandInput } from "@aws-sdk/client-ses";
import { PublishCommand, type PublishCommandInput } from "@aws-sdk/client-sns";
import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { draw } from "./clock.ts";
import type { Occasion } from "./faults.ts";
import { type Account, awsError, type Ended, type Service, type SimulatedFunction } from "./lambda.ts";

// ---- SQS ------------------------------------------------------------------------------------------------------------

/** How long a message takes from the sender to the function, besides its delay. */
const WAY_MS = { least: 5, spread: 115 };

export interface QueueOptions {
  readonly url: string;
  /** Where its consumer runs. */
  readonly location?: string;
  readonly visibilityMs: number;
  readonly retentionMs: number;
  /** After so many receives without success a message is a dead letter. */
  readonly maxReceives: number;
  /** By a mapping with a batch size of 1 that reports failures, as the probes have: may answer an `SQSBatchResponse`. */
  readonly consumer: SimulatedFunction<SQSEvent, unknown>;
  readonly onDeadLetter?: (body: string) => void;
}

export interface SimulatedQueue {
  readonly url: string;
  send(body: string, delaySeconds: number): void;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  receives: number;
}

export function createQueue(account: Account, options: QueueOptions): SimulatedQueue {
  const { clock, faults, seed, count } = account;
  const { url, location, visibilityMs, retentionMs, maxReceives, consumer, onDeadLetter } = options;
  const occasionOf = (name: string): Occasion => ({ name, service: "sqs", target: url, location });

  const receive = async (message: Message): Promise<void> => {
    const receivedAtMs = clock.now();
    if (receivedAtMs - message.sentAtMs > retentionMs) return;
    const occasion = occasionOf(count(`receive ${message.id}`));
    const laterMs = faults.strike("not-received", occasion);
    if (laterMs !== undefined) {
      clock.after(laterMs, () => void receive(message));
      return;
    }
    if (message.receives === maxReceives) {
      onDeadLetter?.(message.body);
      return;
    }
    message.receives++;
    const ended = await consumer.invoke(eventOf(message, url));
    const isDone = ended.how === "answered" && !(ended.value as SQSBatchResponse | null)?.batchItemFailures.length;
    if (isDone && faults.strike("received-again", occasion) === undefined) return;
    clock.at(receivedAtMs + visibilityMs, () => void receive(message));
  };

  return {
    url,
    send(body, delaySeconds) {
      // The start of a job says which it is.
      const id = count(`message ${url} ${body.slice(0, 100)}`);
      const occasion = occasionOf(id);
      const wayMs = WAY_MS.least + draw(seed, id) * WAY_MS.spread;
      const arrivesMs = clock.now() + delaySeconds * 1000 + wayMs + (faults.strike("late", occasion) ?? 0);
      const arrive = (atMs: number) => {
        const message = { id, body, sentAtMs: clock.now(), receives: 0 };
        clock.at(atMs, () => void receive(message));
      };
      arrive(arrivesMs);
      const againMs = faults.strike("duplicate", occasion);
      if (againMs !== undefined) arrive(arrivesMs + againMs);
    },
  };
}

const eventOf = ({ id, body, sentAtMs, receives }: Message, url: string): SQSEvent => ({
  Records: [
    {
      messageId: id,
      receiptHandle: `${id} ${receives}`,
      body,
      attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: String(Math.floor(sentAtMs)),
        SenderId: "simulated",
        ApproximateFirstReceiveTimestamp: String(Math.floor(sentAtMs)),
      },
      messageAttributes: {},
      md5OfBody: "",
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${url.slice(url.lastIndexOf("/") + 1)}`,
      awsRegion: "us-east-1",
    },
  ],
});

/** The caller's abort signal in `shared/store/jobs.ts`. */
const SEND_TIMEOUT_MS = 8_000;

export function createSqs({ faults }: Account, queues: readonly SimulatedQueue[]): Service {
  const byUrl = new Map(queues.map((queue) => [queue.url, queue]));
  const entriesOf = (command: object) => {
    if (!(command instanceof SendMessageBatchCommand)) throw unknown("SQS", command);
    return command.input.Entries ?? [];
  };
  return {
    name: "sqs",
    callTimeoutMs: SEND_TIMEOUT_MS,
    describe(command) {
      const { QueueUrl } = (command as SendMessageBatchCommand).input;
      return {
        operation: "SendMessageBatch",
        target: QueueUrl,
        item: entriesOf(command)[0]?.MessageBody?.slice(0, 100),
      };
    },
    perform(command, occasion) {
      const queue = byUrl.get(String(occasion.target));
      if (!queue) throw awsError("QueueDoesNotExist", `there is no queue ${occasion.target}`);
      const entries = entriesOf(command);
      const share = faults.strike("partial", occasion) ?? 0;
      const taken = entries.slice(0, entries.length - Math.ceil(share * entries.length));
      for (const { MessageBody = "", DelaySeconds = 0 } of taken) queue.send(MessageBody, DelaySeconds);
      return {
        Successful: taken.map(({ Id }) => ({ Id })),
        Failed: entries
          .slice(taken.length)
          .map(({ Id }) => ({ Id, Code: "InternalError", Message: "not taken", SenderFault: false })),
      };
    },
  };
}

// ---- schedules ------------------------------------------------------------------------------------------------------

export interface ScheduleOptions {
  readonly name: string;
  readonly everyMs: number;
  /** After each multiple of `everyMs` since the epoch. */
  readonly offsetMs?: number;
  /** EventBridge Scheduler fires anywhere in its minute. */
  readonly jitterMs: number;
  /** Lambda tries a failed asynchronous invocation again so often, after one minute and then two. */
  readonly retries: number;
  readonly invoke: () => Promise<Ended<unknown>>;
}

/** Invokes again and again from now on. */
export function startSchedule(account: Account, options: ScheduleOptions): void {
  const { clock, faults, seed } = account;
  const { name, everyMs, offsetMs = 0, jitterMs, retries, invoke } = options;

  const run = async (attempt: number): Promise<void> => {
    const { how } = await invoke();
    if (how !== "answered" && attempt <= retries) clock.after(attempt * 60_000, () => void run(attempt + 1));
  };

  const plan = (atMs: number): void => {
    clock.at(atMs, () => {
      plan(atMs + everyMs);
      const occasion = { name: `${name} ${new Date(atMs).toISOString()}`, caller: name };
      if (faults.strike("missed-run", occasion) !== undefined) return;
      const lateMs = draw(seed, occasion.name) * jitterMs;
      clock.after(lateMs, () => void run(1));
      const againMs = faults.strike("doubled-run", occasion);
      if (againMs !== undefined) clock.after(lateMs + againMs, () => void run(1));
    });
  };
  plan(Math.ceil((clock.now() - offsetMs) / everyMs) * everyMs + offsetMs);
}

// ---- SNS, SES, Lambda -----------------------------------------------------------------------------------------------

/** The abort signals in `functions/deliver/send.ts` and `functions/state-change/send.ts`. */
const RECEIVER_TIMEOUT_MS = 10_000;

export function createSns(publish: (input: PublishCommandInput) => void): Service {
  return {
    name: "sns",
    callTimeoutMs: RECEIVER_TIMEOUT_MS,
    describe(command) {
      const { TopicArn, Subject } = (command as PublishCommand).input;
      return { operation: "Publish", target: TopicArn, item: Subject };
    },
    perform(command) {
      if (!(command instanceof PublishCommand)) throw unknown("SNS", command);
      publish(command.input);
      return { MessageId: "simulated" };
    },
  };
}

export function createSes(send: (input: SendRawEmailCommandInput) => void): Service {
  return {
    name: "ses",
    callTimeoutMs: RECEIVER_TIMEOUT_MS,
    describe: (command) => ({
      operation: "SendRawEmail",
      item: (command as SendRawEmailCommand).input.Destinations?.join(" "),
    }),
    perform(command) {
      if (!(command instanceof SendRawEmailCommand)) throw unknown("SES", command);
      send(command.input);
      return { MessageId: "simulated" };
    },
  };
}

/** From the call to the start of a function that is invoked as an event. */
const EVENT_MS = { least: 20, spread: 380 };
/** Longest that a caller waits for the answer of a function: the API's own limit. */
const INVOKE_TIMEOUT_MS = 20_000;

/** Lambda's own API; functions by their names. */
export function createLambdaService(
  { clock, seed }: Account,
  functions: ReadonlyMap<string, { readonly target: SimulatedFunction<never, unknown>; readonly retries: number }>,
): Service {
  return {
    name: "lambda",
    callTimeoutMs: INVOKE_TIMEOUT_MS,
    describe(command) {
      const { FunctionName, Payload } = (command as InvokeCommand).input;
      return { operation: "Invoke", target: FunctionName, item: textOf(Payload).slice(0, 100) };
    },
    perform(command, occasion) {
      if (!(command instanceof InvokeCommand)) throw unknown("Lambda", command);
      const { FunctionName, InvocationType, Payload } = command.input;
      const found = functions.get(FunctionName ?? "");
      if (!found) throw awsError("ResourceNotFoundException", `there is no function ${FunctionName}`);
      const invoke = () => found.target.invoke(JSON.parse(textOf(Payload)) as never);
      if (InvocationType !== "Event") return invoke().then(answerOf);
      const run = async (attempt: number): Promise<void> => {
        const { how } = await invoke();
        if (how !== "answered" && attempt <= found.retries) clock.after(attempt * 60_000, () => void run(attempt + 1));
      };
      clock.after(EVENT_MS.least + draw(seed, `event ${occasion.name}`) * EVENT_MS.spread, () => void run(1));
      return { StatusCode: 202 };
    },
  };
}

const textOf = (payload: unknown) => Buffer.from((payload as Uint8Array | undefined) ?? []).toString();

function answerOf(ended: Ended<unknown>) {
  const payload = (value: unknown) => Buffer.from(JSON.stringify(value) ?? "null");
  switch (ended.how) {
    case "answered":
      return { StatusCode: 200, Payload: payload(ended.value) };
    case "failed":
      return { StatusCode: 200, FunctionError: "Unhandled", Payload: payload({ errorMessage: String(ended.error) }) };
    case "killed":
      return { StatusCode: 200, FunctionError: "Unhandled", Payload: payload({ errorMessage: "Task timed out" }) };
  }
}

const unknown = (service: string, command: object) =>
  new Error(
    `the simulated ${service} does not know ${command.constructor.name}: add it to test/simulation/services.ts`,
  );
