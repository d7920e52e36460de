import { pop3s } from "../../../shared/protocols/pop3s.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";

protocolSuite("pop3s", {
  protocol: pop3s,
  secure: true,
  good: lineServer("+OK ready\r\n", { CAPA: "+OK\r\nTOP\r\n.\r\n", QUIT: "+OK bye\r\n" }),
  expected: { evidence: { capabilities: ["TOP"], tls: { subject: "localhost" } } },
  wrong: ["* OK IMAP ready\r\n", { says: "-ERR later\r\n", reason: "service-unavailable" }],
});
