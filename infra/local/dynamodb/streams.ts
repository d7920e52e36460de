import { createHash } from "node:crypto";
import { DAY_MS } from "../../../shared/durations.ts";
import { sizeOf } from "./engine/document.ts";
import type { GroupCommit } from "./group-commit.ts";
import { beginningWith } from "./item-keys.ts";
import type { Change } from "./item-writer.ts";
import type { Entry, Operation, Range, Store } from "./store.ts";
import { type StreamViewType, streamArn } from "./table-definition.ts";
import { type WireItem, wireOf } from "./wire.ts";

/** DynamoDB's retention; here for streams without a consumer only. */
const RETENTION_MS = DAY_MS;

/** A change of one item, as a Lambda function receives it. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: "INSERT" | "MODIFY" | "REMOVE";
  readonly eventVersion: "1.1";
  readonly eventSource: "aws:dynamodb";
  readonly awsRegion: string;
  readonly dynamodb: {
    /** Epoch seconds. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys: WireItem;
    readonly NewImage?: WireItem;
    readonly OldImage?: WireItem;
    /** 21 digits, growing within a table: they compare as text. */
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: StreamViewType;
  };
  readonly eventSourceARN: string;
  /** Present only on deletions by TTL. */
  readonly userIdentity?: { readonly type: "Service"; readonly principalId: "dynamodb.amazonaws.com" };
}

const recordPrefix = (table: string) => `stream~${table}~`;
const checkpointKey = (consumer: string, arn: string) => `checkpoint~${arn}~${consumer}`;
/** Sorts before every record. */
export const STREAM_START = "0".repeat(21);
const sequenceText = (sequence: bigint) => String(sequence).padStart(21, "0");

interface Stream {
  readonly arn: string;
  readonly view: StreamViewType;
  /** Number of the first record of this process. */
  readonly first: bigint;
  readonly openedAtMs: number;
  next: bigint;
  /** Checkpoint of each consumer of this process: the sequence number up to which it is done. */
  readonly consumed: Map<string, string>;
}

/**
 * DynamoDB streams of all tables, in one LevelDB. A record is written in the same batch as its item (`append` returns what
 * to add to the batch), so that neither exists without the other. Batches are committed one after another in the order of
 * their sequence numbers: a reader never sees a record before its predecessors.
 */
export class Streams {
  readonly #store: Store;
  readonly #commits: GroupCommit;
  readonly #now: () => number;
  readonly #views = new Map<string, Stream>();
  readonly #listeners = new Map<string, Set<() => void>>();

  /** @param now milliseconds since the epoch by a steady clock (clock.ts) */
  constructor(store: Store, commits: GroupCommit, now: () => number) {
    this.#store = store;
    this.#commits = commits;
    this.#now = now;
  }

  /** Switches a table's stream on, continuing after the last number ever given out. */
  async open(table: string, arnOfTable: string, view: StreamViewType): Promise<void> {
    const arn = streamArn(arnOfTable);
    const [last] = await this.#entries({ ...beginningWith(recordPrefix(table)), reverse: true, limit: 1 });
    const checkpoints = await this.#entries(beginningWith(`checkpoint~${arn}~`));
    const used = [last?.[0].slice(-21) ?? STREAM_START, ...checkpoints.map(([, sequence]) => String(sequence))];
    const first = BigInt(used.sort().at(-1) ?? 0) + 1n;
    const openedAtMs = this.#now();
    this.#views.set(table, { arn, view, first, openedAtMs, next: first, consumed: new Map() });
  }

