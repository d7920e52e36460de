import { smtps } from "../../../shared/protocols/smtps.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";

protocolSuite("smtps", {
  protocol: smtps,
  secure: true,
  good: lineServer("220 mail ESMTP\r\n", { EHLO: "250-mail\r\n250 AUTH PLAIN\r\n", QUIT: "221 Bye\r\n" }),
  expected: { evidence: { capabilities: ["AUTH PLAIN"], tls: { subject: "localhost" } } },
  wrong: ["+OK POP3 ready\r\n", { says: "421 later\r\n", reason: "service-unavailable" }],
});
