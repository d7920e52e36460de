import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { STREAM_START, type StreamRecord, type Streams } from "../dynamodb/streams.ts";
import { coalesced } from "./coalesced.ts";
import { matchesPattern, type Pattern } from "./event-pattern.ts";
import type { LambdaFunction } from "./lambda.ts";
import type { EventSource } from "./queue-source.ts";

export interface StreamSourceSettings {
  /** Names the checkpoint; the same at every start. */
  readonly consumer: string;
  readonly streamArn: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly reportsFailures: boolean;
  readonly bisects: boolean;
  /** Default Infinity: Lambda then retries until the record expires. */
  readonly maximumRetries: number;
  readonly maximumAgeSeconds: number;
  readonly startsAtLatest: boolean;
  readonly parallelization: number;
  readonly patterns: readonly Pattern[];
  /** Sends a description of records that were given up to the on-failure destination. */
  readonly onFailure: ((message: string) => void) | undefined;
}

/** Stream shards of a small on-demand table; each is read by `parallelization` lanes. */
const SHARDS = 4;
/** Back-pressure: with more records in memory, reading waits for the function. */
const MAX_PENDING = 2_000;
const READ_LIMIT = 500;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 30_000;
const STORAGE_RETRY_MS = 1_000;
/** Consecutive failures of the storage after which the owner gets a log line. */
const STRANGE_FAILURES = 60;

/**
 * Invokes a function with batches of a table's stream. Records of one item stay in order, because all go through the same
 * lane; lanes do not wait for each other. The checkpoint on disk is the newest record up to which everything is done, so
 * that a killed process repeats some records and skips none.
 */
