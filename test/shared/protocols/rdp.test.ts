import { describe, expect, test } from "vitest";
import { rdp } from "../../../shared/protocols/rdp.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { upgrade } from "../../support/starttls.ts";

const confirm = (type: number, flags: number, value: number) =>
  Buffer.from([3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, type, flags, 8, 0, value, 0, 0, 0]);

protocolSuite("rdp", {
  protocol: rdp,
  good: answers(confirm(2, 9, 2)),
  expected: {
    facts: { "rdp.security": "CredSSP (network level authentication)" },
    evidence: { security: "CredSSP (network level authentication)", restrictedAdmin: true },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    Buffer.from([3, 0, 0, 11, 6, 0x80, 0, 0, 0, 0, 0]),
    { says: confirm(3, 0, 3), reason: "service-unavailable" },
    { says: confirm(7, 0, 0), reason: "unexpected-answer" },
    { says: confirm(0, 0, 0), reason: "unexpected-answer" },
    // The negotiation response cut to 4 of its 8 bytes, in a whole TPKT.
    { says: Buffer.from([3, 0, 0, 15, 10, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0]), reason: "incomplete-answer" },
  ],
  endless: [Buffer.from([3, 0, 1, 0])],
});

describe("rdp", () => {
  test("a server without negotiation is open, and so is one that refuses our security protocols", async () => {
    await using old = await serveBytes(Buffer.from([3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0]));
    expect(await check({ protocol: rdp, ...old })).toMatchObject({
      state: "open",
      evidence: { security: "standard RDP security" },
    });
    await using refusing = await serveBytes(confirm(3, 0, 2));
    expect(await check({ protocol: rdp, ...refusing })).toMatchObject({
      state: "open",
      evidence: { refused: "TLS not allowed by the server" },
    });
    expect(await check({ protocol: rdp, ...refusing, settings: { starttls: "required" } })).toMatchObject({
      state: "tls-error",
      reason: "tls-not-offered",
    });
  });

  test("goes on to TLS for the certificate", async () => {
    const certificate = makeCertificate();
    await using listening = await serve((socket) => {
      socket.once("data", () => {
        socket.write(confirm(2, 0, 1));
        upgrade(socket, certificate);
      });
    });
    expect(
      await check({ protocol: rdp, ...listening, settings: { starttls: "required", tls: { verify: false } } }),
    ).toMatchObject({
      state: "open",
      evidence: { security: "TLS", tls: { subject: "localhost" } },
    });
  });
});
