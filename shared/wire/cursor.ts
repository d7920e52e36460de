/**
 * Reads binary answers field by field. A read past the end throws `ProbeFailure` `incomplete-answer`, which says how much
 * was missing: a truncated answer is the peer's failure, not an internal error.
 */
import { ProbeFailure } from "../contract/protocol.ts";

export class Cursor {
  readonly bytes: Buffer;
  offset: number;
  readonly #what: string;

  /** @param what names the answer in messages: "DNS answer" */
  constructor(bytes: Buffer, what: string, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
    this.#what = what;
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  u8(): number {
    return this.take(1).readUInt8();
  }
  u16(): number {
    return this.take(2).readUInt16BE();
  }
  u24(): number {
    return this.take(3).readUIntBE(0, 3);
  }
  u32(): number {
    return this.take(4).readUInt32BE();
  }

  /** The next bytes, as a view. */
  take(count: number): Buffer {
    if (count < 0 || count > this.left)
      throw new ProbeFailure(
        "incomplete-answer",
        `the ${this.#what} ends after ${this.bytes.length} bytes, ${count - this.left} fewer than it announces`,
      );
    this.offset += count;
    return this.bytes.subarray(this.offset - count, this.offset);
  }

  /** Takes the next bytes and returns a separate cursor over them. */
  part(count: number, what = this.#what): Cursor {
    return new Cursor(this.take(count), what);
  }

  /** Text up to a zero byte, which is consumed. */
  text(): string {
    const end = this.bytes.indexOf(0, this.offset);
    if (end < 0) throw new ProbeFailure("incomplete-answer", `the ${this.#what} ends in the middle of a text`);
    const text = this.take(end - this.offset).toString("utf8");
    this.offset += 1;
    return text;
  }
}

/**
 * Sanitises text of an untrusted server for people to read: replaces control characters by spaces and limits the length.
 * Answers are decoded as Latin-1; text that is valid UTF-8 is decoded as UTF-8 here.
 */
export const printable = (text: string, maxLength = 120): string => {
  const clean = fromUtf8(text)
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
};

const utf8 = new TextDecoder("utf-8", { fatal: true });

function fromUtf8(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\0-\xff]/.test(text)) return text;
  try {
    return utf8.decode(Buffer.from(text, "latin1"));
  } catch {
    return text;
  }
}
