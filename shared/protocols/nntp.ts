/**
 * NNTP: open when the server greets with 200 or 201 (RFC 3977, section 5.1) and answers CAPABILITIES; STARTTLS by RFC 4642.
 * No login, no group; QUIT at the end.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { eitherTls, parseSettings, tlsAtOnce } from "../wire/settings.ts";
import { softwareIn } from "../wire/software.ts";
import { isAmong, upgradeToTls } from "../wire/starttls.ts";

const settings = z.strictObject(eitherTls);

const MAX_LINES = 100;

interface Response {
  readonly code: number;
  readonly text: string;
}

const readResponse = async (connection: Connection): Promise<Response> => {
  const line = await connection.readLine();
  const [, code, text = ""] = /^([1-5]\d\d)(?: (.*))?$/s.exec(line) ?? [];
  if (code === undefined)
    throw new ProbeFailure(
      "wrong-protocol",
      `expected an NNTP response with a three-digit code, got: ${printable(line)}`,
    );
  return { code: Number(code), text: printable(text) };
};

/** @returns an empty list when the server does not know CAPABILITIES (2006) */
const readCapabilities = async (connection: Connection): Promise<readonly string[]> => {
  connection.write("CAPABILITIES\r\n");
  const { code, text } = await readResponse(connection);
  if (code === 480 || code === 483 || code === 500 || code === 502 || code === 503) return [];
  if (code === 400 || code === 403)
    throw new ProbeFailure("service-unavailable", `the server says it is not ready: ${code} ${text}`);
  if (code !== 101) throw new ProbeFailure("wrong-protocol", `expected 101 to CAPABILITIES, got: ${code} ${text}`);
  const capabilities: string[] = [];
  while (capabilities.length < MAX_LINES) {
    const line = await connection.readLine();
    if (line === ".") return capabilities;
    capabilities.push(printable(line, 60));
  }
  throw new ProbeFailure("answer-too-long", `more than ${MAX_LINES} capabilities`);
};

const talk = async (connection: Connection, wanted: z.output<typeof settings>): Promise<Finding> => {
  const greeting = await readResponse(connection);
  const line = `${greeting.code} ${greeting.text}`;
  if (greeting.code === 400 || greeting.code === 502 || greeting.code === 503)
    throw new ProbeFailure("service-unavailable", `the server says it is not ready: ${line}`);
  if (greeting.code !== 200 && greeting.code !== 201)
    throw new ProbeFailure("wrong-protocol", `expected an NNTP greeting with 200 or 201, got: ${line}`);
  let capabilities = await readCapabilities(connection);
  const isInsideTls = await upgradeToTls(connection, wanted, isAmong("STARTTLS", capabilities), async () => {
    connection.write("STARTTLS\r\n");
    const { code, text } = await readResponse(connection);
    return code === 382 ? undefined : `${code} ${text}`;
  });
  if (isInsideTls) capabilities = await readCapabilities(connection);
  connection.write("QUIT\r\n");
  const implementation = capabilities.find((name) => name.startsWith("IMPLEMENTATION "))?.slice(15);
  const software = implementation ?? softwareIn(greeting.text);
  return {
    evidence: {
      banner: greeting.text,
      posting: greeting.code === 200,
      ...(software && { software }),
      capabilities: capabilities.slice(0, 16),
      ...(isInsideTls && { starttls: true }),
    },
    message: line,
    ...(software && { facts: { software } }),
  };
};

export const nntp: Protocol = {
  title: "NNTP",
  summary: "Open when the server greets with 200 or 201 and answers CAPABILITIES.",
  reference: "RFC 3977, RFC 4642",
  transports: ["tcp"],
  defaultPort: 119,
  settings,
  example: { settings: { starttls: "if-offered" } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", ...tlsAtOnce(wanted), talk: (connection) => talk(connection, wanted) };
  },
};
