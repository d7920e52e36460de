/**
 * The stream of a table and the mapping that feeds it to a function: lanes by key, batches, partial failures, halving,
 * retries, an age limit; and a caller that may hear nothing and try again while the function still runs.
 */
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { draw } from "./clock.ts";
import type { Occasion } from "./faults.ts";
import type { Account, Ended, SimulatedFunction } from "./lambda.ts";
import type { Change } from "./table.ts";

/** Shards that a small on-demand table starts with, each read by the two of the mapping's parallelization factor. */
const LANES = 8;
/** From a write to the invocation. */
const WAY_MS = { least: 20, spread: 230 };
const LAST_RETRY_MS = 30_000;

export interface MappingOptions {
  readonly name: string;
  /** May answer a `DynamoDBBatchResponse`. */
  readonly consumer: SimulatedFunction<DynamoDBStreamEvent, unknown>;
  /** The mapping's filter. */
  readonly wants: (change: Change) => boolean;
  readonly batchSize: number;
  readonly maxRetries: number;
  readonly maxAgeMs: number;
  /** The first pause before a retry; doubled each time. */
  readonly backoffMs: number;
  /** What the on-failure queue would hold. */
  readonly onGiveUp?: (record: DynamoDBRecord, condition: "RecordAgeExceeded" | "RetryAttemptsExhausted") => void;
}

interface Entry {
  readonly record: DynamoDBRecord;
  readonly atMs: number;
}

interface Lane {
  readonly name: string;
  readonly entries: Entry[];
  isBusy: boolean;
}

/** @returns takes the changes of the table, in the order of the writes */
export function createStreamMapping(account: Account, options: MappingOptions): (change: Change) => void {
  const { clock, faults, seed, count } = account;
  const { name, consumer, wants, batchSize, maxRetries, maxAgeMs, backoffMs, onGiveUp } = options;
  const lanes = Array.from(
    { length: LANES },
    (_, index): Lane => ({ name: `${name} ${index}`, entries: [], isBusy: false }),
  );
  let sequence = 0;

  const giveUp = (entries: readonly Entry[], condition: Parameters<NonNullable<typeof onGiveUp>>[1]) => {
    for (const { record } of entries) onGiveUp?.(record, condition);
  };

  /** @returns how many from the start were handled; undefined when the function failed as a whole */
  const invoke = async (entries: readonly Entry[], occasion: Occasion): Promise<number | undefined> => {
    const running = consumer.invoke({ Records: entries.map(({ record }) => record) });
    const zombieMs = faults.strike("zombie", occasion);
    if (zombieMs !== undefined) {
      await clock.sleep(zombieMs);
      return undefined;
    }
    return handledOf(await running, entries);
  };

  /** Ends when every record was handled or given up. */
  const handle = async (batch: readonly Entry[], retries: number): Promise<void> => {
    let entries = batch;
    for (let failures = retries; entries.length > 0; failures++) {
      if (clock.now() - entries[0]!.atMs > maxAgeMs) {
        giveUp(entries.slice(0, 1), "RecordAgeExceeded");
        return handle(entries.slice(1), 0);
      }
      const handled = await invoke(entries, occasionOf(`invoke ${entries[0]!.record.eventID}`));
      entries = entries.slice(handled ?? 0);
      if (entries.length === 0) return;
      if (handled) failures = 0; // what is left is a batch of its own
      if (entries.length > 1) {
        // Splitting does not count as a retry. A report names the culprit; without one, halves find it.
        const half = handled === undefined ? Math.ceil(entries.length / 2) : 1;
        await handle(entries.slice(0, half), failures);
        return handle(entries.slice(half), failures);
      }
      if (failures >= maxRetries) return giveUp(entries, "RetryAttemptsExhausted");
      await clock.sleep(Math.min(LAST_RETRY_MS, backoffMs * 2 ** failures));
    }
  };

  const occasionOf = (what: string): Occasion => ({ name: count(what), caller: consumer.name, target: name });

  const work = async (lane: Lane): Promise<void> => {
    lane.isBusy = true;
    while (lane.entries.length > 0) {
      const occasion = occasionOf(`batch ${lane.name}`);
      const wayMs = WAY_MS.least + draw(seed, occasion.name) * WAY_MS.spread;
      await clock.sleep(wayMs + (faults.strike("stream-late", occasion) ?? 0));
      const batch = lane.entries.splice(0, batchSize);
      await handle(batch, 0);
      if (faults.strike("stream-duplicate", occasion) !== undefined) await handle(batch, 0);
    }
    lane.isBusy = false;
  };

  return (change) => {
    if (!wants(change)) return;
    const { pk, sk } = change.key as { readonly pk: string; readonly sk: string };
    // By the partition alone: that is what the shards of a stream go by, and the lanes within one.
    const lane = lanes[Math.floor(draw("lane", pk) * LANES)]!;
    lane.entries.push({ atMs: clock.now(), record: recordOf(change, `${pk} ${sk}`, sequence++, clock.now()) });
    if (!lane.isBusy) void work(lane);
  };
}

/** Without the images: whoever handles a record reads the item itself, they are history by then. */
function recordOf({ key, before, after }: Change, name: string, sequence: number, atMs: number): DynamoDBRecord {
  return {
    eventID: `${name} ${sequence}`,
    eventName: after ? (before ? "MODIFY" : "INSERT") : "REMOVE",
    eventSource: "aws:dynamodb",
    dynamodb: {
      Keys: Object.fromEntries(Object.entries(key).map(([attribute, value]) => [attribute, { S: String(value) }])),
      SequenceNumber: String(sequence).padStart(21, "0"),
      ApproximateCreationDateTime: Math.floor(atMs / 1000),
    },
  };
}

/** All before the first that the report names; an unknown name fails the whole batch, as in Lambda. */
function handledOf(ended: Ended<unknown>, entries: readonly Entry[]): number | undefined {
  if (ended.how !== "answered") return undefined;
  const failures = (ended.value as DynamoDBBatchResponse | null)?.batchItemFailures ?? [];
  if (failures.length === 0) return entries.length;
  const numbers = entries.map(({ record }) => record.dynamodb?.SequenceNumber);
  return Math.max(0, Math.min(...failures.map(({ itemIdentifier }) => numbers.indexOf(itemIdentifier))));
}
