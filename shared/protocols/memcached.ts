/**
 * memcached: open when the server answers `version` (memcached protocol.txt, "Other commands"), or demands a login first.
 * The version may be any text: "1.6.18", "mcrouter 41.0.0", "Hazelcast". `quit` at the end.
 */
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";

const settings = z.strictObject({ tls: tlsSettings.optional() });

const talk = async (connection: Connection): Promise<Finding> => {
  connection.write("version\r\n");
  const answer = await connection.readLine();
  const version = answer.startsWith("VERSION ") ? printable(answer.slice("VERSION ".length), 60) : "";
  if (version) {
    connection.write("quit\r\n");
    return {
      evidence: { version },
      message: `memcached ${version}`,
      facts: { software: `memcached ${version}`, "memcached.access": "open" },
    };
  }
  if (answer.startsWith("CLIENT_ERROR unauthenticated"))
    return {
      evidence: { answer: printable(answer) },
      message: "memcached asks for a login",
      facts: { "memcached.access": "login needed" },
    };
  if (/^(SERVER_ERROR|ERROR Too many open connections)/.test(answer))
    throw new ProbeFailure("service-unavailable", `the server answers: ${printable(answer)}`);
  throw new ProbeFailure("wrong-protocol", `expected VERSION, got: ${printable(answer)}`);
};

export const memcached: Protocol = {
  title: "memcached",
  summary: "Open when the server sends its version, or demands a login.",
  reference: "memcached protocol.txt",
  transports: ["tcp"],
  defaultPort: 11211,
  settings,
  example: { settings: {} },
  prepare: (given) => {
    const { tls } = parseSettings(settings, given);
    return { transport: "tcp", ...(tls && { tls }), talk };
  },
};
