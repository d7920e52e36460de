/** SNMP's PDUs and values, which are the same in all versions (RFC 3416, sections 2 and 3; RFC 2578, section 7.1). */
import { ProbeFailure } from "../contract/protocol.ts";
import { element, expectNext, integer, next, objectId, toInteger, toObjectId, toSigned, toUnsigned } from "./ber.ts";
import { Cursor, printable } from "./cursor.ts";

const GET_REQUEST = 0xa0;
const GET_BULK_REQUEST = 0xa5;
export const SEQUENCE = 0x30;
export const RESPONSE = 0xa2;
export const REPORT = 0xa8;
/** Names the answer in messages. */
export const ANSWER = "SNMP answer";

/** A request id is a signed 32-bit number; kept positive, because implementations encode negative ones differently. */
export const requestId = (random: Buffer): number => random.readUInt32BE() & 0x7fffffff;

const request = (tag: number, id: number, first: number, second: number, oids: readonly string[]): Buffer => {
  const bindings = oids.map((oid) => element(SEQUENCE, objectId(oid), element(0x05)));
  return element(tag, integer(id), integer(first), integer(second), element(SEQUENCE, ...bindings));
};

export const getRequest = (id: number, ...oids: readonly string[]): Buffer => request(GET_REQUEST, id, 0, 0, oids);

/** Asks for the next instances after each of the objects: RFC 3416, section 4.2.3. */
export const getBulkRequest = (id: number, repetitions: number, ...oids: readonly string[]): Buffer =>
  request(GET_BULK_REQUEST, id, 0, repetitions, oids);

/**
 * Decodes numbers inside Opaque, such as floats, which SNMP has no type for; net-snmp sends load averages so
 * (draft-perkins-opaque-01): a tag of two bytes, a length, the number.
 */
const readOpaque = (content: Cursor): string | undefined => {
  const { bytes } = content;
  if (bytes.length < 3 || bytes[0] !== 0x9f || bytes[2] !== bytes.length - 3) return undefined;
  const number = bytes.subarray(3);
  switch (bytes[1]) {
    case 0x76: // Counter64
    case 0x7b: // Unsigned64
      return String(toUnsigned(new Cursor(number, ANSWER)));
    case 0x7a: // Integer64
      return String(toSigned(new Cursor(number, ANSWER)));
    case 0x78:
      // The shortest decimal of this 32-bit float: 0.1, not 0.10000000149011612.
      return number.length === 4 ? String(Number(number.readFloatBE().toPrecision(7))) : undefined;
    case 0x79:
      return number.length === 8 ? String(number.readDoubleBE()) : undefined;
    default:
      return undefined;
  }
};

const readOctets = ({ bytes }: Cursor): string => {
  const text = bytes.toString("utf8");
  const isText = !/[^\P{C}\t\r\n]|\ufffd/u.test(text);
  return isText ? printable(text, 255) : bytes.subarray(0, 64).toString("hex");
};

/** Decodes a value to text, numbers exactly; the last three types mean that there is no value. */
const readValue = (tag: number, content: Cursor): { text: string; isMissing?: boolean } => {
  switch (tag) {
    case 0x02:
      return { text: String(toSigned(content)) };
    case 0x41: // Counter32
    case 0x42: // Gauge32, Unsigned32
    case 0x43: // TimeTicks, in hundredths of a second
    case 0x46: // Counter64
    case 0x47: // UInteger32, of agents that still follow RFC 1442
      return { text: String(toUnsigned(content)) };
    case 0x44:
      return { text: readOpaque(content) ?? readOctets(content) };
    case 0x04:
      return { text: readOctets(content) };
    case 0x45: // NsapAddress, of agents that still follow RFC 1442
      return { text: content.bytes.subarray(0, 64).toString("hex") };
    case 0x05:
      return { text: "null" };
    case 0x06:
      return { text: toObjectId(content) };
    case 0x40:
      return { text: [...content.bytes].join(".") };
    case 0x80:
      return { text: "no such object", isMissing: true };
    case 0x81:
      return { text: "no such instance", isMissing: true };
    case 0x82:
      return { text: "end of the view", isMissing: true };
    default:
      throw new ProbeFailure("wrong-protocol", `the ${ANSWER} has a value of the unknown type 0x${tag.toString(16)}`);
  }
};

export interface Pdu {
  readonly tag: number;
  readonly id: number;
  readonly error: number;
  readonly bindings: Cursor;
}
export const readPdu = (cursor: Cursor): Pdu => {
  const { tag, content } = next(cursor, ANSWER);
  if (tag !== RESPONSE && tag !== REPORT)
    throw new ProbeFailure("wrong-protocol", `expected an SNMP response, got type 0x${tag.toString(16)}`);
  const id = toInteger(expectNext(content, 0x02, ANSWER));
  const error = toInteger(expectNext(content, 0x02, ANSWER));
  expectNext(content, 0x02, ANSWER);
  return { tag, id, error, bindings: expectNext(content, SEQUENCE, ANSWER) };
};

const nextBinding = (bindings: Cursor) => {
  const binding = expectNext(bindings, SEQUENCE, ANSWER);
  const oid = toObjectId(expectNext(binding, 0x06, ANSWER));
  return { oid, ...next(binding, ANSWER) };
};

export const readBinding = (bindings: Cursor): { oid: string; text: string; isMissing?: boolean } | undefined => {
  if (bindings.left === 0) return undefined;
  const { oid, tag, content } = nextBinding(bindings);
  return { oid, ...readValue(tag, content) };
};

/** The value of an object: a number of any type, or text. Null: the agent has none there. */
export type SnmpValue = bigint | string | null;

/** All objects of an answer, in its order. */
export const readBindings = (bindings: Cursor): { readonly oid: string; readonly value: SnmpValue }[] => {
  const found: { readonly oid: string; readonly value: SnmpValue }[] = [];
  while (bindings.left > 0) {
    const { oid, tag, content } = nextBinding(bindings);
    const isNumber = tag === 0x02 || tag === 0x41 || tag === 0x42 || tag === 0x43 || tag === 0x46 || tag === 0x47;
    if (isNumber) found.push({ oid, value: tag === 0x02 ? toSigned(content) : toUnsigned(content) });
    else {
      const { text, isMissing } = readValue(tag, content);
      found.push({ oid, value: isMissing || tag === 0x05 ? null : text });
    }
  }
  return found;
};
