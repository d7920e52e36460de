/**
 * POP3: open when the server greets with +OK (RFC 1939). Capabilities by CAPA (RFC 2449), TLS by STLS (RFC 2595). No login.
 * The greeting's APOP timestamp differs every time and is no fact.
 */
import type { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { onlyStarttls, parseSettings, type StartTlsMode } from "../wire/settings.ts";
import { softwareIn } from "../wire/software.ts";
import { isAmong, upgradeToTls } from "../wire/starttls.ts";

const settings = onlyStarttls("pop3s");

/** RFC 2449 names some fifteen capabilities. */
const MAX_LINES = 100;

const readStatus = async (connection: Connection): Promise<{ isOk: boolean; text: string }> => {
  const line = await connection.readLine();
  const [, status, text = ""] = /^(\+OK|-ERR)(?: (.*))?$/s.exec(line) ?? [];
  if (status === undefined) throw new ProbeFailure("wrong-protocol", `expected +OK or -ERR, got: ${printable(line)}`);
  return { isOk: status === "+OK", text };
};

/** @returns an empty list when the server does not know CAPA, as many old ones */
const readCapabilities = async (connection: Connection): Promise<readonly string[]> => {
  connection.write("CAPA\r\n");
  if (!(await readStatus(connection)).isOk) return [];
  const capabilities: string[] = [];
  while (capabilities.length < MAX_LINES) {
    const line = await connection.readLine();
    if (line === ".") return capabilities;
    capabilities.push(printable(line, 60));
  }
  throw new ProbeFailure("answer-too-long", `more than ${MAX_LINES} capabilities`);
};

export const talkPop3 = async (
  connection: Connection,
  wanted: z.output<typeof settings> & { starttls: StartTlsMode },
): Promise<Finding> => {
  const greeting = await readStatus(connection);
  if (!greeting.isOk)
    throw new ProbeFailure("service-unavailable", `the server says it is not ready: ${printable(greeting.text)}`);
  const banner = printable(greeting.text);
  let capabilities = await readCapabilities(connection);
  const isInsideTls = await upgradeToTls(connection, wanted, isAmong("STLS", capabilities), async () => {
    connection.write("STLS\r\n");
    const answer = await readStatus(connection);
    return answer.isOk ? undefined : answer.text;
  });
  if (isInsideTls) capabilities = await readCapabilities(connection);
  connection.write("QUIT\r\n");
  const implementation = capabilities.find((line) => line.startsWith("IMPLEMENTATION "))?.slice(15);
  const software = implementation ?? softwareIn(greeting.text.replace(/<[^>]*>/g, ""));
  return {
    evidence: {
      banner,
      ...(software && { software }),
      capabilities: capabilities.slice(0, 16),
      ...(isInsideTls && { starttls: true }),
    },
    message: `+OK ${banner}`,
    ...(software && { facts: { software } }),
  };
};

export const pop3: Protocol = {
  title: "POP3",
  summary: "Open when the server greets with +OK; TLS by STLS where asked for.",
  reference: "RFC 1939, RFC 2449, RFC 2595",
  transports: ["tcp"],
  defaultPort: 110,
  settings,
  example: { settings: { starttls: "if-offered" } },
  prepare: (given) => {
    const wanted = parseSettings(settings, given);
    return { transport: "tcp", talk: (connection) => talkPop3(connection, wanted) };
  },
};
