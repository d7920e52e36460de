import { createHash, randomUUID } from "node:crypto";
import type { Disk } from "../disk/disk.ts";
import { DurableMap } from "../disk/durable-map.ts";
import { steadyNow } from "../scheduler/clock.ts";
import { DueHeap } from "./due-heap.ts";

export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  /** Base64. */
  readonly BinaryValue?: string;
}

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly senderId: string;
  /** This and the other times are by the steady clock (clock.ts). */
  readonly sentAtMs: number;
  readonly visibleAtMs: number;
  readonly receiveCount: number;
  readonly firstReceivedAtMs: number | null;
  /** Receipt handle of the newest receive; older ones no longer delete, as in SQS. */
  readonly receipt: string | null;
}

export interface QueueSettings {
  readonly delaySeconds: number;
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  readonly receiveWaitSeconds: number;
  readonly maxMessageBytes: number;
  /** After `maxReceiveCount` receives without a delete, the message moves here. */
  readonly redrive: { readonly deadLetterArn: string; readonly maxReceiveCount: number } | null;
}

/** The defaults of SQS. */
export const QUEUE_DEFAULTS: QueueSettings = {
  delaySeconds: 0,
  visibilityTimeoutSeconds: 30,
  retentionSeconds: 345_600,
  receiveWaitSeconds: 0,
  maxMessageBytes: 1_048_576,
  redrive: null,
};

/**
 * A standard SQS queue on disk. A message that `send` has returned survives a kill; so does a delete. A message in flight
 * becomes visible at once after a restart, with its receive count kept: its consumer died with this process.
 */