export const createStreamSource = (
  streams: Streams,
  target: LambdaFunction,
  settings: StreamSourceSettings,
): EventSource => {
  const stopped = new AbortController();
  const order: string[] = [];
  const done = new Set<string>();
  let position = STREAM_START;
  let unsubscribe = () => {};

  const reader = coalesced(async () => {
    if (stopped.signal.aborted || order.length >= MAX_PENDING) return;
    const records = await untilItWorks(() => streams.read(settings.streamArn, position, READ_LIMIT));
    if (records === undefined) return;
    for (const record of records) accept(record);
    finish([]);
    if (records.length === READ_LIMIT) reader.trigger();
  });

  const accept = (record: StreamRecord): void => {
    position = record.dynamodb.SequenceNumber;
    order.push(position);
    if (settings.patterns.length > 0 && !settings.patterns.some((pattern) => matchesPattern(pattern, record))) {
      done.add(position);
      return;
    }
    const lane = lanes[laneOf(record, lanes.length)]!;
    lane.records.push(record);
    lane.work.trigger();
  };

  const lanes = Array.from({ length: SHARDS * settings.parallelization }, () => {
    const records: StreamRecord[] = [];
    const work = coalesced(async () => {
      while (records.length > 0 && !stopped.signal.aborted) {
        if (settings.windowSeconds > 0 && records.length < settings.batchSize) {
          await pause(settings.windowSeconds * 1_000);
        }
        await handle(records.splice(0, settings.batchSize), 0);
      }
    });
    return { records, work };
  });

  /** Handles a batch with retries. Ends when every record was handled or given up, or when the source stops. */
  const handle = async (batch: readonly StreamRecord[], attempts: number): Promise<void> => {
    let records = batch;
    for (let failures = attempts; records.length > 0 && !stopped.signal.aborted; failures += 1) {
      if (streams.ageMs(records[0]!) > settings.maximumAgeSeconds * 1_000) {
        giveUp(records.slice(0, 1), "RecordAgeExceeded", failures);
        return handle(records.slice(1), 0);
      }
      target.measure("IteratorAge", streams.ageMs(records.at(-1)!));
      const { failed, payload } = await target.invokeWhenFree(JSON.stringify({ Records: records }), stopped.signal);
      const handled = failed ? 0 : settings.reportsFailures ? handledCount(payload, records) : records.length;
      finish(records.slice(0, handled));
      records = records.slice(handled);
      if (records.length === 0 || stopped.signal.aborted) return;
      if (handled > 0) failures = 0; // the batch that begins with the failed record is a new one
      if (settings.bisects && records.length > 1) {
        // Splitting does not count as a retry. A report names the failed record; without one, bisection finds it.
        const half = failed ? Math.ceil(records.length / 2) : 1;
        await handle(records.slice(0, half), failures);
        return handle(records.slice(half), failures);
      }
      if (failures >= settings.maximumRetries) return giveUp(records, "RetryAttemptsExhausted", failures + 1);
      await pause(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures));
    }
  };

  const giveUp = (records: readonly StreamRecord[], condition: string, invocations: number): void => {
    settings.onFailure?.(JSON.stringify(describeFailure(records, condition, invocations, target.settings.arn)));
    finish(records);
  };

  const finish = (records: readonly StreamRecord[]): void => {
    for (const { dynamodb } of records) done.add(dynamodb.SequenceNumber);
    committer.trigger();
  };

  const committer = coalesced(async () => {
    let count = 0;
    while (done.delete(order[count] ?? "")) count += 1;
    const newest = order[count - 1];
    if (newest === undefined) return;
    const wasFull = order.length >= MAX_PENDING;
    order.splice(0, count);
    await untilItWorks(() => streams.commit(settings.consumer, settings.streamArn, newest));
    if (wasFull) reader.trigger();
  });

  /** Retries while the storage fails: the disk is full, or its files are being reopened. @returns undefined at the stop */
  const untilItWorks = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    for (let failures = 0; ; failures += 1) {
      try {
        return await work();
      } catch (error) {
        if (failures === STRANGE_FAILURES)
          process.stderr.write(`stream ${settings.streamArn}: ${(error as Error).message}; it is tried again\n`);
        if (stopped.signal.aborted) return undefined;
        await pause(STORAGE_RETRY_MS);
      }
    }
  };

  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: stopped.signal }).catch((error: Error) => {
      if (error.name !== "AbortError") throw error;
    });

  const begin = async (): Promise<void> => {
    const { consumer, streamArn } = settings;
    const start = settings.startsAtLatest ? streams.latest(streamArn) : STREAM_START;
    position = await streams.join(consumer, streamArn, start);
    unsubscribe = streams.subscribe(streamArn, reader.trigger);
    reader.trigger();
  };

  let beginning = Promise.resolve();
  return {
    start: () => {
      beginning = begin();
    },
    stop: async () => {
      stopped.abort();
      await beginning;
      unsubscribe();
      await reader.settled();
      await Promise.all(lanes.map(({ work }) => work.settled()));
      await committer.settled();
    },
  };
};

const laneOf = ({ dynamodb }: StreamRecord, count: number): number =>
  createHash("md5").update(JSON.stringify(dynamodb.Keys)).digest().readUInt32BE(0) % count;

/**
 * Number of records from the start that were handled: all before the first reported one. As in Lambda, a report with an
 * empty or unknown id fails the whole batch.
 */
const handledCount = (payload: string, records: readonly StreamRecord[]): number => {
  const answer = JSON.parse(payload) as { batchItemFailures?: unknown } | null;
  const failures = answer?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return 0;
  if (failures.length === 0) return records.length;
  const numbers = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
  const indexes = failures.map((failure) => numbers.indexOf(failure?.itemIdentifier));
  return Math.max(0, Math.min(...indexes));
};

/** Lambda's message to an on-failure destination: it has the position of the records in the stream, not the records. */
const describeFailure = (
  records: readonly StreamRecord[],
  condition: string,
  approximateInvokeCount: number,
  functionArn: string,
) => {
  const [first, last] = [records[0]!, records.at(-1)!];
  const arrival = ({ dynamodb }: StreamRecord) => new Date(dynamodb.ApproximateCreationDateTime * 1_000).toISOString();
  return {
    requestContext: { requestId: first.eventID, functionArn, condition, approximateInvokeCount },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: new Date().toISOString(),
    DDBStreamBatchInfo: {
      shardId: "shardId-local",
      startSequenceNumber: first.dynamodb.SequenceNumber,
      endSequenceNumber: last.dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: records.length,
      streamArn: first.eventSourceARN,
    },
  };
};
