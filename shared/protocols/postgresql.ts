/**
 * PostgreSQL: open when the server answers a start-up message (PostgreSQL documentation, "Frontend/Backend Protocol",
 * sections "Message Flow: Start-up" and "SSL Session Encryption"). No password: a request to authenticate or the refusal of
 * a user that does not exist counts as an answer. A server that accepts anyone also sends its version.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { Cursor, printable } from "../wire/cursor.ts";
import { oneLine, parseSettings, starttlsSetting, tlsSettings } from "../wire/settings.ts";
import { upgradeToTls } from "../wire/starttls.ts";

const settings = z
  .strictObject({
    user: oneLine(63)
      .default("harborlight")
      .describe("User name that the probe sends, and that the server's log shows."),
    database: oneLine(63).default("postgres").describe("Database to ask for."),
    starttls: starttlsSetting.optional(),
    tls: tlsSettings.optional(),
  })
  .refine(({ tls, starttls }) => tls === undefined || starttls !== "off", {
    path: ["tls"],
    message: 'works only with the TLS upgrade of PostgreSQL: leave starttls out, or make it "if-offered" or "required"',
  })
  .transform(({ starttls, ...rest }) => ({ ...rest, starttls: starttls ?? (rest.tls ? "required" : "off") }) as const);

/** Longest message accepted; start-up answers are far shorter, an error with all its fields has some 300 bytes. */
const MAX_MESSAGE = 8192;
/** Parameters, key data and notices before ReadyForQuery: some twenty. */
const MAX_MESSAGES = 60;

const PROTOCOL_3_0 = 196_608;
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

/** Authentication methods by their code; 13 and 14 are Amazon Redshift's. */
const METHODS: Readonly<Record<number, string>> = {
  0: "none",
  2: "kerberos",
  3: "password",
  5: "md5",
  7: "gssapi",
  9: "sspi",
  10: "sasl",
  13: "digest",
  14: "identity provider",
};
const SASL = 10;

const startup = (user: string, database: string): Buffer => {
  const text = Buffer.from(`user\0${user}\0database\0${database}\0application_name\0harborlight\0\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + text.length, 0);
  head.writeUInt32BE(PROTOCOL_3_0, 4);
  return Buffer.concat([head, text]);
};

/**
 * Reads the error of a server that cannot start a process for us, which has the form of protocol 2: E, text, line end,
 * zero byte. @param head its first bytes; as in libpq, a message length that looks like text shows this form
 */
const readOldError = async (connection: Connection, head: Buffer): Promise<ProbeFailure> => {
  const line = Buffer.concat([head, await connection.readUntil("\n", MAX_MESSAGE)]).toString("latin1");
  return /[\0\r]/.test(line) || (await connection.read(1))[0] !== 0
    ? new ProbeFailure("wrong-protocol", `expected a PostgreSQL message, got: ${printable(line)}`)
    : new ProbeFailure("service-unavailable", `the server answers: ${printable(line.slice(1))}`);
};

/** @param first the message's first byte, if it has been read already */
const readMessage = async (connection: Connection, first?: Buffer): Promise<{ kind: string; body: Cursor }> => {
  const head = first ? Buffer.concat([first, await connection.read(4)]) : await connection.read(5);
  const kind = String.fromCharCode(head[0]!);
  const length = head.readUInt32BE(1);
  if (kind === "E" && length > MAX_MESSAGE) throw await readOldError(connection, head);
  if (!/[ERSKZNv]/.test(kind) || length < 4 || length > MAX_MESSAGE)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected a PostgreSQL message, got: ${printable(head.toString("latin1")) || "bytes"}`,
    );
  return { kind, body: new Cursor(await connection.read(length - 4), "PostgreSQL message") };
};

/** The fields of an error by their letter: S severity, C SQLSTATE, M message. */
const readFields = (body: Cursor): Readonly<Record<string, string>> => {
  const fields: Record<string, string> = {};
  for (let count = 0; count < 30 && body.left > 1; count += 1) {
    const letter = String.fromCharCode(body.u8());
    if (letter === "\0") break;
    fields[letter] = printable(body.text(), 160);
  }
  return fields;
};

