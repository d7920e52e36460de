/**
 * Redis (and Valkey, KeyDB, Dragonfly): open when the server answers PING with +PONG, or says that a password is needed
 * (RESP, Redis protocol specification). Without a password the version comes from INFO. QUIT at the end.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({ tls: tlsSettings.optional() });

/** `INFO server` has some 600 bytes. */
const MAX_INFO = 16_384;

/** Errors of an unavailable server: LOADING the data set, BUSY with a script, replication or cluster down. */
const UNWELL = /^-(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|OOM|ERR max number of clients)/;
/** Errors of a healthy server that demands a login; DENIED is protected mode. */
const WITHOUT_PASSWORD = /^-(NOAUTH|NOPERM|WRONGPASS|DENIED|ERR operation not permitted)/;

const command = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;

/** Reads the fields of `INFO server`; empty when the server refuses. */
const readInfo = async (connection: Connection): Promise<ReadonlyMap<string, string>> => {
  connection.write(command("INFO", "server"));
  const head = await connection.readLine();
  const size = Number(/^\$(\d{1,6})$/.exec(head)?.[1] ?? -1);
  if (size < 0) return new Map();
  if (size > MAX_INFO) throw new ProbeFailure("answer-too-long", `INFO announces ${size} bytes`);
  const text = (await connection.read(size + 2)).toString("utf8");
  return new Map(
    text.split("\r\n").flatMap((line) => {
      const colon = line.indexOf(":");
      return colon > 0 ? [[line.slice(0, colon), printable(line.slice(colon + 1), 60)] as const] : [];
    }),
  );
};

const talk = async (connection: Connection): Promise<Finding> => {
  connection.write(command("PING"));
  const answer = await connection.readLine();
  if (UNWELL.test(answer)) throw new ProbeFailure("service-unavailable", `the server answers: ${printable(answer)}`);
  if (WITHOUT_PASSWORD.test(answer))
    return {
      evidence: { answer: printable(answer) },
      message: printable(answer),
      facts: { "redis.access": "password needed" },
    };
  if (answer !== "+PONG") throw new ProbeFailure("wrong-protocol", `expected +PONG, got: ${printable(answer)}`);
  const info = await readInfo(connection);
  connection.write(command("QUIT"));
  const product = info.has("valkey_version") ? "Valkey" : "Redis";
  const version = info.get("valkey_version") ?? info.get("redis_version");
  return {
    evidence: {
      answer: "+PONG",
      ...(version && { product, version, mode: info.get("redis_mode") ?? info.get("server_mode"), os: info.get("os") }),
    },
    message: version ? `+PONG from ${product} ${version}` : "+PONG",
    facts: { "redis.access": "open", ...(version && { software: `${product} ${version}` }) },
  };
};

export const redis: Protocol = {
  title: "Redis",
  summary: "Open when the server answers PING, or says that a password is needed.",
  reference: "Redis serialization protocol specification (RESP2)",
  transports: ["tcp"],
  defaultPort: 6379,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const { tls } = parseSettings(settings, given);
    return { transport: "tcp", ...(tls && { tls }), talk };
  },
};
