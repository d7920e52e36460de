import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Item, Level, Operation, Range, Table } from "dynalite/db/index.js";
import { DAY_MS } from "../../../shared/durations.ts";
import { itemSize } from "./item-size.ts";
import { type StreamViewType, streamArn } from "./table-definition.ts";

/** DynamoDB's retention; here for streams without a consumer only. */
const RETENTION_MS = DAY_MS;
/** Bytes at which LevelDB ends a page of an iterator. Its default of 16 KB would be five records of 3 KB. */
const PAGE_BYTES = 1024 * 1024;

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
    readonly Keys: Item;
    readonly NewImage?: Item;
    readonly OldImage?: Item;
    /** 21 digits, growing within a table: they compare as text. */
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: StreamViewType;
  };
  readonly eventSourceARN: string;
  /** Present only on deletions by TTL. */
  readonly userIdentity?: { readonly type: "Service"; readonly principalId: "dynamodb.amazonaws.com" };
}

export interface Change {
  readonly table: Table;
  readonly before: Item | undefined;
  readonly after: Item | null;
  readonly expired: boolean;
}

const recordPrefix = (table: string) => `stream~${table}~`;
const checkpointKey = (consumer: string, arn: string) => `checkpoint~${arn}~${consumer}`;
/** Upper bound of all keys that begin with the prefix: keys are ASCII. */
const after = (prefix: string) => `${prefix}\x7f`;
/** Sorts before every record. */
export const STREAM_START = "0".repeat(21);
const sequenceText = (sequence: bigint) => String(sequence).padStart(21, "0");

const sorted = (value: unknown) =>
  Array.isArray(value) ? [...value].map(String).sort((one, other) => (one < other ? -1 : 1)) : value;
/** Sorts the sets in an item: they have no order, so another order is no change. */
const comparable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, /^[SNB]S$/.test(key) ? sorted(inner) : comparable(inner)]),
  );
};
export const sameItem = (one: Item, other: Item) => isDeepStrictEqual(comparable(one), comparable(other));

/** Writes in the order of the calls; both methods resolve once the data is on disk. */
export interface StreamWriter {
  write(operations: Operation[]): Promise<void>;
  clear(range: Range): Promise<void>;
}

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
  readonly #level: Level;
  readonly #commits: StreamWriter;
  readonly #now: () => number;
  readonly #views = new Map<string, Stream>();
  readonly #listeners = new Map<string, Set<() => void>>();

  /** @param now milliseconds since the epoch by a steady clock (clock.ts) */
  constructor(level: Level, commits: StreamWriter, now: () => number) {
    this.#level = level;
    this.#commits = commits;
    this.#now = now;
  }

  /** Switches a table's stream on, continuing after the last number ever given out. */
  async open(table: string, arnOfTable: string, view: StreamViewType): Promise<void> {
    const arn = streamArn(arnOfTable);
    const [last] = await this.#entries({ gt: recordPrefix(table), lt: after(recordPrefix(table)), reverse: true }, 1);
    const checkpoints = await this.#entries({ gt: `checkpoint~${arn}~`, lt: after(`checkpoint~${arn}~`) }, 1_000);
    const used = [last?.[0].slice(-21) ?? STREAM_START, ...checkpoints.map(([, sequence]) => String(sequence))];
    const first = BigInt(used.sort().at(-1) ?? 0) + 1n;
    const openedAtMs = this.#now();
    this.#views.set(table, { arn, view, first, openedAtMs, next: first, consumed: new Map() });
  }

  /** @returns the record to write together with the item; none when the item does not change, as in DynamoDB */
  append({ table, before, after, expired }: Change): Operation[] {
    const stream = this.#views.get(table.TableName);
    if (!stream || (before && after && sameItem(before, after)) || (!before && !after)) return [];
    const SequenceNumber = sequenceText(stream.next++);
    const image = (after ?? before) as Item;
    const Keys = Object.fromEntries(table.KeySchema.map(({ AttributeName }) => [AttributeName, image[AttributeName]]));
    const images = {
      ...(after && stream.view.startsWith("NEW") ? { NewImage: after } : {}),
      ...(before && stream.view.includes("OLD") ? { OldImage: before } : {}),
    };
    const size = [Keys, ...Object.values(images)].reduce((sum, part) => sum + itemSize(part as Item), 0);
    const record: StreamRecord = {
      eventID: createHash("md5").update(stream.arn).update(SequenceNumber).digest("hex"),
      eventName: before ? (after ? "MODIFY" : "REMOVE") : "INSERT",
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: "us-east-1",
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.#now() / 1_000),
        Keys: Keys as Item,
        ...images,
        SequenceNumber,
        SizeBytes: size,
        StreamViewType: stream.view,
      },
      eventSourceARN: stream.arn,
      ...(expired ? { userIdentity: { type: "Service", principalId: "dynamodb.amazonaws.com" } as const } : {}),
    };
    return [{ type: "put", key: recordPrefix(table.TableName) + SequenceNumber, value: record }];
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
    const found = await this.#entries({ gt: prefix + afterSequence, lt: after(prefix) }, limit);
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
    return (await this.#level.get(checkpointKey(consumer, arn))) as string | undefined;
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
    for await (const page of this.#pages({ gt: prefix, lt: after(prefix) }, 500)) {
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

  async #entries(range: Range, limit: number): Promise<[string, unknown][]> {
    const entries: [string, unknown][] = [];
    for await (const page of this.#pages({ ...range, limit }, limit)) entries.push(...page);
    return entries;
  }

  /** All entries of the range. A page may be short; only an empty one means the end. */
  async *#pages(range: Range, size: number): AsyncGenerator<[string, unknown][]> {
    const iterator = this.#level.iterator({ ...range, highWaterMarkBytes: PAGE_BYTES });
    try {
      for (let page = await iterator.nextv(size); page.length > 0; page = await iterator.nextv(size)) yield page;
    } finally {
      await iterator.close();
    }
  }
}
