/**
 * IRC: open when the server answers CAP LS (IRCv3, "Capability Negotiation"), or refuses it by a numeric (RFC 2812, section
 * 5). We do not register: no nickname is used and other users do not see us. QUIT at the end.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({ tls: tlsSettings.optional() });

/** Lines before the answer: usually a few notices about looking up host and ident. */
const MAX_LINES = 40;

interface Message {
  readonly prefix: string;
  readonly command: string;
  readonly parameters: readonly string[];
}

/** Parses a message (RFC 2812, section 2.3.1). @returns undefined when the line is not valid */
const parse = (line: string): Message | undefined => {
  const [, prefix = "", command = "", rest = ""] = /^(?::(\S+) )?([A-Z]{2,16}|\d{3})(?: (.*))?$/s.exec(line) ?? [];
  if (command === "") return undefined;
  const colon = rest.startsWith(":") ? 0 : rest.indexOf(" :") + 1;
  const isTrailing = rest.startsWith(":") || colon > 0;
  const words = (isTrailing ? rest.slice(0, colon) : rest).split(" ").filter(Boolean);
  return { prefix, command, parameters: isTrailing ? [...words, rest.slice(colon + 1)] : words };
};

/** Not registered, unknown command, too few parameters: numerics of a server that does not know CAP. */
const REFUSALS = new Set(["451", "421", "461", "410"]);
/** Banned, or soon to be. */
const BANS = new Set(["465", "466"]);

const talk = async (connection: Connection): Promise<Finding> => {
  connection.write("CAP LS 302\r\n");
  const capabilities: string[] = [];
  for (let count = 0; count < MAX_LINES; count += 1) {
    const line = await connection.readLine();
    const message = parse(line);
    const { command, parameters, prefix } = message ?? { command: "", parameters: [], prefix: "" };
    if (command === "ERROR")
      throw new ProbeFailure("service-unavailable", `the server closes the link: ${printable(parameters.join(" "))}`);
    if (command === "PING") connection.write(`PONG :${printable(parameters.at(-1) ?? "", 100)}\r\n`);
    if (command === "NOTICE" || command === "020" || command === "PING") continue;
    // A server's answer has the recipient as its first parameter; an echo of our own message has none.
    const isCap = command === "CAP" && parameters[1] === "LS" && parameters.length > 2;
    const isNumeric = /^\d/.test(command) && (prefix !== "" || parameters[0] === "*");
    if (isNumeric && BANS.has(command))
      throw new ProbeFailure(
        "service-unavailable",
        `the server refuses the connection: ${printable(parameters.join(" "))}`,
      );
    if (!isCap && !(isNumeric && REFUSALS.has(command)))
      throw new ProbeFailure("wrong-protocol", `expected an answer to CAP LS, got: ${printable(line)}`);
    if (isCap) capabilities.push(...(parameters.at(-1) ?? "").split(" ").filter(Boolean));
    if (isCap && parameters.at(-2) === "*") continue; // more to come
    connection.write("QUIT\r\n");
    const names = capabilities.slice(0, 24).map((name) => printable(name.split("=")[0] ?? "", 40));
    const server = printable(prefix, 80);
    return {
      evidence: { ...(server && { server }), capabilities: names },
      message: server ? `IRC server ${server}` : "IRC server",
      facts: { ...(server && { "irc.server": server }), "irc.capabilities": names.toSorted().join(" ") },
    };
  }
  throw new ProbeFailure("unexpected-answer", `no answer to CAP LS within ${MAX_LINES} lines`);
};

export const irc: Protocol = {
  title: "IRC",
  summary: "Open when the server answers CAP LS, before any registration.",
  reference: "RFC 2812, IRCv3 Capability Negotiation",
  transports: ["tcp"],
  defaultPort: 6667,
  settings,
  example: { port: 6697, settings: { tls: {} } },
  prepare: (given) => {
    const { tls } = parseSettings(settings, given);
    return { transport: "tcp", ...(tls && { tls }), talk };
  },
};
