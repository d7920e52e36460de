/** SIP over TLS from the first byte on (RFC 3261, section 26.2): SIP as in `sip.ts`, on port 5061. */
import { z } from "zod";
import type { Protocol } from "../contract/protocol.ts";
import { parseSettings, tlsSettings } from "../wire/settings.ts";
import { common, fields, talk } from "./sip.ts";

const settings = z.strictObject({ tls: tlsSettings.prefault({}), ...fields });

export const sips: Protocol = {
  ...common,
  title: "SIP over TLS",
  transports: ["tcp"],
  defaultPort: 5061,
  settings,
  example: { settings: { tls: { warnDays: 21 } } },
  prepare(input) {
    const { tls, ...wanted } = parseSettings(settings, input);
    return { transport: "tcp", tls, talk: (connection, target) => talk(connection, wanted, "TLS", target) };
  },
};
