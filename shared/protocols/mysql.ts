/**
 * MySQL and MariaDB: open when the server greets with protocol 10 (MySQL Internals, "Connection Phase": Protocol::HandshakeV10;
 * MariaDB Knowledge Base, "Connecting").
 *
 * We finish the handshake as a user that does not exist, without a password, and end with COM_QUIT. Closing directly after
 * the greeting would count as an interrupted handshake, and after `max_connect_errors` (100) of those the server blocks
 * our host, including all other applications on it; a refused user does not count.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { oneLine, parseSettings, starttlsSetting, tlsSettings } from "../wire/settings.ts";
import { upgradeToTls } from "../wire/starttls.ts";

const settings = z
  .strictObject({
    user: oneLine(32)
      .default("harborlight")
      .describe("User name that the probe sends, and that the server's log shows; by default one that does not exist."),
    starttls: starttlsSetting.optional(),
    tls: tlsSettings.optional(),
  })
  .refine(({ tls, starttls }) => tls === undefined || starttls !== "off", {
    path: ["tls"],
    message: 'works only with the TLS upgrade of MySQL: leave starttls out, or make it "if-offered" or "required"',
  })
  .transform(({ starttls, ...rest }) => ({ ...rest, starttls: starttls ?? (rest.tls ? "required" : "off") }) as const);

/** A greeting has some 100 bytes, an error at most 512 characters. */
const MAX_PACKET = 4096;

const CLIENT_LONG_PASSWORD = 0x1;
const CLIENT_PROTOCOL_41 = 0x200;
const CLIENT_SSL = 0x800;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x80000;
const UTF8MB4 = 45;

interface Packet {
  readonly sequence: number;
  readonly payload: Buffer;
}

const readPacket = async (connection: Connection): Promise<Packet> => {
  const head = await connection.read(4);
  const length = head.readUIntLE(0, 3);
  if (length === 0 || length > MAX_PACKET)
    throw new ProbeFailure("wrong-protocol", `a MySQL packet of ${length} bytes is not what a connection starts with`);
  return { sequence: head[3]!, payload: await connection.read(length) };
};

const writePacket = (connection: Connection, sequence: number, payload: Buffer): void => {
  const head = Buffer.from([0, 0, 0, sequence]);
  head.writeUIntLE(payload.length, 0, 3);
  connection.write(Buffer.concat([head, payload]));
};

interface ServerError {
  readonly code: number;
  readonly text: string;
}

