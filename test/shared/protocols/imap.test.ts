import { expect, test } from "vitest";
import { imap } from "../../../shared/protocols/imap.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { serveStarttls } from "../../support/starttls.ts";

const capability = (tag: string, names: string) => `* CAPABILITY ${names}\r\n${tag} OK done\r\n`;

protocolSuite("imap", {
  protocol: imap,
  good: lineServer("* OK [CAPABILITY IMAP4rev1] Harbor ready.\r\n", {
    "a1 CAPABILITY": capability("a1", "IMAP4rev1 ID IDLE STARTTLS"),
    "a4 ID": '* ID ("name" "Harbor" "version" "2.1")\r\na4 OK ID\r\n',
    "a9 LOGOUT": "* BYE\r\na9 OK\r\n",
  }),
  expected: {
    facts: { software: "Harbor 2.1" },
    evidence: { banner: "OK Harbor ready.", capabilities: ["IMAP4rev1", "ID", "IDLE", "STARTTLS"] },
  },
  wrong: [
    "+OK POP3 ready\r\n",
    "220 mail ESMTP\r\n",
    "* OK hi\r\nHTTP/1.1 400\r\n",
    { says: "* BYE overloaded\r\n", reason: "service-unavailable" },
    { says: "* OK hi\r\n* BYE shutting down\r\n", reason: "service-unavailable" },
    { says: "* OK hi\r\na1 BAD what?\r\n", reason: "unexpected-answer" },
  ],
  endless: ["* OK more\r\n"],
});

test("imap strings may come as literals, keywords in either case", async () => {
  await using listening = await serve((socket) =>
    lineServer("* OK hi\r\n", {
      "a1 CAPABILITY": capability("a1", "imap4rev1 id"),
      "a4 ID": '* ID ("name" {7}\r\nDovecot "version" {5}\r\n2.3.1)\r\na4 OK ID\r\n',
    })({ socket, write: (data) => socket.write(data), end: () => {} }),
  );
  expect(await check({ protocol: imap, ...listening })).toMatchObject({
    state: "open",
    facts: { software: "Dovecot 2.3.1" },
  });
});

test("imap literals without end are not waited for", async () => {
  await using listening = await serveBytes("* OK hi\r\n* LIST {999999}\r\n");
  expect(await check({ protocol: imap, ...listening })).toMatchObject({ reason: "answer-too-long" });
});

test("imap inside TLS after STARTTLS", async () => {
  await using server = await serveStarttls({
    greeting: "* OK hi\r\n",
    before: { "a1 CAPABILITY": capability("a1", "IMAP4rev1 STARTTLS") },
    ask: "a2 STARTTLS",
    agree: "a2 OK go\r\n",
    after: { "a3 CAPABILITY": capability("a3", "IMAP4rev1 AUTH=PLAIN") },
  });
  expect(
    await check({ protocol: imap, ...server, settings: { starttls: "required", tls: { ca: server.ca } } }),
  ).toMatchObject({
    state: "open",
    evidence: { starttls: true, capabilities: ["IMAP4rev1", "AUTH=PLAIN"] },
  });
});
