import { expect, test } from "vitest";
import { ftp } from "../../../shared/protocols/ftp.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { serveStarttls } from "../../support/starttls.ts";

const FEAT = "211-Features:\r\n AUTH TLS\r\n SIZE\r\n UTF8\r\n211 End\r\n";
const server = lineServer(
  "220-Welcome\r\n220 (vsFTPd 3.0.3)\r\n",
  { FEAT, QUIT: "221 Goodbye.\r\n" },
  "530 Please login.\r\n",
);

protocolSuite("ftp", {
  protocol: ftp,
  good: server,
  expected: { facts: { software: "vsFTPd 3.0.3" }, evidence: { features: ["AUTH TLS", "SIZE", "UTF8"] } },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "220 mx ESMTP\r\n502 unknown\r\n250 NOOP ok\r\n",
    "230 come in\r\n",
    { says: "421 Too many connections.\r\n", reason: "service-unavailable" },
    { says: "220 hello\r\n421 Timeout.\r\n", reason: "service-unavailable" },
    { says: "220 hello\r\n500 FEAT?\r\n421 Timeout.\r\n", reason: "service-unavailable" },
    "220 mx ESMTP\r\n502 unknown\r\n503 say EHLO first\r\n",
  ],
  endless: ["220-more\r\n", "220 x\r\n211-y\r\n", { first: "220 x\r\n211-Features:\r\n", forever: " FEATURE\r\n" }],
  halfBytes: 60,
});

test.each([
  "220 hi\r\n500 FEAT?\r\n500 NOOP?\r\n",
  "220 hi\r\n503 login first\r\n332 account?\r\n",
  "120 Service ready in 001 minutes\r\n220 ready\r\n530 login\r\n530 login\r\n",
])("ftp may answer %j", async (says) => {
  await using listening = await serveBytes(says);
  expect(await check({ protocol: ftp, ...listening })).toMatchObject({ state: "open" });
});

test("ftp without FEAT is recognised by its answer to NOOP", async () => {
  await using listening = await serve((socket) =>
    lineServer("220 Old\r\n", { FEAT: "500 what?\r\n", NOOP: "200 ok\r\n" })({
      socket,
      write: (data) => socket.write(data),
      end: () => {},
    }),
  );
  expect(await check({ protocol: ftp, ...listening })).toMatchObject({ state: "open", evidence: { features: [] } });
});

test("ftp inside TLS after AUTH TLS, with the certificate as evidence", async () => {
  await using server = await serveStarttls({
    greeting: "220 hi\r\n",
    before: { FEAT },
    ask: "AUTH TLS",
    agree: "234 go\r\n",
    after: {},
  });
  expect(
    await check({ protocol: ftp, ...server, settings: { starttls: "required", tls: { ca: server.ca } } }),
  ).toMatchObject({
    state: "open",
    evidence: { starttls: true, tls: { subject: "localhost" } },
  });
});

test("ftp without TLS is tls-not-offered where TLS is required", async () => {
  await using listening = await serveBytes("220 hi\r\n211-Features:\r\n SIZE\r\n211 End\r\n");
  expect(await check({ protocol: ftp, ...listening, settings: { starttls: "required" } })).toMatchObject({
    state: "tls-error",
    reason: "tls-not-offered",
  });
});