const readError = (payload: Buffer): ServerError => {
  const cursor = new Cursor(payload, "MySQL error");
  cursor.u8();
  const code = cursor.take(2).readUInt16LE();
  const text = cursor.take(cursor.left).toString("utf8");
  return { code, text: printable(text.replace(/^#[0-9A-Z]{5}/, ""), 160) };
};

interface Greeting {
  readonly version: string;
  readonly capabilities: number;
  readonly plugin: string;
}

const readGreeting = (payload: Buffer): Greeting => {
  const cursor = new Cursor(payload, "MySQL greeting");
  const protocol = cursor.u8();
  if (protocol !== 10)
    throw new ProbeFailure("wrong-protocol", `expected MySQL's protocol version 10, got ${protocol}`);
  const version = printable(cursor.text(), 80);
  cursor.take(4 + 8 + 1); // connection id, first part of the challenge, filler
  let capabilities = cursor.take(2).readUInt16LE();
  if (cursor.left === 0) return { version, capabilities, plugin: "" };
  cursor.take(1 + 2); // character set, status
  capabilities += cursor.take(2).readUInt16LE() * 0x10000;
  const challengeLength = cursor.u8();
  cursor.take(10);
  if (!/^[0-9]+\.[0-9]/.test(version))
    throw new ProbeFailure("wrong-protocol", `expected a version in the greeting, got: ${version}`);
  cursor.take(Math.min(cursor.left, Math.max(13, challengeLength - 8)));
  const plugin = cursor.left > 0 ? printable(cursor.take(cursor.left).toString("latin1").split("\0")[0]!, 60) : "";
  return { version, capabilities, plugin };
};

/**
 * Errors 1040 (too many connections), 1041 (out of memory), 1053 (shutting down), 1129 (host blocked), 1135 (no thread
 * for the connection), 1203 (user limit), 3032 (offline mode).
 */
const UNWELL = new Set([1040, 1041, 1053, 1129, 1135, 1203, 3032]);

const judgeError = ({ code, text }: ServerError): Finding => {
  if (UNWELL.has(code)) throw new ProbeFailure("service-unavailable", `the server answers with error ${code}: ${text}`);
  // Mostly 1130, this host may not connect: a refusal by a healthy server.
  return { evidence: { refused: `${code} ${text}` }, message: `MySQL answers with error ${code}: ${text}` };
};

const clientHead = (flags: number): Buffer => {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(flags, 0);
  bytes.writeUInt32LE(0xffffff, 4);
  bytes[8] = UTF8MB4;
  return bytes;
};

/** Finishes the handshake, and sends COM_QUIT if the server accepts us. @returns the result, for the evidence */
const leave = async (connection: Connection, sequence: number, flags: number, user: string): Promise<string> => {
  const rest = [Buffer.from(`${user}\0`), Buffer.from([0]), Buffer.from("mysql_native_password\0")];
  writePacket(connection, sequence, Buffer.concat([clientHead(flags), ...rest]));
  const { payload, sequence: theirs } = await readPacket(connection);
  if (payload[0] === 0x00) {
    writePacket(connection, 0, Buffer.from([1])); // COM_QUIT
    return "accepted without a password";
  }
  if (payload[0] === 0xfe || payload[0] === 0x01) {
    // AuthSwitchRequest or AuthMoreData: we answer with an empty password, which completes the handshake.
    writePacket(connection, (theirs + 1) & 0xff, Buffer.alloc(0));
    return "asked for a password";
  }
  if (payload[0] !== 0xff)
    throw new ProbeFailure("unexpected-answer", `expected an answer to the login, got a packet of type ${payload[0]}`);
  const error = readError(payload);
  judgeError(error);
  return `refused: ${error.code}`;
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const { payload } = await readPacket(connection);
  // MariaDB 10.4 sends an error instead of a greeting with the sequence number 1 instead of 0.
  if (payload[0] === 0xff) return judgeError(readError(payload));
  const greeting = readGreeting(payload);
  const offersTls = (greeting.capabilities & CLIENT_SSL) !== 0;
  const flags = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH;
  let next = 1;
  const isInsideTls = await upgradeToTls(connection, wanted, offersTls, async () => {
    writePacket(connection, next, clientHead(flags | CLIENT_SSL));
    next += 1;
    return undefined;
  });
  const login = await leave(connection, next, isInsideTls ? flags | CLIENT_SSL : flags, wanted.user);
  // MariaDB prefixes its version with a fake one, for old replicas.
  const version = greeting.version.replace(/^5\.5\.5-/, "");
  return {
    evidence: {
      product: /mariadb/i.test(version) ? "MariaDB" : "MySQL",
      version,
      offersTls,
      ...(greeting.plugin && { authentication: greeting.plugin }),
      login,
      ...(isInsideTls && { starttls: true }),
    },
    message: `MySQL protocol 10, version ${version}`,
    facts: { software: /mariadb/i.test(version) ? `MariaDB ${version}` : `MySQL ${version}` },
  };
};

export const mysql: Protocol = {
  title: "MySQL",
  summary: "Open when the server greets with its version; TLS by the protocol's own upgrade where asked for.",
  reference: "MySQL Internals: Connection Phase, Protocol::HandshakeV10",
  transports: ["tcp"],
  defaultPort: 3306,
  settings,
  example: { settings: { starttls: "if-offered", tls: { verify: false } } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection) => talk(connection, wanted) };
  },
};
