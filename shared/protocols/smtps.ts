/** Mail submission inside TLS from the first byte on, port 465 (RFC 8314, section 3.3): SMTP as `smtp.ts` speaks it. */
import { z } from "zod";
import { tlsSettings } from "../wire/settings.ts";
import { createSmtp, ehloName } from "./smtp.ts";

export const smtps = createSmtp(
  {
    title: "SMTPS",
    summary: "Open when the TLS handshake holds and the server inside greets with 220 and accepts EHLO.",
    reference: "RFC 8314, RFC 5321",
    defaultPort: 465,
    example: { settings: { tls: { warnDays: 14 } } },
  },
  z.strictObject({ ehloName, tls: tlsSettings.optional() }),
);
