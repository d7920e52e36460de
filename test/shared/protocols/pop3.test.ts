import { expect, test } from "vitest";
import { pop3 } from "../../../shared/protocols/pop3.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";
import { serveStarttls } from "../../support/starttls.ts";

const CAPA = "+OK\r\nTOP\r\nSTLS\r\nIMPLEMENTATION Harbor 1.2\r\n.\r\n";

protocolSuite("pop3", {
  protocol: pop3,
  good: lineServer("+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n", { CAPA, QUIT: "+OK bye\r\n" }),
  expected: {
    facts: { software: "Harbor 1.2" },
    evidence: { capabilities: ["TOP", "STLS", "IMPLEMENTATION Harbor 1.2"] },
  },
  wrong: [
    "* OK IMAP ready\r\n",
    "220 mail ESMTP\r\n",
    { says: "-ERR [SYS/TEMP] later\r\n", reason: "service-unavailable" },
  ],
  endless: ["+OK more\r\n"],
});

test("pop3 without CAPA is open", async () => {
  await using listening = await serveBytes("+OK Dovecot ready.\r\n-ERR unknown\r\n");
  expect(await check({ protocol: pop3, ...listening })).toMatchObject({
    state: "open",
    facts: { software: "Dovecot" },
  });
});

test("pop3 inside TLS after STLS", async () => {
  await using server = await serveStarttls({
    greeting: "+OK\r\n",
    before: { CAPA },
    ask: "STLS",
    agree: "+OK go\r\n",
    after: { CAPA },
  });
  expect(
    await check({ protocol: pop3, ...server, settings: { starttls: "required", tls: { ca: server.ca } } }),
  ).toMatchObject({
    state: "open",
    evidence: { starttls: true },
  });
});
