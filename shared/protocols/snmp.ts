/**
 * SNMP: open when an agent answers our request id. v1 and v2c ask for one object with a community (RFC 1157, section 4;
 * RFC 3416, section 4.2); v3 asks an agent for its engine id, which needs no account (RFC 3414, section 4).
 * An agent does not answer a wrong community or an unknown address, so silence may mean either.
 */
import { z } from "zod";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import {
  element,
  expectNext,
  integer,
  next,
  objectId,
  octets,
  toInteger,
  toObjectId,
  toSigned,
  toUnsigned,
} from "../wire/ber.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { oneLine, parseSettings } from "../wire/settings.ts";
import { udpFields, udpProbe } from "../wire/udp.ts";

const SYS_DESCR = "1.3.6.1.2.1.1.1.0";
const UNKNOWN_ENGINE_IDS = "1.3.6.1.6.3.15.1.1.4.0";
const SEQUENCE = 0x30;
const GET_REQUEST = 0xa0;
const RESPONSE = 0xa2;
const REPORT = 0xa8;
const ANSWER = "SNMP answer";

const expectations = z
  .strictObject({
    equals: z.string().max(255).optional().describe("The value, as text."),
    contains: z.string().min(1).max(255).optional().describe("A part of the value."),
    min: z.number().optional().describe("Least value."),
    max: z.number().optional().describe("Greatest value."),
  })
  .refine(({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) => min <= max, {
    path: ["max"],
    message: "must be at least min",
  });

const object = {
  community: oneLine(64).meta({ writeOnly: true }).default("public").describe("Community, which is a password."),
  oid: z
    .string()
    .max(255)
    .regex(/^\.?[0-2](\.\d{1,10}){1,127}$/, "must be an object identifier in numbers, like 1.3.6.1.2.1.1.1.0")
    .default(SYS_DESCR)
    .describe("Object to read; by default sysDescr."),
  expect: expectations.optional().describe("What the value must be."),
};

const settings = z.discriminatedUnion(
  "version",
  [
    z.strictObject({
      version: z.literal("2c").optional().describe("Speaks version 2c; the default."),
      ...object,
      ...udpFields(),
    }),
    z.strictObject({ version: z.literal("1").describe("Speaks version 1."), ...object, ...udpFields() }),
    z.strictObject({
      version: z.literal("3").describe("Speaks version 3, and asks for the engine only."),
      ...udpFields(),
    }),
  ],
  { error: (issue) => (issue.code === "invalid_union" ? 'must be "1", "2c" or "3"' : undefined) },
);
type Settings = z.infer<typeof settings>;
type Expectations = z.infer<typeof expectations>;

/** A request id is a signed 32-bit number; kept positive, because implementations encode negative ones differently. */
const requestId = (random: Buffer): number => random.readUInt32BE() & 0x7fffffff;

const getRequest = (id: number, oid?: string): Buffer =>
  element(
    GET_REQUEST,
    integer(id),
    integer(0),
    integer(0),
    element(SEQUENCE, ...(oid ? [element(SEQUENCE, objectId(oid), element(0x05))] : [])),
  );

const discovery = (id: number): Buffer => {
  const noUser = element(SEQUENCE, octets(""), integer(0), integer(0), octets(""), octets(""), octets(""));
  // Message id, largest message, flags (reportable, no authentication), user-based security model.
  const head = element(SEQUENCE, integer(id), integer(65_507), octets(Buffer.of(4)), integer(3));
  return element(SEQUENCE, integer(3), head, octets(noUser), element(SEQUENCE, octets(""), octets(""), getRequest(id)));
};

const ask = (wanted: Settings, random: Buffer): Buffer => {
  const id = requestId(random);
  if (wanted.version === "3") return discovery(id);
  const version = integer(wanted.version === "1" ? 0 : 1);
  return element(SEQUENCE, version, octets(wanted.community), getRequest(id, wanted.oid.replace(/^\./, "")));
};

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

const ERRORS = ["no error", "too big", "no such name", "bad value", "read only", "general error", "no access"];
const NO_SUCH_NAME = 2;
const GENERAL_ERROR = 5;
const RESOURCE_UNAVAILABLE = 13;

const unmet = (value: string, { equals, contains, min, max }: Expectations): string | undefined => {
  if (equals !== undefined && value !== equals) return `"${equals}"`;
  if (contains !== undefined && !value.includes(contains)) return `a value with "${contains}"`;
  const number = /^-?\d+$/.test(value) ? BigInt(value) : value.trim() === "" ? Number.NaN : Number(value);
  if (min !== undefined && !(number >= min)) return `at least ${min}`;
  if (max !== undefined && !(number <= max)) return `at most ${max}`;
  return undefined;
};

interface Pdu {
  readonly tag: number;
  readonly id: number;
  readonly error: number;
  readonly bindings: Cursor;
}
const readPdu = (cursor: Cursor): Pdu => {
  const { tag, content } = next(cursor, ANSWER);
  if (tag !== RESPONSE && tag !== REPORT)
    throw new ProbeFailure("wrong-protocol", `expected an SNMP response, got type 0x${tag.toString(16)}`);
  const id = toInteger(expectNext(content, 0x02, ANSWER));
  const error = toInteger(expectNext(content, 0x02, ANSWER));
  expectNext(content, 0x02, ANSWER);
  return { tag, id, error, bindings: expectNext(content, SEQUENCE, ANSWER) };
};

const readBinding = (bindings: Cursor): { oid: string; text: string; isMissing?: boolean } | undefined => {
  if (bindings.left === 0) return undefined;
  const binding = expectNext(bindings, SEQUENCE, ANSWER);
  const oid = toObjectId(expectNext(binding, 0x06, ANSWER));
  const { tag, content } = next(binding, ANSWER);
  return { oid, ...readValue(tag, content) };
};

const readObject = (pdu: Pdu, version: string, wanted: { oid: string; expect?: Expectations | undefined }): Finding => {
  const bound = readBinding(pdu.bindings);
  const oid = wanted.oid.replace(/^\./, "");
  const isMissing = pdu.error === NO_SUCH_NAME || bound?.isMissing === true;
  const error = ERRORS[pdu.error] ?? `error ${pdu.error}`;
  const value = pdu.error ? error : (bound?.text ?? "no value");
  const evidence = { version, oid: bound?.oid ?? oid, value };
  if (pdu.error === GENERAL_ERROR || pdu.error === RESOURCE_UNAVAILABLE)
    throw new ProbeFailure("service-unavailable", `the SNMP agent answers "${error}" for ${oid}`, { evidence });
  if (!pdu.error && bound?.oid !== oid)
    throw new ProbeFailure("unexpected-answer", `asked for ${oid}, got ${bound?.oid ?? "nothing"}`, { evidence });
  const expected = wanted.expect && (isMissing || pdu.error ? "a value" : unmet(value, wanted.expect));
  if (expected)
    throw new ProbeFailure("unexpected-answer", `expected ${expected} at ${oid}, got "${value}"`, { evidence });
  const isDescription = oid === SYS_DESCR && !isMissing && !pdu.error;
  return {
    evidence,
    message: isDescription ? value : `${oid} is ${value}`,
    ...(isDescription && { facts: { "snmp.description": value } }),
  };
};

/** Describes an engine id by its own format (RFC 3411, section 5, SnmpEngineID). */
const describeEngine = (engineId: Buffer): Record<string, unknown> => {
  const text = { engineId: engineId.toString("hex") };
  if (engineId.length < 5) return text;
  const enterprise = engineId.readUInt32BE() & 0x7fffffff;
  const rest = engineId.subarray(5);
  const formats: Record<number, [string, string]> = {
    1: ["engineAddress", [...rest].join(".")],
    3: ["engineMac", rest.toString("hex").replace(/(..)(?=.)/g, "$1:")],
    4: ["engineText", printable(rest.toString("utf8"))],
  };
  const format = engineId[0]! >= 0x80 ? formats[engineId[4]!] : undefined;
  return { ...text, enterprise, ...(format && { [format[0]]: format[1] }) };
};

const readEngine = (message: Cursor, question: Buffer): Finding | undefined => {
  const head = expectNext(message, SEQUENCE, ANSWER);
  const id = toInteger(expectNext(head, 0x02, ANSWER));
  if (id !== questionId(question)) return undefined;
  const security = expectNext(expectNext(message, 0x04, ANSWER), SEQUENCE, ANSWER);
  const engineId = expectNext(security, 0x04, ANSWER).bytes;
  const boots = toInteger(expectNext(security, 0x02, ANSWER));
  const uptimeSeconds = toInteger(expectNext(security, 0x02, ANSWER));
  const scoped = expectNext(message, SEQUENCE, ANSWER);
  expectNext(scoped, 0x04, ANSWER);
  expectNext(scoped, 0x04, ANSWER);
  const pdu = readPdu(scoped);
  const reported = readBinding(pdu.bindings)?.oid;
  const evidence = { version: "3", ...describeEngine(engineId), boots, uptimeSeconds };
  if (engineId.length === 0)
    throw new ProbeFailure("unexpected-answer", `the SNMP agent answers without its engine id (${reported})`, {
      evidence,
    });
  return {
    evidence: reported === UNKNOWN_ENGINE_IDS ? evidence : { ...evidence, reported },
    message: `SNMPv3 engine ${engineId.toString("hex")}, up for ${uptimeSeconds} s`,
    facts: { "snmp.engineId": engineId.toString("hex") },
  };
};

/** Reads the id that `ask` wrote: the first number of the PDU, or of the v3 header. */
const questionId = (question: Buffer): number => {
  const message = expectNext(new Cursor(question, ANSWER), SEQUENCE, ANSWER);
  if (toInteger(expectNext(message, 0x02, ANSWER)) === 3)
    return toInteger(expectNext(expectNext(message, SEQUENCE, ANSWER), 0x02, ANSWER));
  expectNext(message, 0x04, ANSWER);
  return toInteger(expectNext(next(message, ANSWER).content, 0x02, ANSWER));
};

const read = (wanted: Settings, answer: Buffer, question: Buffer): Finding | undefined => {
  if (answer[0] !== SEQUENCE)
    throw new ProbeFailure("wrong-protocol", "expected an SNMP message, got something else", {
      evidence: { firstBytes: answer.subarray(0, 8).toString("hex") },
    });
  const message = expectNext(new Cursor(answer, ANSWER), SEQUENCE, ANSWER);
  const version = ["1", "2c", "2", "3"][toInteger(expectNext(message, 0x02, ANSWER))];
  if (version !== (wanted.version ?? "2c"))
    throw new ProbeFailure(
      "wrong-protocol",
      `expected an answer in SNMP version ${wanted.version ?? "2c"}, got ${version}`,
    );
  if (wanted.version === "3") return readEngine(message, question);
  expectNext(message, 0x04, ANSWER);
  const pdu = readPdu(message);
  if (pdu.id !== questionId(question)) return undefined;
  // Only engines of version 3 send reports: RFC 3416, section 4.
  if (pdu.tag !== RESPONSE) throw new ProbeFailure("wrong-protocol", "expected an SNMP response, got a report");
  return readObject(pdu, version, wanted);
};

export const snmp: Protocol = {
  title: "SNMP",
  summary: "Open when an agent answers our request: with an object (v1, v2c) or with its engine id (v3).",
  reference: "RFC 1157, section 4; RFC 3416, section 4.2; RFC 3412, section 6; RFC 3414, section 4",
  transports: ["udp"],
  defaultPort: 161,
  settings,
  example: { settings: { version: "2c", community: "public", oid: SYS_DESCR } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    return udpProbe(wanted, {
      ask: (_n, random) => ask(wanted, random(4)),
      read: (answer, question) => read(wanted, answer, question),
    });
  },
};
