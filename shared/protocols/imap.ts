/**
 * IMAP: open when the server greets with `* OK` or `* PREAUTH` and answers CAPABILITY (RFC 9051); TLS by STARTTLS; the
 * software's name and version by ID where it is offered (RFC 2971). No login; LOGOUT at the end.
 */
import type { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { onlyStarttls, parseSettings, type StartTlsMode } from "../wire/settings.ts";
import { softwareIn } from "../wire/software.ts";
import { isAmong, upgradeToTls } from "../wire/starttls.ts";

const settings = onlyStarttls("imaps");

/** Untagged lines accepted before the tagged answer. */
const MAX_LINES = 50;

/** Longest accepted literal, a string sent by its length on separate lines (RFC 9051, section 4.3); real ones are shorter. */
const MAX_LITERAL_BYTES = 4096;

/** Reads one response line, with literals replaced by quoted strings. */
const readResponse = async (connection: Connection): Promise<string> => {
  let line = await connection.readLine();
  for (let literal = LITERAL.exec(line); literal; literal = LITERAL.exec(line)) {
    const length = Number(literal[1]);
    if (length > MAX_LITERAL_BYTES)
      throw new ProbeFailure("answer-too-long", `the server announces a string of ${length} bytes`);
    const text = (await connection.read(length)).toString("latin1");
    line = `${line.slice(0, literal.index)}"${text}"${await connection.readLine()}`;
  }
  return line;
};
const LITERAL = /\{(\d{1,10})\}$/;

/** Sends a command and reads up to its tagged answer. @returns the untagged lines, and whether it said OK */
const ask = async (connection: Connection, tag: string, command: string) => {
  connection.write(`${tag} ${command}\r\n`);
  const untagged: string[] = [];
  while (untagged.length < MAX_LINES) {
    const line = await readResponse(connection);
    if (line.startsWith(`${tag} `))
      return { untagged, isOk: /^\S+ OK\b/i.test(line), text: line.slice(tag.length + 1) };
    if (/^\* BYE\b/i.test(line))
      throw new ProbeFailure("service-unavailable", `the server ends the session: ${printable(line.slice(2))}`);
    if (!/^[*+] /.test(line))
      throw new ProbeFailure("wrong-protocol", `expected an IMAP answer, got: ${printable(line)}`);
    untagged.push(line);
  }
  throw new ProbeFailure("answer-too-long", `more than ${MAX_LINES} lines before the answer to ${command}`);
};

const readCapabilities = async (connection: Connection, tag: string): Promise<readonly string[]> => {
  const { untagged, isOk, text } = await ask(connection, tag, "CAPABILITY");
  const line = untagged.find((candidate) => /^\* CAPABILITY /i.test(candidate));
  if (!isOk || line === undefined)
    throw new ProbeFailure("unexpected-answer", `the server does not send its capabilities: ${printable(text)}`);
  return line
    .split(" ")
    .slice(2, 100)
    .map((name) => printable(name, 40));
};

/** `* ID ("name" "Dovecot" "version" "2.3")` as "Dovecot 2.3". */
const readId = async (connection: Connection): Promise<string | undefined> => {
  const { untagged } = await ask(connection, "a4", "ID NIL");
  const line = untagged.find((candidate) => /^\* ID \(/i.test(candidate)) ?? "";
  const field = (name: string) => new RegExp(`"${name}" "([^"]{1,80})"`, "i").exec(line)?.[1];
  const parts = [field("name"), field("version")].filter((part) => part !== undefined);
  return parts.length > 0 ? printable(parts.join(" "), 80) : undefined;
};

export const talkImap = async (
  connection: Connection,
  wanted: z.output<typeof settings> & { starttls: StartTlsMode },
): Promise<Finding> => {
  const greeting = await connection.readLine();
  if (/^\* BYE\b/i.test(greeting))
    throw new ProbeFailure("service-unavailable", `the server refuses the connection: ${printable(greeting.slice(2))}`);
  if (!/^\* (OK|PREAUTH)\b/i.test(greeting))
    throw new ProbeFailure("wrong-protocol", `expected a greeting with * OK, got: ${printable(greeting)}`);
  let capabilities = await readCapabilities(connection, "a1");
  const isInsideTls = await upgradeToTls(connection, wanted, isAmong("STARTTLS", capabilities), async () => {
    const { isOk, text } = await ask(connection, "a2", "STARTTLS");
    return isOk ? undefined : text;
  });
  if (isInsideTls) capabilities = await readCapabilities(connection, "a3");
  const id = isAmong("ID", capabilities) ? await readId(connection) : undefined;
  connection.write("a9 LOGOUT\r\n");
  const banner = printable(greeting.slice(2).replace(/\[CAPABILITY [^\]]*\] ?/i, ""));
  const software = id ?? softwareIn(banner);
  return {
    evidence: {
      banner,
      ...(software && { software }),
      capabilities: capabilities.slice(0, 20),
      ...(isInsideTls && { starttls: true }),
    },
    message: banner,
    ...(software && { facts: { software } }),
  };
};

export const imap: Protocol = {
  title: "IMAP",
  summary: "Open when the server greets with * OK and sends its capabilities; STARTTLS where asked for.",
  reference: "RFC 9051, RFC 3501, RFC 2971",
  transports: ["tcp"],
  defaultPort: 143,
  settings,
  example: { settings: { starttls: "if-offered" } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection) => talkImap(connection, wanted) };
  },
};
