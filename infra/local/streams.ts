import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Item, Level, Operation, Table } from "dynalite/db/index.js";
import { itemSize } from "./item-size.ts";
import { type StreamViewType, streamArn } from "./table-definition.ts";

/** Records live this long, read or not, as in DynamoDB. */
const RETENTION_MS = 24 * 60 * 60 * 1_000;

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

/**
 * The streams of all tables in one LevelDB. Records are written in the batch that writes the item (`append` only says
 * what to add to it), so neither can exist without the other. Batches are committed one after another in the order
 * of their sequence numbers: a reader never sees a record before its predecessors.
 */
export class Streams {
  readonly #level: Level;
  readonly #write: (operations: Operation[]) => Promise<void>;
  readonly #now: () => number;
  readonly #views = new Map<string, { arn: string; view: StreamViewType; next: bigint }>();
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(level: Level, write: (operations: Operation[]) => Promise<void>, now: () => number) {
    this.#level = level;
    this.#write = write;
    this.#now = now;
  }

  /** Switches a table's stream on, continuing after the last number ever given out. */
  async open(table: string, arnOfTable: string, view: StreamViewType): Promise<void> {
    const arn = streamArn(arnOfTable);
    const [last] = await this.#entries({ gt: recordPrefix(table), lt: after(recordPrefix(table)), reverse: true }, 1);
    const checkpoints = await this.#entries({ gt: `checkpoint~${arn}~`, lt: after(`checkpoint~${arn}~`) }, 1_000);
    const used = [last?.[0].slice(-21) ?? STREAM_START, ...checkpoints.map(([, sequence]) => String(sequence))];
    this.#views.set(table, { arn, view, next: BigInt(used.sort().at(-1) ?? 0) + 1n });
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
    const table = this.#tableOf(arn);
    const listeners = this.#listeners.get(table) ?? new Set();
    this.#listeners.set(table, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Oldest first. @param afterSequence `STREAM_START` (or a checkpoint, or the last record that was read). */
  async read(arn: string, afterSequence: string, limit: number): Promise<StreamRecord[]> {
    const prefix = recordPrefix(this.#tableOf(arn));
    const found = await this.#entries({ gt: prefix + afterSequence, lt: after(prefix) }, limit);
    return found.map(([, record]) => record as StreamRecord);
  }

  /** The number of the newest record: where a consumer with `StartingPosition: LATEST` begins. */
  latest(arn: string): string {
    return sequenceText(this.#views.get(this.#tableOf(arn))!.next - 1n);
  }

  /** Where the consumer stands; undefined when it never committed. */
  async checkpoint(consumer: string, arn: string): Promise<string | undefined> {
    return (await this.#level.get(checkpointKey(consumer, arn))) as string | undefined;
  }

  /** Remembers, durably, that the consumer is done with everything up to this record. */
  async commit(consumer: string, arn: string, sequence: string): Promise<void> {
    await this.#write([{ type: "put", key: checkpointKey(consumer, arn), value: sequence }]);
  }

  /** Removes records older than 24 h. @returns how many. */
  async trim(): Promise<number> {
    const oldest = Math.floor((this.#now() - RETENTION_MS) / 1_000);
    let trimmed = 0;
    for (const table of this.#views.keys()) {
      for (;;) {
        const found = await this.#entries({ gt: recordPrefix(table), lt: after(recordPrefix(table)) }, 500);
        const old = found.filter(
          ([, record]) => (record as StreamRecord).dynamodb.ApproximateCreationDateTime < oldest,
        );
        if (old.length > 0) await this.#write(old.map(([key]) => ({ type: "del", key })));
        trimmed += old.length;
        if (old.length < 500) break;
      }
    }
    return trimmed;
  }

  #tableOf(arn: string): string {
    for (const [table, stream] of this.#views) if (stream.arn === arn) return table;
    throw new Error(`no stream has the ARN ${arn}`);
  }

  async #entries(range: { gt: string; lt: string; reverse?: boolean }, limit: number): Promise<[string, unknown][]> {
    const iterator = this.#level.iterator({ ...range, limit });
    try {
      return await iterator.nextv(limit);
    } finally {
      await iterator.close();
    }
  }
}
