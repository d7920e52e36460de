/**
 * Kafka: open when the broker answers ApiVersions (Apache Kafka protocol guide, API key 18, version 0), the only request
 * that is allowed before a login. The API versions in the answer roughly identify the broker's version.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol, type Target } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({ tls: tlsSettings.optional() });

/** Six bytes for each API; brokers know some 75. */
const MAX_ANSWER = 8192;
const UNSUPPORTED_VERSION = 35;

const NAMES: Readonly<Record<number, string>> = {
  0: "Produce",
  1: "Fetch",
  3: "Metadata",
  18: "ApiVersions",
  19: "CreateTopics",
};

const CLIENT_ID = "harborlight";

const request = (correlationId: Buffer): Buffer => {
  const head = Buffer.from([0, 0, 0, 10 + CLIENT_ID.length, 0, 18, 0, 0, ...correlationId, 0, CLIENT_ID.length]);
  return Buffer.concat([head, Buffer.from(CLIENT_ID)]);
};

const talk = async (connection: Connection, target: Target): Promise<Finding> => {
  const correlationId = target.random(4);
  connection.write(request(correlationId));
  const head = await connection.read(8);
  const length = head.readUInt32BE();
  if (length < 10 || length > MAX_ANSWER || !head.subarray(4).equals(correlationId))
    throw new ProbeFailure(
      "wrong-protocol",
      `expected the answer to ApiVersions, got: ${printable(head.toString("latin1")) || "bytes"}`,
    );
  const body = new Cursor(await connection.read(length - 4), "ApiVersions answer");
  const error = body.u16();
  if (error !== 0 && error !== UNSUPPORTED_VERSION)
    throw new ProbeFailure("service-unavailable", `the broker answers ApiVersions with error ${error}`);
  const count = body.u32();
  const apis: string[] = [];
  let highest = 0;
  for (let index = 0; index < count; index += 1) {
    const [key, from, to] = [body.u16(), body.u16(), body.u16()];
    highest = Math.max(highest, key);
    const name = NAMES[key];
    if (name !== undefined && apis.length < Object.keys(NAMES).length) apis.push(`${name} ${from}-${to}`);
  }
  if (count === 0 && error === 0) throw new ProbeFailure("unexpected-answer", "the broker knows no API at all");
  return {
    evidence: { apis: count, highestApi: highest, versions: apis },
    message: `Kafka broker with ${count} APIs (${apis.slice(0, 2).join(", ")})`,
    facts: { "kafka.apis": `${count}: ${apis.join(", ")}` },
  };
};

export const kafka: Protocol = {
  title: "Kafka",
  summary: "Open when the broker answers ApiVersions, which needs no login.",
  reference: "Apache Kafka protocol guide: ApiVersions",
  transports: ["tcp"],
  defaultPort: 9092,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const { tls } = parseSettings(settings, given);
    return { transport: "tcp", ...(tls && { tls }), talk };
  },
};
