/**
 * STUN: open when the server answers a Binding request with the same transaction id (RFC 8489, sections 5, 6 and 14).
 * Needs no account: a refusal for missing credentials (401) counts as an answer. Servers of the older RFC 3489 answer too,
 * with other attributes.
 */
import { crc32 } from "node:zlib";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";
import { tcpProbe, udpOrTcp, udpProbe } from "../wire/udp.ts";

const MAGIC_COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;
const HEADER_BYTES = 20;
/** Longest message accepted by TCP; STUN messages normally fit into the path's MTU. */
const MAX_BODY_BYTES = 4096;

/**
 * Known comprehension-required attributes, of RFC 8489 (section 18.3), the older RFC 3489 and RFC 5780: a response with any
 * other is invalid. Attributes from 0x8000 on are optional.
 */
const REQUIRED_ATTRIBUTES: ReadonlySet<number> = new Set([
  ...[0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0007, 0x0008, 0x0009, 0x000a, 0x000b],
  ...[0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020, 0x0026, 0x0027],
]);

const settings = udpOrTcp({});

const request = (random: (bytes: number) => Buffer): Buffer => {
  const message = Buffer.alloc(HEADER_BYTES);
  message.writeUInt16BE(BINDING_REQUEST, 0);
  message.writeUInt32BE(MAGIC_COOKIE, 4);
  random(12).copy(message, 8);
  return message;
};

/** @param key to decode an XOR-mapped address @returns undefined for an unknown address family */
const address = (value: Cursor, key?: Buffer): string | undefined => {
  value.u8();
  const family = value.u8();
  if (family !== 1 && family !== 2) return undefined;
  const port = value.u16() ^ (key ? key.readUInt16BE() : 0);
  const bytes = Buffer.from(value.take(family === 2 ? 16 : 4));
  if (key) for (let i = 0; i < bytes.length; i += 1) bytes[i] = bytes[i]! ^ key[i]!;
  if (family !== 2) return `${[...bytes].join(".")}:${port}`;
  return `[${bytes.toString("hex").match(/..../g)!.join(":")}]:${port}`;
};

interface Answer {
  readonly evidence: {
    mappedAddress?: string | undefined;
    software?: string;
    responseOrigin?: string | undefined;
    otherAddress?: string | undefined;
    error?: string;
  };
  error?: number;
}

/** One attribute (section 14). @param start where it begins in the message */
const readAttribute = (type: number, value: Cursor, start: number, message: Buffer, answer: Answer): void => {
  const { evidence } = answer;
  switch (type) {
    case 0x0020:
      evidence.mappedAddress = address(value, message.subarray(4, 20));
      break;
    case 0x0001:
      evidence.mappedAddress ??= address(value);
      break;
    case 0x8022:
      evidence.software = printable(value.bytes.toString("utf8"));
      break;
    case 0x802b:
      evidence.responseOrigin = address(value);
      break;
    case 0x802c:
      evidence.otherAddress = address(value);
      break;
    case 0x0009:
      value.u16();
      answer.error = (value.u8() & 7) * 100 + value.u8();
      evidence.error = `${answer.error} ${printable(value.take(value.left).toString("utf8"))}`.trim();
      break;
    case 0x8028:
      if ((crc32(message.subarray(0, start)) ^ 0x5354554e) >>> 0 !== value.u32())
        throw new ProbeFailure("unexpected-answer", "the STUN answer's FINGERPRINT does not match its content", {
          evidence,
        });
      break;
    default:
      if (type < 0x8000 && !REQUIRED_ATTRIBUTES.has(type))
        throw new ProbeFailure(
          "unexpected-answer",
          `the STUN answer has an unknown attribute that must be understood: 0x${type.toString(16)}`,
        );
  }
};

const readAttributes = (message: Buffer): Answer => {
  const answer: Answer = { evidence: {} };
  const body = new Cursor(message, "STUN answer", HEADER_BYTES).part(message.readUInt16BE(2));
  while (body.left > 0) {
    const start = HEADER_BYTES + body.offset;
    const type = body.u16();
    const value = body.part(body.u16());
    body.take(Math.min(body.left, -value.bytes.length & 3));
    readAttribute(type, value, start, message, answer);
  }
  return answer;
};

/** @returns undefined for a message of another transaction */
const understand = (message: Buffer, question: Buffer): Finding | undefined => {
  const head = message.length >= HEADER_BYTES ? message.readUInt16BE(0) : -1;
  if (head !== BINDING_SUCCESS && head !== BINDING_ERROR)
    throw new ProbeFailure("wrong-protocol", "expected a STUN Binding response, got something else", {
      evidence: { firstBytes: message.subarray(0, 8).toString("hex") },
    });
  // Includes the magic cookie, which is a part of the transaction id in RFC 3489.
  if (!message.subarray(4, 20).equals(question.subarray(4, 20))) return undefined;
  const answer = readAttributes(message);
  return head === BINDING_ERROR ? judgeError(answer) : judgeSuccess(answer);
};

const judgeError = ({ evidence, error }: Answer): Finding => {
  if (error === undefined || error < 300 || error > 699)
    throw new ProbeFailure("unexpected-answer", "the STUN server answers with an error without a valid code", {
      evidence,
    });
  if (error >= 500)
    throw new ProbeFailure("service-unavailable", `the STUN server answers ${evidence.error}`, { evidence });
  return finding(evidence, `the STUN server answers ${evidence.error}`);
};

const judgeSuccess = ({ evidence }: Answer): Finding => {
  if (!evidence.mappedAddress)
    throw new ProbeFailure("unexpected-answer", "the STUN server does not say which address it sees", { evidence });
  return finding(evidence, `${evidence.software ?? "a STUN server"} sees us as ${evidence.mappedAddress}`);
};

const finding = (evidence: Answer["evidence"], message: string): Finding => ({
  evidence,
  message,
  ...(evidence.software && { facts: { software: evidence.software } }),
});

const talk = async (connection: Connection, random: (bytes: number) => Buffer): Promise<Finding> => {
  const question = request(random);
  connection.write(question);
  const head = await connection.read(HEADER_BYTES);
  const length = head.readUInt16BE(2);
  const isStun = [BINDING_SUCCESS, BINDING_ERROR].includes(head.readUInt16BE(0)) && length <= MAX_BODY_BYTES;
  const finding = understand(isStun ? Buffer.concat([head, await connection.read(length)]) : Buffer.alloc(0), question);
  if (finding) return finding;
  throw new ProbeFailure("unexpected-answer", "the STUN answer carries another transaction id than the request");
};

export const stun: Protocol = {
  title: "STUN",
  summary: "Open when the server answers a Binding request with our transaction id.",
  reference: "RFC 8489, sections 5, 6 and 14",
  transports: ["udp", "tcp"],
  defaultPort: 3478,
  settings,
  example: { settings: {} },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    if (wanted.transport === "tcp") return tcpProbe(wanted, (connection, target) => talk(connection, target.random));
    return udpProbe(wanted, {
      ask: (_n, random) => request(random),
      read: understand,
    });
  },
};
