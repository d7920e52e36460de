import { describe, expect, test } from "vitest";
import { smtp } from "../../../shared/protocols/smtp.ts";
import { check } from "../../support/check.ts";
import { lineServer, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { serveStarttls } from "../../support/starttls.ts";

const EHLO = "250-mail.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n";

protocolSuite("smtp", {
  protocol: smtp,
  good: lineServer("220 mail.example.com ESMTP Postfix (Debian/GNU)\r\n", { EHLO, QUIT: "221 2.0.0 Bye\r\n" }),
  expected: {
    facts: { software: "Postfix" },
    evidence: { software: "Postfix", capabilities: ["PIPELINING", "SIZE 10240000", "STARTTLS"] },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "* OK IMAP ready\r\n",
    "220 ftp\r\n530 Please login.\r\n530 Please login.\r\n",
    "220 ftp\r\n500 unknown\r\n502 unknown\r\n",
    { says: "421 mail.example.com out of order\r\n", reason: "service-unavailable" },
    { says: "554 no SMTP service here\r\n", reason: "service-unavailable" },
    { says: "220 hi\r\n421 later\r\n", reason: "service-unavailable" },
    // As postscreen drops a client in the middle of its greeting.
    { says: "220-mx\r\n521 5.3.2 Service currently unavailable\r\n", reason: "service-unavailable" },
    { says: "220 hi\r\n250-mx\r\n421 later\r\n", reason: "service-unavailable" },
    "220-mx\r\nHTTP/1.1 400 Bad Request\r\n220 x\r\n",
    // Postfix with reject_unknown_helo_hostname, and servers that judge the name's form.
    {
      says: "220 hi\r\n450 4.7.1 <harborlight.invalid>: Helo command rejected: Host not found\r\n",
      reason: "unexpected-answer",
    },
    { says: "220 hi\r\n501 invalid name\r\n501 invalid name\r\n", reason: "unexpected-answer" },
    { says: "220 hi\r\n504 5.5.2 need a full name\r\n504 5.5.2\r\n", reason: "unexpected-answer" },
    { says: "220 hi\r\n521 no mail here\r\n", reason: "service-unavailable" },
    { says: "220 hi\r\n502 ?\r\n421 later\r\n", reason: "service-unavailable" },
    "220 hi\r\n354 go on\r\n",
    { says: "220 hi\r\n550 we do not like you\r\n", reason: "unexpected-answer" },
  ],
  endless: ["220-more\r\n", { first: "220 x\r\n", forever: "250-CAPABILITY\r\n" }],
});

describe("smtp", () => {
  const script = {
    greeting: "220 mail ESMTP Exim 4.96 Mon, 23 Nov 2026 09:00:00 +0000\r\n",
    before: { EHLO },
    ask: "STARTTLS",
    agree: "220 go ahead\r\n",
    after: { EHLO: "250-mail\r\n250 AUTH PLAIN\r\n" },
  };

  test("asks again inside TLS, and takes no date for a fact", async () => {
    await using server = await serveStarttls(script);
    const settings = { starttls: "required", tls: { ca: server.ca } };
    expect(await check({ protocol: smtp, ...server, settings })).toMatchObject({
      state: "open",
      facts: expect.objectContaining({ software: "Exim 4.96", "tls.version": "TLSv1.3" }),
      evidence: { capabilities: ["AUTH PLAIN"], starttls: true, tls: { subject: "localhost" } },
    });
  });

  test("capabilities are case-insensitive", async () => {
    await using server = await serveStarttls({ ...script, before: { EHLO: "250-mail\r\n250 StartTls\r\n" } });
    const settings = { starttls: "required", tls: { ca: server.ca } };
    expect(await check({ protocol: smtp, ...server, settings })).toMatchObject({ state: "open" });
  });

  test("names what is wrong with the certificate after STARTTLS", async () => {
    await using server = await serveStarttls(script);
    expect(await check({ protocol: smtp, ...server, settings: { starttls: "if-offered" } })).toMatchObject({
      state: "tls-error",
      reason: "certificate-self-signed",
    });
  });

  test("refuses plaintext after the agreement to STARTTLS", async () => {
    await using server = await serveStarttls({ ...script, injected: "250 injected\r\n" });
    const settings = { starttls: "required", tls: { verify: false } };
    expect(await check({ protocol: smtp, ...server, settings })).not.toMatchObject({ state: "open" });
  });

  test.each([
    ["not among the capabilities", "250 mail\r\n", "454 no\r\n"],
    ["refused", EHLO, "454 TLS not available\r\n"],
  ])("tls-not-offered when STARTTLS is %s", async (_, ehlo, refusal) => {
    await using listening = await serve((socket) =>
      lineServer("220 hi\r\n", { EHLO: ehlo, STARTTLS: refusal })({
        socket,
        write: (data) => socket.write(data),
        end: () => {},
      }),
    );
    expect(await check({ protocol: smtp, ...listening, settings: { starttls: "required" } })).toMatchObject({
      state: "tls-error",
      reason: "tls-not-offered",
    });
    expect(await check({ protocol: smtp, ...listening, settings: { starttls: "if-offered" } })).toMatchObject({
      state: "open",
    });
  });

  test("falls back to HELO", async () => {
    await using listening = await serveBytes("220 old\r\n502 what?\r\n250 hello\r\n");
    expect(await check({ protocol: smtp, ...listening })).toMatchObject({
      state: "open",
      evidence: { capabilities: [] },
    });
  });

  test("names the setting that is wrong", () => {
    expect(() => smtp.prepare({ ehloName: "a\r\nMAIL" })).toThrow("ehloName: must be one line");
    expect(() => smtp.prepare({ tls: {} })).toThrow("tls: only with starttls");
    expect(() => smtp.prepare({ starttls: "perhaps" })).toThrow("starttls:");
    expect(() => smtp.prepare({ starttls: "required", tls: { ca: "no PEM" } })).toThrow("tls.ca: must be PEM text");
    expect(() => smtp.prepare({ starttls: "required", tls: { cipher: "x" } })).toThrow(
      "tls.cipher: there is no such setting",
    );
  });
});
