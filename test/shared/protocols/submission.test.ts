import { submission } from "../../../shared/protocols/submission.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";

protocolSuite("submission", {
  protocol: submission,
  good: lineServer("220 mail ESMTP\r\n", {
    EHLO: "250-mail\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n",
    QUIT: "221 Bye\r\n",
  }),
  expected: { evidence: { capabilities: ["STARTTLS", "AUTH PLAIN"] } },
  wrong: ["+OK POP3 ready\r\n"],
  endless: ["220-more\r\n"],
});
