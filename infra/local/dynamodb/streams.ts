import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Item, Level, Operation, Range, Table } from "dynalite/db/index.js";
import { DAY_MS } from "../../../shared/durations.ts";
import { itemSize } from "./item-size.ts";
import { type StreamViewType, streamArn } from "./table-definition.ts";

/** DynamoDB's retention, for a stream that nobody consumes. */
const RETENTION_MS = DAY_MS;
/** LevelDB ends a page of an iterator at so many bytes (16 KB unless told otherwise: five records of 3 KB). */
const PAGE_BYTES = 1024 * 1024;

/** A change of one item, in the form a Lambda function gets it. */
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
  /** Only for deletions made by the expiry of items. */
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
/** One past every key that begins with the prefix: keys are ASCII. */
const after = (prefix: string) => `${prefix}\x7f`;
/** Sorts before the first record there can be. */
export const STREAM_START = "0".repeat(21);
const sequenceText = (sequence: bigint) => String(sequence).padStart(21, "0");

const sorted = (value: unknown) =>
  Array.isArray(value) ? [...value].map(String).sort((one, other) => (one < other ? -1 : 1)) : value;
/** Sets have no order; an item written again with its sets in another order has not changed. */
const comparable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, /^[SNB]S$/.test(key) ? sorted(inner) : comparable(inner)]),
  );
};
export const sameItem = (one: Item, other: Item) => isDeepStrictEqual(comparable(one), comparable(other));

/** Writes in the order of the calls; both resolve once it is on disk. */
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
  /** Sequence number up to which each consumer of this process is done. */
  readonly consumed: Map<string, string>;
}

/**
 * The streams of all tables in one LevelDB. Records are written in the batch that writes the item (`append` only says
 * what to add to it), so neither can exist without the other. Batches are committed one after another in the order
 * of their sequence numbers: a reader never sees a record before its predecessors.
 */
export class Streams {
  readonly #level: Level;
  readonly #commits: StreamWriter;
  readonly #now: () => number;
  readonly #views = new Map<string, Stream>();
  readonly #listeners = new Map<string, Set<() => void>>();

  /** @param now milliseconds since the epoch, by a clock that is never set */
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

  /** @returns what to write beside the item, and nothing when the item stays as it is: DynamoDB tells of changes only. */
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

  /** To be called once the batch with the records is on disk. */
  announce(table: string): void {
    for (const listener of this.#listeners.get(table) ?? []) listener();
  }

  /** Calls back after every committed record of the table; says nothing of records that were there before. */
  subscribe(arn: string, listener: () => void): () => void {
    const [table] = this.#streamOf(arn);
    const listeners = this.#listeners.get(table) ?? new Set();
    this.#listeners.set(table, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /**
   * Oldest first. Fewer than the limit are all there were.
   * @param afterSequence `STREAM_START` (or a checkpoint, or the last record that was read)
   */
  async read(arn: string, afterSequence: string, limit: number): Promise<StreamRecord[]> {
    const prefix = recordPrefix(this.#streamOf(arn)[0]);
    const found = await this.#entries({ gt: prefix + afterSequence, lt: after(prefix) }, limit);
    return found.map(([, record]) => record as StreamRecord);
  }

  /**
   * How long a record has waited while this process ran. What an earlier one wrote down does not count: the machine
   * may have slept since, or its clock been set.
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
   * Registers a consumer: from now on records stay until it has committed them, and no longer.
   * @param start where it begins when it never committed
   * @returns the sequence number up to which it is done
   */
  async join(consumer: string, arn: string, start: string): Promise<string> {
    const position = await this.checkpoint(consumer, arn);
    if (position === undefined) await this.commit(consumer, arn, start);
    this.#streamOf(arn)[1].consumed.set(consumer, position ?? start);
    return position ?? start;
  }

  /** Where the consumer stands; undefined when it never committed. */
  async checkpoint(consumer: string, arn: string): Promise<string | undefined> {
    return (await this.#level.get(checkpointKey(consumer, arn))) as string | undefined;
  }

  /** Remembers, durably, that the consumer is done with everything up to this record. */
  async commit(consumer: string, arn: string, sequence: string): Promise<void> {
    await this.#commits.write([{ type: "put", key: checkpointKey(consumer, arn), value: sequence }]);
    const { consumed } = this.#streamOf(arn)[1];
    if (consumed.has(consumer)) consumed.set(consumer, sequence);
  }

  /**
   * Removes what nobody will read: records that every consumer is done with, and where there is no consumer those
   * older than 24 h. DynamoDB keeps all of them for 24 h; here that is gigabytes of the owner's disk.
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

  /** Everything in the range. A page may be short; only an empty one says that nothing is left. */
  async *#pages(range: Range, size: number): AsyncGenerator<[string, unknown][]> {
    const iterator = this.#level.iterator({ ...range, highWaterMarkBytes: PAGE_BYTES });
    try {
      for (let page = await iterator.nextv(size); page.length > 0; page = await iterator.nextv(size)) yield page;
    } finally {
      await iterator.close();
    }
  }
}
