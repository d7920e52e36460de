/**
 * AMQP: open when the broker answers the protocol header: with Connection.Start (AMQP 0-9-1, sections 2.2.4 and 4.2), which
 * names product and version, or, for AMQP 1.0 (section 2.2), with its own header. A broker that speaks only another
 * version answers with that version's header, and is open too. No login.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  version: z.enum(["0-9-1", "1.0"]).default("0-9-1").describe("Version to speak."),
  tls: tlsSettings.optional(),
});

/** RabbitMQ's Connection.Start has some 500 bytes; the protocol's own frame limit before tuning is 4096. */
const MAX_FRAME = 4096;
const MAX_FIELDS = 50;

const HEADERS = {
  "0-9-1": Buffer.from("AMQP\x00\x00\x09\x01", "latin1"),
  // Protocol id 3: SASL comes first, as brokers ask for it.
  "1.0": Buffer.from("AMQP\x03\x01\x00\x00", "latin1"),
} as const;

/** Versions by the last four bytes of their header, where these are not simply the version's numbers. */
const VERSIONS: Readonly<Record<string, string>> = {
  "1 1 8 0": "0-8",
  "1 1 0 9": "0-9",
  "1 1 0 10": "0-10",
  "0 1 0 0": "1.0",
  "2 1 0 0": "1.0",
  "3 1 0 0": "1.0",
};

/** Connection.Close with code 200: the protocol's goodbye, allowed at any time (section 1.4.2.7). */
const CLOSE = (() => {
  const payload = Buffer.from("\x00\x0a\x00\x32\x00\xc8\x03bye\x00\x00\x00\x00", "latin1");
  return Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, payload.length]), payload, Buffer.from([0xce])]);
})();

/** Widths in bytes of the field types that are skipped (section 4.2.5.5, and the types RabbitMQ uses). */
const WIDTHS: Readonly<Record<string, number>> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  U: 2,
  I: 4,
  i: 4,
  f: 4,
  D: 5,
  l: 8,
  L: 8,
  d: 8,
  T: 8,
  V: 0,
};

/** The texts of a field table, by name; other values are skipped. */
const readTable = (table: Cursor): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>();
  for (let count = 0; count < MAX_FIELDS && table.left > 0; count += 1) {
    const name = table.take(table.u8()).toString("latin1");
    const type = String.fromCharCode(table.u8());
    const width = WIDTHS[type];
    if (type === "S") texts.set(name, printable(table.take(table.u32()).toString("utf8"), 80));
    else if (type === "F" || type === "A" || type === "x") table.take(table.u32());
    else if (width !== undefined) table.take(width);
    else
      throw new ProbeFailure("unexpected-answer", `a field of the unknown type ${printable(type)} in Connection.Start`);
  }
  return texts;
};

const readStart = async (connection: Connection, head: Buffer): Promise<Finding> => {
  const length = head.readUInt32BE(3);
  if (head[0] !== 1 || head.readUInt16BE(1) !== 0 || length > MAX_FRAME)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected an AMQP header or Connection.Start, got: ${printable(head.toString("latin1")) || "bytes"}`,
    );
  const frame = await connection.read(length + 1);
  const cursor = new Cursor(frame.subarray(0, length), "Connection.Start");
  const [classId, methodId] = [cursor.u16(), cursor.u16()];
  if (classId !== 10 || methodId !== 10 || frame[length] !== 0xce)
    throw new ProbeFailure("wrong-protocol", `expected Connection.Start (10, 10), got (${classId}, ${methodId})`);
  const protocol = `${cursor.u8()}-${cursor.u8()}`;
  const server = readTable(cursor.part(cursor.u32()));
  const mechanisms = printable(cursor.take(cursor.u32()).toString("latin1"), 120);
  connection.write(CLOSE);
  const name = [server.get("product"), server.get("version")].filter(Boolean).join(" ");
  return {
    evidence: {
      protocol: `AMQP ${protocol}`,
      ...(name && { product: name }),
      platform: server.get("platform"),
      cluster: server.get("cluster_name"),
      mechanisms,
    },
    message: name ? `${name} speaks AMQP ${protocol}` : `AMQP ${protocol}`,
    facts: { "amqp.version": protocol, ...(name && { software: name }) },
  };
};

const talk = async (connection: Connection, { version }: z.output<typeof settings>): Promise<Finding> => {
  connection.write(HEADERS[version]);
  const head = await connection.read(7);
  if (head.toString("latin1", 0, 4) !== "AMQP") return readStart(connection, head);
  const revision = (await connection.read(1))[0]!;
  const [id, major, minor] = [head[4]!, head[5]!, head[6]!];
  if (id > 3 || major > 1)
    throw new ProbeFailure("unexpected-answer", `expected an AMQP version, got ${id} ${major}.${minor}.${revision}`);
  const spoken = VERSIONS[`${id} ${major} ${minor} ${revision}`] ?? `${major}-${minor}-${revision}`;
  // A broker of this version starts the connection; only 1.0 answers with the same header.
  if (version === "0-9-1" && spoken === version)
    throw new ProbeFailure("wrong-protocol", "expected Connection.Start, got our own AMQP header");
  return {
    evidence: { protocol: `AMQP ${spoken}`, security: id === 3 ? "SASL" : id === 2 ? "TLS" : "none" },
    message: `the broker speaks AMQP ${spoken}`,
    facts: { "amqp.version": spoken },
  };
};

export const amqp: Protocol = {
  title: "AMQP",
  summary: "Open when the broker answers the protocol header; 0-9-1 brokers name product and version.",
  reference: "AMQP 0-9-1 specification; OASIS AMQP 1.0, part 2",
  transports: ["tcp"],
  defaultPort: 5672,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", ...(wanted.tls && { tls: wanted.tls }), talk: (connection) => talk(connection, wanted) };
  },
};
