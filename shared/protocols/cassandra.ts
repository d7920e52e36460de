/**
 * Cassandra (and ScyllaDB): open when the node answers OPTIONS with SUPPORTED (CQL binary protocol v4, sections 4.1.3 and
 * 4.2.4), which needs no login, or with an ERROR that names the protocol versions it knows.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({ tls: tlsSettings.optional() });

const MAX_BODY = 16_384;
const ERROR = 0x00;
const SUPPORTED = 0x06;
const OPTIONS = Buffer.from([4, 0, 0, 1, 5, 0, 0, 0, 0]);

const PROTOCOL_ERROR = 0x000a;
/** Cassandra 2.1 reports it as a server error, after the names of two Java classes (CASSANDRA-9451). */
const OTHER_VERSION = /unsupported protocol version/i;
/** Overloaded, bootstrapping, server error. */
const UNWELL = new Set([0x1001, 0x1002, 0x0000]);

const readText = (cursor: Cursor): string => printable(cursor.take(cursor.u16()).toString("utf8"), 200);

/** A string multimap: section 3 of the specification. */
const readOptions = (body: Cursor): ReadonlyMap<string, readonly string[]> => {
  const options = new Map<string, readonly string[]>();
  const count = body.u16();
  for (let index = 0; index < count; index += 1) {
    const name = readText(body);
    options.set(
      name,
      Array.from({ length: body.u16() }, () => readText(body)),
    );
  }
  return options;
};

const talk = async (connection: Connection): Promise<Finding> => {
  connection.write(OPTIONS);
  const first = (await connection.read(1))[0]!;
  const version = first & 0x7f;
  // Versions 1 and 2 (Cassandra up to 2.0) have one byte of stream id, later ones two: section 2 of each specification.
  const streamBytes = version <= 2 ? 1 : 2;
  const head = await connection.read(6 + streamBytes);
  const stream = head.readUIntBE(1, streamBytes);
  const opcode = head[1 + streamBytes]!;
  const length = head.readUInt32BE(2 + streamBytes);
  const isAnswer = first >= 0x80 && version >= 1 && version <= 6 && stream <= 1;
  if (!isAnswer || (opcode !== SUPPORTED && opcode !== ERROR) || length > MAX_BODY)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected SUPPORTED, got: ${printable(String.fromCharCode(first) + head.toString("latin1")) || "bytes"}`,
    );
  const body = new Cursor(await connection.read(length), "CQL answer");
  if (opcode === ERROR) {
    const code = body.u32();
    const text = readText(body);
    const isOtherVersion = code === PROTOCOL_ERROR || OTHER_VERSION.test(text);
    if (!isOtherVersion && UNWELL.has(code)) throw new ProbeFailure("service-unavailable", `the node answers: ${text}`);
    if (!isOtherVersion)
      throw new ProbeFailure("unexpected-answer", `expected SUPPORTED, got error 0x${code.toString(16)}: ${text}`);
    return {
      evidence: { nativeProtocol: version, answer: text },
      message: `CQL: ${text}`,
      facts: { "cassandra.protocol": String(version) },
    };
  }
  const options = readOptions(body);
  const cql = options.get("CQL_VERSION")?.[0];
  const product = [...options.keys()].some((name) => name.startsWith("SCYLLA_")) ? "ScyllaDB" : "Cassandra";
  return {
    evidence: {
      product,
      cqlVersion: cql,
      protocolVersions: options.get("PROTOCOL_VERSIONS")?.slice(0, 8),
      compression: options.get("COMPRESSION")?.slice(0, 8),
    },
    message: `${product}, CQL ${cql ?? "of an unknown version"}`,
    facts: {
      software: product,
      "cassandra.cql": cql ?? "",
      "cassandra.protocols": options.get("PROTOCOL_VERSIONS")?.join(" ") ?? "",
    },
  };
};

export const cassandra: Protocol = {
  title: "Cassandra",
  summary: "Open when the node answers OPTIONS with what it supports, which needs no login.",
  reference: "CQL binary protocol v4",
  transports: ["tcp"],
  defaultPort: 9042,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const { tls } = parseSettings(settings, given);
    return { transport: "tcp", ...(tls && { tls }), talk };
  },
};