  /** @returns the record to write together with the item; none for a table without a stream */
  append({ table, key, before, after, hasExpired }: Change): Operation[] {
    const stream = this.#views.get(table.name);
    if (!stream) return [];
    const SequenceNumber = sequenceText(stream.next++);
    const keys = table.schema.keyDocument(key);
    const newImage = stream.view.startsWith("NEW") ? after : undefined;
    const oldImage = stream.view.includes("OLD") ? before : undefined;
    const record: StreamRecord = {
      eventID: createHash("md5").update(stream.arn).update(SequenceNumber).digest("hex"),
      eventName: before ? (after ? "MODIFY" : "REMOVE") : "INSERT",
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: "us-east-1",
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.#now() / 1_000),
        Keys: wireOf(keys),
        ...(newImage && { NewImage: newImage.wire }),
        ...(oldImage && { OldImage: oldImage.wire }),
        SequenceNumber,
        SizeBytes: sizeOf(keys) + (newImage?.size ?? 0) + (oldImage?.size ?? 0),
        StreamViewType: stream.view,
      },
      eventSourceARN: stream.arn,
      ...(hasExpired ? { userIdentity: { type: "Service", principalId: "dynamodb.amazonaws.com" } as const } : {}),
    };
    return [{ type: "put", key: recordPrefix(table.name) + SequenceNumber, value: record }];
  }

  /** Notifies the subscribers; call it once the batch with the records is on disk. */
  announce(table: string): void {
    for (const listener of this.#listeners.get(table) ?? []) listener();
  }

  /** Calls the listener after each commit of new records; not for records that existed before. */
  subscribe(arn: string, listener: () => void): () => void {
    const [table] = this.#streamOf(arn);
    const listeners = this.#listeners.get(table) ?? new Set();
    this.#listeners.set(table, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /**
   * Records after a sequence number, oldest first. Fewer than the limit means that there are no more.
   * @param afterSequence `STREAM_START`, a checkpoint, or the number of the last record that was read
   */
  async read(arn: string, afterSequence: string, limit: number): Promise<StreamRecord[]> {
    const prefix = recordPrefix(this.#streamOf(arn)[0]);
    const found = await this.#entries({ gt: prefix + afterSequence, lt: beginningWith(prefix).lt, limit });
    return found.map(([, record]) => record as StreamRecord);
  }

  /**
   * Age of a record, counted from the start of this process at most. Times that an earlier process stored do not count,
   * because the machine may have slept or its clock may have been changed since.
   */
  ageMs({ eventSourceARN, dynamodb }: StreamRecord): number {
    const [, { first, openedAtMs }] = this.#streamOf(eventSourceARN);
    const isOurs = BigInt(dynamodb.SequenceNumber) >= first;
    return Math.max(0, this.#now() - (isOurs ? dynamodb.ApproximateCreationDateTime * 1_000 : openedAtMs));
  }

  /** The number of the newest record: where a consumer with `StartingPosition: LATEST` begins. */
  latest(arn: string): string {
    return sequenceText(this.#streamOf(arn)[1].next - 1n);
  }

  /**
   * Registers a consumer: from now on records are kept until it has committed them, and no longer.
   * @param start where a consumer without a checkpoint begins
   * @returns the sequence number up to which it is done
   */
  async join(consumer: string, arn: string, start: string): Promise<string> {
    const position = await this.checkpoint(consumer, arn);
    if (position === undefined) await this.commit(consumer, arn, start);
    this.#streamOf(arn)[1].consumed.set(consumer, position ?? start);
    return position ?? start;
  }

  /** The consumer's checkpoint; undefined when it never committed. */
  async checkpoint(consumer: string, arn: string): Promise<string | undefined> {
    return this.#store.get(checkpointKey(consumer, arn)) as string | undefined;
  }

  /** Stores the consumer's checkpoint: it is done with everything up to this record. */
  async commit(consumer: string, arn: string, sequence: string): Promise<void> {
    await this.#commits.write([{ type: "put", key: checkpointKey(consumer, arn), value: sequence }]);
    const { consumed } = this.#streamOf(arn)[1];
    if (consumed.has(consumer)) consumed.set(consumer, sequence);
  }

  /**
   * Removes records that every consumer has committed, and without a consumer those older than 24 h. DynamoDB keeps all
   * of them for 24 h; here that would take gigabytes of the owner's disk.
   */
  async trim(): Promise<void> {
    for (const [table, { consumed }] of this.#views) {
      const prefix = recordPrefix(table);
      const last = consumed.size > 0 ? [...consumed.values()].sort()[0] : await this.#newestExpired(prefix);
      if (last !== undefined) await this.#commits.clear({ gt: prefix, lte: prefix + last });
    }
  }

  async #newestExpired(prefix: string): Promise<string | undefined> {
    const oldest = Math.floor((this.#now() - RETENTION_MS) / 1_000);
    let last: string | undefined;
    for await (const page of this.#store.pages(beginningWith(prefix))) {
      for (const [key, record] of page) {
        if ((record as StreamRecord).dynamodb.ApproximateCreationDateTime >= oldest) return last;
        last = key.slice(prefix.length);
      }
    }
    return last;
  }

  #streamOf(arn: string): [table: string, Stream] {
    for (const entry of this.#views) if (entry[1].arn === arn) return entry;
    throw new Error(`no stream has the ARN ${arn}`);
  }

  async #entries(range: Range): Promise<Entry[]> {
    return (await Array.fromAsync(this.#store.pages(range))).flat();
  }
}
