import { expect, test } from "vitest";
import { nntp } from "../../../shared/protocols/nntp.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";
import { serveStarttls } from "../../support/starttls.ts";

const CAPABILITIES = "101 Capability list:\r\nVERSION 2\r\nIMPLEMENTATION INN 2.7.1\r\nSTARTTLS\r\n.\r\n";

protocolSuite("nntp", {
  protocol: nntp,
  good: lineServer("200 news.example.com ready\r\n", { CAPABILITIES, QUIT: "205 bye\r\n" }),
  expected: {
    facts: { software: "INN 2.7.1" },
    evidence: { posting: true, capabilities: ["VERSION 2", "IMPLEMENTATION INN 2.7.1", "STARTTLS"] },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "220 mail ESMTP\r\n",
    "200 something\r\n250 else\r\n",
    { says: "400 loadav too high\r\n", reason: "service-unavailable" },
    { says: "200 hi\r\n400 going down\r\n", reason: "service-unavailable" },
  ],
  endless: [{ first: "200 x\r\n101 list\r\n", forever: "CAPABILITY\r\n" }],
});

test.each(["500 Unknown command", "483 Encryption required", "503 Not supported"])(
  "nntp without CAPABILITIES is open: %s",
  async (refusal) => {
    await using listening = await serveBytes(`201 Leafnode NNTP Daemon, version 1.12.0 running\r\n${refusal}\r\n`);
    expect(await check({ protocol: nntp, ...listening })).toMatchObject({
      state: "open",
      evidence: { posting: false, capabilities: [] },
    });
  },
);

test("nntp inside TLS after STARTTLS", async () => {
  await using server = await serveStarttls({
    greeting: "200 hi\r\n",
    before: { CAPABILITIES },
    ask: "STARTTLS",
    agree: "382 go\r\n",
    after: { CAPABILITIES },
  });
  expect(
    await check({ protocol: nntp, ...server, settings: { starttls: "required", tls: { ca: server.ca } } }),
  ).toMatchObject({
    state: "open",
    evidence: { starttls: true },
  });
});
