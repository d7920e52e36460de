import { imaps } from "../../../shared/protocols/imaps.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";

protocolSuite("imaps", {
  protocol: imaps,
  secure: true,
  good: lineServer("* OK ready\r\n", {
    "a1 CAPABILITY": "* CAPABILITY IMAP4rev1\r\na1 OK\r\n",
    "a9 LOGOUT": "* BYE\r\n",
  }),
  expected: { evidence: { capabilities: ["IMAP4rev1"], tls: { subject: "localhost" } } },
  wrong: ["+OK POP3 ready\r\n", { says: "* BYE later\r\n", reason: "service-unavailable" }],
});
