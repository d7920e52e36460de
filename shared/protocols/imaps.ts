/** IMAP inside TLS from the first byte on, port 993 (RFC 8314, section 3.2): IMAP as `imap.ts` speaks it. */
import { z } from "zod";
import type { Protocol } from "../contract/protocol.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";
import { talkImap } from "./imap.ts";

const settings = z.strictObject({ tls: tlsSettings.optional() });

export const imaps: Protocol = {
  title: "IMAPS",
  summary: "Open when the TLS handshake holds and the server inside greets with * OK.",
  reference: "RFC 8314, RFC 9051",
  transports: ["tcp"],
  defaultPort: 993,
  settings,
  example: { settings: { tls: { warnDays: 14 } } },
  prepare: (given) => ({
    transport: "tcp",
    tls: parseSettings(settings, given).tls ?? {},
    talk: (connection) => talkImap(connection, { starttls: "off" }),
  }),
};
