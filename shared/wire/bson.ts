/** Encodes and decodes flat BSON documents (bsonspec.org, version 1.1): short commands and their answers; nested values are skipped. */

import { ProbeFailure } from "../contract/protocol.ts";
import { Cursor, printable } from "./cursor.ts";

/** Elements per document; the answer to `hello` has some twenty. */
const MAX_ELEMENTS = 200;

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};

/** Encodes numbers and texts in the order given: a command's name has to come first. */
export const encodeBson = (fields: Readonly<Record<string, number | string>>): Buffer => {
  const elements = Object.entries(fields).map(([name, value]) =>
    typeof value === "number"
      ? Buffer.concat([Buffer.from(`\x10${name}\0`), int32(value)])
      : Buffer.concat([Buffer.from(`\x02${name}\0`), int32(Buffer.byteLength(value) + 1), Buffer.from(`${value}\0`)]),
  );
  const body = Buffer.concat([...elements, Buffer.alloc(1)]);
  return Buffer.concat([int32(body.length + 4), body]);
};

const takeInt32 = (cursor: Cursor): number => cursor.take(4).readInt32LE();

type Scalar = string | number | boolean | null;

/** The value of one element; undefined for skipped types. */
const readValue = (type: number, cursor: Cursor): Scalar | undefined => {
  switch (type) {
    case 0x01:
      return cursor.take(8).readDoubleLE();
    case 0x02: {
      const text = cursor.take(takeInt32(cursor)).toString("utf8");
      return printable(text.slice(0, -1), 200);
    }
    case 0x08:
      return cursor.u8() === 1;
    case 0x0a:
      return null;
    case 0x10:
      return takeInt32(cursor);
    case 0x12:
      return Number(cursor.take(8).readBigInt64LE());
    case 0x03:
    case 0x04:
      cursor.take(takeInt32(cursor) - 4);
      return undefined;
    case 0x05:
      cursor.take(takeInt32(cursor) + 1);
      return undefined;
    case 0x07:
      cursor.take(12);
      return undefined;
    case 0x09:
    case 0x11:
      cursor.take(8);
      return undefined;
    case 0x13:
      cursor.take(16);
      return undefined;
    default:
      throw new ProbeFailure("unexpected-answer", `a BSON element has the unexpected type 0x${type.toString(16)}`);
  }
};

/** Returns the document's scalar values by name. */
export const decodeBson = (bytes: Buffer): ReadonlyMap<string, Scalar> => {
  const outer = new Cursor(bytes, "BSON document");
  const cursor = outer.part(takeInt32(outer) - 4);
  const fields = new Map<string, Scalar>();
  for (let count = 0; count < MAX_ELEMENTS; count += 1) {
    const type = cursor.u8();
    if (type === 0) return fields;
    const name = cursor.text();
    const value = readValue(type, cursor);
    if (value !== undefined) fields.set(name, value);
  }
  throw new ProbeFailure("answer-too-long", `a BSON document with more than ${MAX_ELEMENTS} elements`);
};
