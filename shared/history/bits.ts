/** Writes and reads numbers bit by bit, most significant bit first, followed by a CRC-32. */
import { crc32 } from "node:zlib";
import { CorruptHistory } from "./packing.ts";

const CRC_BYTES = 4;

export class BitWriter {
  private bytes = new Uint8Array(512);
  private length = 0;
  /** Bits not yet in `bytes`, fewer than 8. */
  private pending = 0;
  private pendingBits = 0;

  /** @param count 0 to 24 */
  bits(value: number, count: number) {
    this.pending = (this.pending << count) | value;
    this.pendingBits += count;
    while (this.pendingBits >= 8) {
      this.pendingBits -= 8;
      this.push((this.pending >>> this.pendingBits) & 0xff);
    }
    this.pending &= (1 << this.pendingBits) - 1;
  }

  /** Writes a whole number from 0 to 2^53 - 1 as a varint: 7 bits a byte, lowest first. */
  varint(value: number) {
    let rest = value;
    while (rest >= 0x80) {
      this.bits((rest % 0x80) | 0x80, 8);
      rest = Math.floor(rest / 0x80);
    }
    this.bits(rest, 8);
  }

  /** Returns everything written, its last byte padded with zeros, and the checksum. */
  finish(): Uint8Array {
    if (this.pendingBits > 0) this.bits(0, 8 - this.pendingBits);
    const written = Buffer.alloc(this.length + CRC_BYTES);
    written.set(this.bytes.subarray(0, this.length));
    written.writeUInt32BE(crc32(written.subarray(0, this.length)), this.length);
    return written;
  }

  private push(byte: number) {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = byte;
  }
}

/** Reads what a `BitWriter` wrote. Every method throws `CorruptHistory` at the end of the bytes. */
export class BitReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private readonly what: string;
  private at = 0;
  private pending = 0;
  private pendingBits = 0;

  /** @param what names the item in errors. @throws CorruptHistory when the checksum is wrong */
  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.what = what;
    this.end = bytes.length - CRC_BYTES;
    if (this.end < 0) throw new CorruptHistory(`${what}: ${bytes.length} bytes are too few`);
    const { buffer, byteOffset } = bytes;
    const stored = new DataView(buffer, byteOffset + this.end, CRC_BYTES).getUint32(0);
    if (crc32(bytes.subarray(0, this.end)) !== stored) throw new CorruptHistory(`${what}: the checksum is wrong`);
  }

  /** @param count 0 to 24 */
  bits(count: number): number {
    while (this.pendingBits < count) {
      if (this.at >= this.end) throw new CorruptHistory(`${this.what}: ends too early`);
      this.pending = ((this.pending & 0xff_ff_ff) << 8) | this.bytes[this.at++]!;
      this.pendingBits += 8;
    }
    this.pendingBits -= count;
    return (this.pending >>> this.pendingBits) & ((1 << count) - 1);
  }

  /** Reads a unary number: counts ones up to the terminating zero, which is read too, or up to `most`. */
  ones(most: number): number {
    let count = 0;
    for (;;) {
      if (this.pendingBits === 0) {
        this.pending = this.bits(8);
        this.pendingBits = 8;
      }
      const run = Math.clz32(~(this.pending << (32 - this.pendingBits)));
      const seen = Math.min(run, this.pendingBits, most - count);
      this.pendingBits -= seen;
      count += seen;
      if (count === most) return count;
      if (this.pendingBits === 0) continue;
      this.pendingBits--;
      return count;
    }
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.bits(8);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      if (factor > 2 ** 49) throw new CorruptHistory(`${this.what}: holds a number that is too large`);
    }
  }
}
