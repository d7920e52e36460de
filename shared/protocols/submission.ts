/**
 * Mail submission on port 587 (RFC 6409): SMTP as in `smtp.ts`. A separate protocol, because Lambda can reach this port,
 * but not port 25. With `starttls` the connection is upgraded; without it, STARTTLS is only reported.
 */
import { createSmtp } from "./smtp.ts";

export const submission = createSmtp({
  title: "SMTP submission",
  summary: "Open when the submission server greets with 220 and accepts EHLO; STARTTLS where asked for.",
  reference: "RFC 6409, RFC 3207",
  defaultPort: 587,
  example: { settings: { starttls: "required" } },
});