export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly settings: QueueSettings;
  readonly #messages: DurableMap<Message>;
  readonly #due = new DueHeap();
  readonly #waiting = new Set<() => void>();
  readonly #deadLetters: (arn: string) => Queue | undefined;
  #closed = false;

  constructor(options: {
    name: string;
    arn: string;
    settings: QueueSettings;
    file: string;
    deadLetters: (arn: string) => Queue | undefined;
    /** While it is full, messages are in memory only; a kill then loses them, and their sender plans them again. */
    disk?: Disk | undefined;
  }) {
    this.name = options.name;
    this.arn = options.arn;
    this.settings = options.settings;
    this.#deadLetters = options.deadLetters;
    this.#messages = new DurableMap(options.file, { disk: options.disk });
    const now = steadyNow();
    for (const [id, message] of this.#messages.entries()) {
      // Sent in the future: the clock was set back since. The message counts as sent now, with the delay that it had.
      const aheadMs = Math.max(0, message.sentAtMs - now);
      const dueMs = message.visibleAtMs - aheadMs;
      const visibleAtMs = message.receiveCount > 0 ? Math.min(dueMs, now) : dueMs;
      const sentAtMs = message.sentAtMs - aheadMs;
      this.#messages.setUntilRestart(id, { ...message, sentAtMs, visibleAtMs, receipt: null });
      this.#due.push(visibleAtMs, id);
    }
  }

  /** @param options.delaySeconds defaults to the queue's. */
  send(
    body: string,
    options: {
      attributes?: Readonly<Record<string, MessageAttribute>>;
      delaySeconds?: number | undefined;
      senderId?: string;
      sentAtMs?: number;
    } = {},
  ): Message {
    const now = steadyNow();
    const message: Message = {
      id: randomUUID(),
      body,
      attributes: options.attributes ?? {},
      senderId: options.senderId ?? "local",
      sentAtMs: options.sentAtMs ?? now,
      visibleAtMs: now + (options.delaySeconds ?? this.settings.delaySeconds) * 1_000,
      receiveCount: 0,
      firstReceivedAtMs: null,
      receipt: null,
    };
    this.#messages.set(message.id, message);
    this.#due.push(message.visibleAtMs, message.id);
    this.#wake();
    return message;
  }

  /** Long polling: waits up to `waitSeconds` for the first message. Returns none early when the signal aborts. */
  async receive(options: {
    max: number;
    waitSeconds?: number | undefined;
    visibilitySeconds?: number | undefined;
    signal?: AbortSignal | undefined;
  }): Promise<Message[]> {
    const until = steadyNow() + (options.waitSeconds ?? this.settings.receiveWaitSeconds) * 1_000;
    const visibilitySeconds = options.visibilitySeconds ?? this.settings.visibilityTimeoutSeconds;
    for (;;) {
      const taken = this.#closed ? [] : this.#take(options.max, visibilitySeconds);
      const leftMs = until - steadyNow();
      if (taken.length > 0 || leftMs <= 0 || this.#closed || options.signal?.aborted) return taken;
      await this.#change(leftMs, options.signal);
    }
  }

  /** Deleting twice, or with a receipt that a later receive replaced, is no error in SQS. @returns whether it was deleted. */
  delete(receipt: string): boolean {
    const message = this.#held(receipt);
    return message !== undefined && this.#messages.delete(message.id);
  }

  /** @returns false when no message in flight has this receipt. */
  changeVisibility(receipt: string, seconds: number): boolean {
    const message = this.#held(receipt);
    if (message === undefined) return false;
    const visibleAtMs = steadyNow() + seconds * 1_000;
    this.#messages.setUntilRestart(message.id, { ...message, visibleAtMs });
    this.#due.push(visibleAtMs, message.id);
    this.#wake();
    return true;
  }

  counts(): { visible: number; inFlight: number; delayed: number } {
    const now = steadyNow();
    const counts = { visible: 0, inFlight: 0, delayed: 0 };
    for (const { visibleAtMs, receiveCount } of this.#messages.values()) {
      if (visibleAtMs <= now) counts.visible += 1;
      else if (receiveCount > 0) counts.inFlight += 1;
      else counts.delayed += 1;
    }
    return counts;
  }

  /** Age in seconds of the oldest message, waiting or in flight; 0 when there is none. */
  oldestSeconds(): number {
    const sent = this.#messages.values().map(({ sentAtMs }) => sentAtMs);
    return sent.length === 0 ? 0 : Math.max(0, steadyNow() - sent.reduce((one, other) => Math.min(one, other))) / 1_000;
  }

  purge(): void {
    this.#messages.clear();
  }

  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
    this.#messages.close();
  }

  #held(receipt: string): Message | undefined {
    const message = this.#messages.get(receipt.slice(0, 36));
    return message?.receipt === receipt ? message : undefined;
  }

  #take(max: number, visibilitySeconds: number): Message[] {
    const now = steadyNow();
    const taken: Message[] = [];
    while (taken.length < max) {
      const next = this.#due.peek();
      if (next === undefined || next.atMs > now) break;
      this.#due.pop();
      const message = this.#messages.get(next.id);
      if (message === undefined || message.visibleAtMs !== next.atMs) continue; // deleted, or its visibility was changed
      if (now - message.sentAtMs > this.settings.retentionSeconds * 1_000) this.#messages.delete(message.id);
      else if (!this.#redriven(message)) taken.push(this.#hold(message, now, visibilitySeconds));
    }
    return taken;
  }

  #hold(message: Message, now: number, visibilitySeconds: number): Message {
    const held: Message = {
      ...message,
      receiveCount: message.receiveCount + 1,
      firstReceivedAtMs: message.firstReceivedAtMs ?? now,
      visibleAtMs: now + visibilitySeconds * 1_000,
      receipt: `${message.id}-${message.receiveCount + 1}-${randomUUID().slice(0, 8)}`,
    };
    this.#messages.set(held.id, held);
    this.#due.push(held.visibleAtMs, held.id);
    return held;
  }

  #redriven(message: Message): boolean {
    const { redrive } = this.settings;
    if (redrive === null || message.receiveCount < redrive.maxReceiveCount) return false;
    const target = this.#deadLetters(redrive.deadLetterArn);
    if (target === undefined) return false;
    // Stored there before it is deleted here: a kill in between duplicates the message and never loses it.
    target.send(message.body, {
      attributes: message.attributes,
      senderId: message.senderId,
      sentAtMs: message.sentAtMs,
    });
    this.#messages.delete(message.id);
    return true;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Resolves when a message may have become visible, after at most `maxMs`, or when the signal aborts. */
  #change(maxMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const nextMs = (this.#due.peek()?.atMs ?? Number.POSITIVE_INFINITY) - steadyNow();
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, Math.min(maxMs, nextMs)));
      this.#waiting.add(done);
      signal?.addEventListener("abort", done);
    });
  }
}

export const md5 = (text: string | Buffer): string => createHash("md5").update(text).digest("hex");

/** SQS's digest over message attributes: names sorted, each part after its length (SQS Developer Guide, "Calculating the MD5"). */
export const md5OfAttributes = (attributes: Readonly<Record<string, MessageAttribute>>): string | undefined => {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const withLength = (part: Buffer): Buffer[] => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  };
  const parts = names.flatMap((name) => {
    const { DataType, StringValue, BinaryValue } = attributes[name]!;
    const isBinary = DataType.startsWith("Binary");
    const value = isBinary ? Buffer.from(BinaryValue ?? "", "base64") : Buffer.from(StringValue ?? "");
    return [
      ...withLength(Buffer.from(name)),
      ...withLength(Buffer.from(DataType)),
      Buffer.from([isBinary ? 2 : 1]),
      ...withLength(value),
    ];
  });
  return md5(Buffer.concat(parts));
};
