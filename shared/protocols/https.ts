/** HTTP inside TLS, port 443 (RFC 9110, section 4.2.2): HTTP as `http.ts` speaks it. */
import { createHttp } from "./http.ts";

export const https = createHttp(
  {
    title: "HTTPS",
    summary: "Open when the TLS handshake holds and status, header fields and body are what was expected.",
    reference: "RFC 9110, RFC 9112, RFC 8446",
    example: { settings: { path: "/health", status: [200], tls: { warnDays: 21 } } },
  },
  { name: "https", defaultPort: 443 },
);