/** SQLSTATE class 53 (out of resources), 57P01 to 57P03 (shutting down, starting up), 58 (system error), XX (internal). */
const UNWELL = /^(53|57P0|58|XX)/;

const judgeError = (body: Cursor) => {
  const { C: state = "", M: text = "", V: severity = "" } = readFields(body);
  if (!/^[0-9A-Z]{5}$/.test(state))
    throw new ProbeFailure("unexpected-answer", `expected an error with its SQLSTATE, got: ${text || "none"}`);
  if (UNWELL.test(state)) throw new ProbeFailure("service-unavailable", `the server answers ${state}: ${text}`);
  return { refused: `${state} ${text}`, ...(severity && { severity }) };
};

/** @returns undefined when the server agreed to TLS */
const requestTls = async (connection: Connection): Promise<string | undefined> => {
  connection.write(SSL_REQUEST);
  const first = await connection.read(1);
  const answer = first.toString("latin1");
  if (answer === "S") return undefined;
  if (answer === "N") return "the server answers N";
  // From a server that does not know the request, or has no connection left.
  if (answer === "E") return judgeError((await readMessage(connection, first)).body).refused;
  throw new ProbeFailure(
    "wrong-protocol",
    `expected S or N to the request for TLS, got: ${printable(answer) || "a control byte"}`,
  );
};

const authentication = (body: Cursor): string => {
  const method = body.u32();
  const name = METHODS[method];
  if (name === undefined)
    throw new ProbeFailure("unexpected-answer", `expected a way to authenticate, got one of type ${method}`);
  if (method !== SASL) return name;
  return `sasl ${printable(body.take(body.left).toString("latin1").split("\0").filter(Boolean).join(", "), 80)}`;
};

/** Reads what a server sends after accepting us, up to ReadyForQuery. */
const readParameters = async (connection: Connection): Promise<Readonly<Record<string, string>>> => {
  const parameters: Record<string, string> = {};
  for (let count = 0; count < MAX_MESSAGES; count += 1) {
    const { kind, body } = await readMessage(connection);
    if (kind === "Z") return parameters;
    if (kind === "E") return { ...parameters, ...judgeError(body) };
    if (kind === "S" && body.left > 1) parameters[body.text()] = printable(body.text(), 80);
  }
  throw new ProbeFailure("answer-too-long", `more than ${MAX_MESSAGES} messages before the server was ready`);
};

const describe = async (connection: Connection) => {
  for (let count = 0; count < 5; count += 1) {
    const { kind, body } = await readMessage(connection);
    if (kind === "E") return judgeError(body);
    if (kind === "R") {
      const asked = authentication(body);
      if (asked !== "none") return { authentication: asked };
      const { server_version: version, refused } = await readParameters(connection);
      connection.write(TERMINATE);
      return { authentication: asked, ...(version && { version }), ...(refused && { refused }) };
    }
  }
  throw new ProbeFailure("unexpected-answer", "the server neither asked for authentication nor refused");
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const isInsideTls = await upgradeToTls(connection, wanted, true, () => requestTls(connection));
  connection.write(startup(wanted.user, wanted.database));
  const answer: { authentication?: string; version?: string; refused?: string } = await describe(connection);
  return {
    evidence: { ...answer, ...(isInsideTls && { starttls: true }) },
    message: answer.version
      ? `PostgreSQL ${answer.version}`
      : answer.refused
        ? `PostgreSQL refuses with ${answer.refused}`
        : `PostgreSQL asks for authentication by ${answer.authentication}`,
    facts: {
      ...(answer.version && { software: `PostgreSQL ${answer.version}` }),
      ...(answer.authentication && { "postgresql.authentication": answer.authentication }),
    },
  };
};

export const postgresql: Protocol = {
  title: "PostgreSQL",
  summary: "Open when the server asks for authentication or refuses the user; TLS by SSLRequest where asked for.",
  reference: "PostgreSQL documentation: Frontend/Backend Protocol 3.0",
  transports: ["tcp"],
  defaultPort: 5432,
  settings,
  example: { settings: { starttls: "if-offered", tls: { verify: false } } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection) => talk(connection, wanted) };
  },
};
