import { steadyNow } from "../scheduler/clock.ts";
import { type Message, md5, type Queue } from "../sqs/queue.ts";
import { systemAttributes } from "../sqs/sqs.ts";
import { matchesPattern, type Pattern } from "./event-pattern.ts";
import type { LambdaFunction } from "./lambda.ts";

export interface QueueSourceSettings {
  readonly batchSize: number;
  /** Batching window: how long to gather a batch that is not full. */
  readonly windowSeconds: number;
  readonly reportsFailures: boolean;
  readonly maximumConcurrency: number;
  /** Filters, one of which must match the message. Empty: every message. */
  readonly patterns: readonly Pattern[];
}

/** An event source. `stop` waits for batches under way. */
export interface EventSource {
  start(): void;
  stop(): Promise<void>;
}

/** Lambda's long polling. The local queue wakes the poller itself, so this only bounds how long a stop could hang. */
const POLL_SECONDS = 20;

/**
 * Invokes a function with batches of a queue's messages, as many at once as concurrency allows. As with Lambda's pollers,
 * messages that succeeded are deleted; those that failed are left to the visibility timeout and the redrive policy.
 */
export const createQueueSource = (queue: Queue, target: LambdaFunction, settings: QueueSourceSettings): EventSource => {
  const stopped = new AbortController();
  const running = new Set<Promise<void>>();
  let loop = Promise.resolve();

  const gather = async (): Promise<Message[]> => {
    const { signal } = stopped;
    const batch = await queue.receive({ max: settings.batchSize, waitSeconds: POLL_SECONDS, signal });
    const until = steadyNow() + settings.windowSeconds * 1_000;
    while (batch.length > 0 && batch.length < settings.batchSize && !signal.aborted) {
      const waitSeconds = (until - steadyNow()) / 1_000;
      if (waitSeconds <= 0) break;
      batch.push(...(await queue.receive({ max: settings.batchSize - batch.length, waitSeconds, signal })));
    }
    return batch;
  };

  const handle = async (batch: readonly Message[]): Promise<void> => {
    const [wanted, unwanted] = [batch.filter(isWanted), batch.filter((message) => !isWanted(message))];
    for (const { receipt } of unwanted) queue.delete(receipt!);
    if (wanted.length === 0) return;
    const event = { Records: wanted.map((message) => toRecord(message, queue.arn)) };
    // A throttled batch is retried while its messages are invisible, as long as one more attempt could end in that time.
    const untilMs = (queue.settings.visibilityTimeoutSeconds - target.settings.timeoutSeconds) * 1_000;
    const patience = AbortSignal.any([stopped.signal, AbortSignal.timeout(Math.max(0, untilMs))]);
    const { failed, payload } = await target.invokeWhenFree(JSON.stringify(event), patience);
    if (failed) return;
    const failures = settings.reportsFailures ? failedIds(payload, wanted) : new Set<string>();
    for (const { id, receipt } of wanted) if (!failures.has(id)) queue.delete(receipt!);
  };

  const isWanted = ({ body }: Message): boolean =>
    settings.patterns.length === 0 ||
    settings.patterns.some((pattern) => matchesPattern(pattern, { body: parsed(body) }));

  const poll = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      if (running.size >= settings.maximumConcurrency) {
        await Promise.race(running);
        continue;
      }
      const batch = await gather();
      if (batch.length === 0) continue;
      const work = handle(batch).finally(() => running.delete(work));
      running.add(work);
    }
    await Promise.all(running);
  };

  return {
    start: () => {
      loop = poll();
    },
    stop: () => {
      stopped.abort();
      return loop;
    },
  };
};

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
};

/** A message as a record of Lambda's SQS event. */
const toRecord = (message: Message, queueArn: string) => ({
  messageId: message.id,
  receiptHandle: message.receipt,
  body: message.body,
  attributes: systemAttributes(message),
  messageAttributes: Object.fromEntries(
    Object.entries(message.attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ]),
  ),
  md5OfBody: md5(message.body),
  eventSource: "aws:sqs",
  eventSourceARN: queueArn,
  awsRegion: queueArn.split(":")[3],
});

/**
 * Ids of the messages that the function reports as failed. As in Lambda, a report with an empty or unknown id, or one that is not
 * a list, fails the whole batch; no report at all fails nothing.
 */
const failedIds = (payload: string, batch: readonly Message[]): Set<string> => {
  const all = new Set(batch.map(({ id }) => id));
  const answer = JSON.parse(payload) as { batchItemFailures?: unknown } | null;
  const failures = answer?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return all;
  const ids = failures.map((failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier);
  return ids.every((id) => typeof id === "string" && all.has(id)) ? new Set(ids as string[]) : all;
};
