/** POP3 inside TLS from the first byte on, port 995 (RFC 8314, section 3.1): POP3 as `pop3.ts` speaks it. */
import { z } from "zod";
import type { Protocol } from "../contract/protocol.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";
import { talkPop3 } from "./pop3.ts";

const settings = z.strictObject({ tls: tlsSettings.optional() });

export const pop3s: Protocol = {
  title: "POP3S",
  summary: "Open when the TLS handshake holds and the server inside greets with +OK.",
  reference: "RFC 8314, RFC 1939",
  transports: ["tcp"],
  defaultPort: 995,
  settings,
  example: { settings: { tls: { warnDays: 14 } } },
  prepare: (given) => ({
    transport: "tcp",
    tls: parseSettings(settings, given).tls ?? {},
    talk: (connection) => talkPop3(connection, { starttls: "off" }),
  }),
};
