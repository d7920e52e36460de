/** Encodes and decodes BER, as far as SNMP uses it (ASN.1's basic encoding rules: X.690, section 8; RFC 3416, section 3). */

import { ProbeFailure } from "../contract/protocol.ts";
import type { Cursor } from "./cursor.ts";

export interface Element {
  readonly tag: number;
  readonly content: Cursor;
}

export const element = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
};

export const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.writeIntBE(value, 0, 5);
  let start = 0;
  while (
    start < 4 &&
    (bytes[start] === 0 ? bytes[start + 1]! < 0x80 : bytes[start] === 0xff && bytes[start + 1]! >= 0x80)
  )
    start += 1;
  return element(0x02, bytes.subarray(start));
};

export const octets = (value: string | Buffer): Buffer => element(0x04, Buffer.from(value as string));

export const objectId = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
    return digits;
  });
  return element(0x06, Buffer.from(arcs));
};

/** Reads the next element; its content gets a separate cursor. */
export const next = (cursor: Cursor, what: string): Element => {
  const tag = cursor.u8();
  const first = cursor.u8();
  if (first === 0x80 || first > 0x84) throw new ProbeFailure("wrong-protocol", `the ${what} is not encoded as BER`);
  let size = first;
  if (first > 0x80) {
    size = 0;
    for (let n = first & 0x7f; n > 0; n -= 1) size = size * 256 + cursor.u8();
  }
  return { tag, content: cursor.part(size, what) };
};

/** @throws ProbeFailure `wrong-protocol` when the next element is another one */
export const expectNext = (cursor: Cursor, tag: number, what: string): Cursor => {
  const found = next(cursor, what);
  if (found.tag === tag) return found.content;
  throw new ProbeFailure(
    "wrong-protocol",
    `the ${what} has an element of type 0x${found.tag.toString(16)} where 0x${tag.toString(16)} belongs`,
  );
};

/** SNMP's longest number: a Counter64 with the leading zero byte that keeps it positive. */
const MAX_INTEGER_BYTES = 9;

/** @throws ProbeFailure `wrong-protocol` when it is longer than any number of SNMP */
const toBigInt = ({ bytes }: Cursor, start: bigint): bigint => {
  if (bytes.length > MAX_INTEGER_BYTES)
    throw new ProbeFailure("wrong-protocol", `a number of ${bytes.length} bytes is longer than any in SNMP`);
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), start);
};

export const toSigned = (content: Cursor): bigint => toBigInt(content, (content.bytes[0] ?? 0) >= 0x80 ? -1n : 0n);

/** For the unsigned types. Agents that leave out the leading zero byte mean a large number, not a negative one; net-snmp reads it so. */
export const toUnsigned = (content: Cursor): bigint => toBigInt(content, 0n);

/** For ids, versions and errors, which have at most 32 bits. */
export const toInteger = (content: Cursor): number => Number(toSigned(content));

/** RFC 2578, section 3.5. */
const MAX_ARC = 2 ** 32 - 1;

export const toObjectId = ({ bytes }: Cursor): string => {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f);
    // The first number encodes the first two arcs.
    if (arc > MAX_ARC + 80) throw new ProbeFailure("wrong-protocol", "an object identifier has a number above 32 bits");
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join(".");
};
