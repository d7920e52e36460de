/**
 * MongoDB: open when the server answers `hello` (MongoDB specifications, "OP_MSG" and "MongoDB Handshake"), or `isMaster`
 * if it is older than 4.4.2. Neither needs a login; the version comes from `buildInfo` where that is allowed.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { decodeBson, encodeBson } from "../wire/bson.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({
  tls: tlsSettings.optional(),
  role: z
    .enum(["any", "writable"])
    .default("any")
    .describe("What the server must be. A secondary answers, but takes no writes."),
});

const OP_MSG = 2013;
/** `hello` of a large replica set has some 2 KB, `buildInfo` some 4 KB. */
const MAX_MESSAGE = 65_536;
const COMMAND_NOT_FOUND = 59;
/** Shutting down, starting up, recovering (MongoDB error codes). */
const UNWELL = new Set([91, 11600, 13436, 13435, 189]);

type Answer = ReturnType<typeof decodeBson>;

const ask = async (connection: Connection, requestId: number, command: string): Promise<Answer> => {
  const body = encodeBson({ [command]: 1, $db: "admin" });
  const head = Buffer.alloc(21);
  head.writeInt32LE(21 + body.length, 0);
  head.writeInt32LE(requestId, 4);
  head.writeInt32LE(OP_MSG, 12);
  connection.write(Buffer.concat([head, body]));

  const answer = await connection.read(16);
  const length = answer.readInt32LE(0);
  const [respondsTo, opcode] = [answer.readInt32LE(8), answer.readInt32LE(12)];
  if (respondsTo !== requestId || opcode !== OP_MSG || length < 26 || length > MAX_MESSAGE)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected an OP_MSG that answers ours, got: ${printable(answer.toString("latin1"))}`,
    );
  const rest = await connection.read(length - 16);
  if (rest[4] !== 0) throw new ProbeFailure("unexpected-answer", `expected a body section, got one of kind ${rest[4]}`);
  return decodeBson(rest.subarray(5));
};

/** MongoDB itself answers 1; some compatible servers answer true. */
const isOk = (answer: Answer): boolean => answer.get("ok") === 1 || answer.get("ok") === true;

const greet = async (connection: Connection): Promise<Answer> => {
  let answer = await ask(connection, 1, "hello");
  if (answer.get("code") === COMMAND_NOT_FOUND) answer = await ask(connection, 2, "isMaster");
  if (isOk(answer)) return answer;
  const text = `${answer.get("code")} ${answer.get("errmsg") ?? ""}`;
  if (UNWELL.has(Number(answer.get("code"))))
    throw new ProbeFailure("service-unavailable", `the server answers hello with ${text}`);
  throw new ProbeFailure("unexpected-answer", `expected ok from hello, got ${text}`);
};

const roleOf = (hello: Answer): string => {
  if (hello.get("msg") === "isdbgrid") return "mongos";
  if (hello.get("isWritablePrimary") === true || hello.get("ismaster") === true)
    return hello.has("setName") ? "primary" : "standalone";
  if (hello.get("arbiterOnly") === true) return "arbiter";
  return hello.get("secondary") === true ? "secondary" : "not in a replica set yet";
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const hello = await greet(connection);
  const build = await ask(connection, 3, "buildInfo");
  const version = isOk(build) ? build.get("version") : undefined;
  const role = roleOf(hello);
  const evidence = {
    role,
    ...(typeof version === "string" && { version }),
    ...(hello.has("setName") && { replicaSet: hello.get("setName"), primary: hello.get("primary") }),
    maxWireVersion: hello.get("maxWireVersion"),
    readOnly: hello.get("readOnly"),
  };
  if (wanted.role === "writable" && !["primary", "standalone", "mongos"].includes(role))
    throw new ProbeFailure("unexpected-answer", `expected a server that takes writes, got: ${role}`, { evidence });
  const name = typeof version === "string" ? `MongoDB ${version}` : `MongoDB, wire version ${evidence.maxWireVersion}`;
  return { evidence, message: `${name}, ${role}`, facts: { software: name } };
};

export const mongodb: Protocol = {
  title: "MongoDB",
  summary: "Open when the server answers hello; can ask for one that takes writes.",
  reference: "MongoDB specifications: OP_MSG, MongoDB Handshake; bsonspec.org",
  transports: ["tcp"],
  defaultPort: 27017,
  settings,
  example: { settings: { role: "any" } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", ...(wanted.tls && { tls: wanted.tls }), talk: (connection) => talk(connection, wanted) };
  },
};
