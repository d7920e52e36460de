/**
 * Mail submission on port 587 (RFC 6409): SMTP as `smtp.ts` speaks it. A name of its own because port 25 cannot be
 * reached from Lambda, while this one can. TLS is asked for by STARTTLS; without `starttls` it is only reported.
 */
import { createSmtp } from "./smtp.ts";

export const submission = createSmtp({
  title: "SMTP submission",
  summary: "Open when the submission server greets with 220 and accepts EHLO; STARTTLS where asked for.",
  reference: "RFC 6409, RFC 3207",
  defaultPort: 587,
  example: { settings: { starttls: "required" } },
});
