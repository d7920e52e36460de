/**
 * SMB: open when the server answers SMB2 NEGOTIATE ([MS-SMB2], sections 2.2.3 and 2.2.4) over direct TCP ([MS-SMB2], section
 * 2.1). No session is set up. A server that knows only SMB 1 does not answer, and should not be reachable either.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  requireSigning: z.boolean().default(false).describe("Fails unless the server requires signed messages."),
});

const HEADER_BYTES = 64;
const SERVER_TO_REDIR = 1;
/** Size of the response's fixed part and one byte of its buffer ([MS-SMB2] 2.2.4). */
const STRUCTURE_SIZE = 65;

/** Longest answer accepted; with its SPNEGO token Windows sends some 600 bytes. */
const MAX_MESSAGE = 16_384;

const DIALECTS = { 514: "2.0.2", 528: "2.1", 768: "3.0", 770: "3.0.2", 785: "3.1.1" } as const;

const CAPABILITIES = [
  [0x01, "DFS"],
  [0x02, "leasing"],
  [0x04, "large reads and writes"],
  [0x08, "multichannel"],
  [0x10, "persistent handles"],
  [0x20, "directory leasing"],
  [0x40, "encryption"],
] as const;

const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, 2 * index);
  return bytes;
};

const context = (type: number, data: Buffer): Buffer =>
  Buffer.concat([u16(type, data.length, 0, 0), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);

const negotiate = (random: (bytes: number) => Buffer): Buffer => {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("\xfeSMB", 0, "latin1");
  header.writeUInt16LE(HEADER_BYTES, 4);
  header.writeUInt16LE(1, 14); // one credit
  const dialects = u16(...Object.keys(DIALECTS).map(Number));
  const padding = Buffer.alloc((8 - ((36 + dialects.length) % 8)) % 8);
  const fixed = Buffer.concat([
    u16(36, dialects.length / 2, 1, 0), // signing enabled
    Buffer.from([0x7f, 0, 0, 0]),
    random(16), // client id
    u16(HEADER_BYTES + 36 + dialects.length + padding.length, 0, 2, 0),
  ]);
  const contexts = [
    context(1, Buffer.concat([u16(1, 32, 1), random(32)])), // preauthentication integrity: SHA-512
    context(2, u16(4, 2, 1, 4, 3)), // encryption: AES-128-GCM, -CCM, AES-256-GCM, -CCM
  ];
  const body = Buffer.concat([header, fixed, dialects, padding, ...contexts]);
  const frame = Buffer.alloc(4);
  frame.writeUInt32BE(body.length);
  return Buffer.concat([frame, body]);
};

const talk = async (connection: Connection, target: Target, wanted: z.output<typeof settings>): Promise<Finding> => {
  connection.write(negotiate(target.random));
  const frame = await connection.read(4);
  const length = frame.readUInt32BE();
  if (length < HEADER_BYTES || length > MAX_MESSAGE)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected an SMB message, got: ${printable(frame.toString("latin1")) || `0x${frame.toString("hex")}`}`,
    );
  const message = new Cursor(await connection.read(length), "SMB answer");
  const magic = message.take(4).toString("latin1");
  if (magic !== "\xfeSMB")
    throw new ProbeFailure("wrong-protocol", `expected an SMB2 message, got: ${printable(magic)}`);
  message.take(4);
  const status = message.take(4).readUInt32LE();
  const command = message.take(2).readUInt16LE();
  if (command !== 0)
    throw new ProbeFailure("unexpected-answer", `expected the answer to NEGOTIATE, got command ${command}`);
  if (status !== 0)
    throw new ProbeFailure("service-unavailable", `the server answers NEGOTIATE with status 0x${status.toString(16)}`);
  message.take(2);
  const isResponse = (message.take(4).readUInt32LE() & SERVER_TO_REDIR) !== 0;
  message.take(HEADER_BYTES - 20);
  const structureSize = message.take(2).readUInt16LE();
  if (!isResponse || structureSize !== STRUCTURE_SIZE)
    throw new ProbeFailure(
      "unexpected-answer",
      `expected a NEGOTIATE response of size ${STRUCTURE_SIZE}, got a ${isResponse ? "response" : "request"} of size ${structureSize}`,
    );
  const securityMode = message.take(2).readUInt16LE();
  const revision = message.take(2).readUInt16LE();
  message.take(2);
  const serverId = message.take(16).toString("hex");
  const flags = message.take(4).readUInt32LE();
  message.take(36); // limits, times and the token's offset: unused, but required in a complete answer
  const dialect = (DIALECTS as Readonly<Record<number, string>>)[revision];
  if (dialect === undefined)
    throw new ProbeFailure("unexpected-answer", `expected one of our dialects, got 0x${revision.toString(16)}`);
  const signing = (securityMode & 2) !== 0 ? "required" : (securityMode & 1) !== 0 ? "enabled" : "disabled";
  const evidence = {
    dialect: `SMB ${dialect}`,
    signing,
    serverId,
    capabilities: CAPABILITIES.flatMap(([bit, name]) => ((flags & bit) !== 0 ? [name] : [])),
  };
  if (wanted.requireSigning && signing !== "required")
    throw new ProbeFailure("unexpected-answer", `expected required signing, got: ${signing}`, { evidence });
  return {
    evidence,
    message: `SMB ${dialect}, signing ${signing}`,
    facts: { "smb.dialect": dialect, "smb.signing": signing },
  };
};

export const smb: Protocol = {
  title: "SMB",
  summary: "Open when the server answers SMB2 NEGOTIATE; reports the dialect and whether signing is required.",
  reference: "[MS-SMB2]",
  transports: ["tcp"],
  defaultPort: 445,
  settings,
  example: { settings: { requireSigning: true } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection, target) => talk(connection, target, wanted) };
  },
};
