import { describe, expect, test } from "vitest";
import { postgresql } from "../../../shared/protocols/postgresql.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serve } from "../../support/servers.ts";
import { upgrade } from "../../support/starttls.ts";

const message = (kind: string, body: Buffer | string) => {
  const bytes = Buffer.from(body as string);
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeUInt32BE(4 + bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
const failure = (state: string, text: string) => message("E", `SFATAL\0VFATAL\0C${state}\0M${text}\0\0`);
const SASL = message(
  "R",
  Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.from("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")]),
);
const authentication = (method: number) => message("R", Buffer.from([0, 0, method >> 8, method & 0xff]));
const TOO_MANY = failure("53300", "sorry, too many clients already");
const NO_FORK = Buffer.from("Ecould not fork new process for connection: Cannot allocate memory\n\0");
const TRUST = [
  message("R", Buffer.alloc(4)),
  message("S", "server_version\x0015.6 (Debian)\0"),
  message("K", Buffer.alloc(8)),
  message("Z", "I"),
];

protocolSuite("postgresql", {
  protocol: postgresql,
  good: answers(SASL),
  expected: {
    facts: { "postgresql.authentication": "sasl SCRAM-SHA-256-PLUS, SCRAM-SHA-256" },
    evidence: { authentication: "sasl SCRAM-SHA-256-PLUS, SCRAM-SHA-256" },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    { says: failure("57P03", "the database system is starting up"), reason: "service-unavailable" },
    { says: TOO_MANY, reason: "service-unavailable" },
    { says: NO_FORK, reason: "service-unavailable" },
    "ERROR unknown command\r\n",
    { says: authentication(12), reason: "unexpected-answer" },
    { says: authentication(4444), reason: "unexpected-answer" },
    { says: message("E", "Mno state\0\0"), reason: "unexpected-answer" },
  ],
  endless: [message("N", "Mnotice\0\0"), message("S", "name\0value\0")],
});

describe("postgresql", () => {
  const serveWith = (...replies: Buffer[]) =>
    serve((socket) => answers(...replies)({ socket, write: (data) => socket.write(data), end: () => {} }));

  test.each(["if-offered", "required"])(
    "a server without room says so to the request for TLS, %s",
    async (starttls) => {
      for (const answer of [TOO_MANY, NO_FORK]) {
        await using listening = await serveWith(answer);
        expect(await check({ protocol: postgresql, ...listening, settings: { starttls } })).toMatchObject({
          state: "mismatch",
          reason: "service-unavailable",
        });
      }
    },
  );

  test("an error may also say that the server does not know the request for TLS", async () => {
    const replies = [failure("08P01", "unsupported frontend protocol 1234.5679"), SASL];
    await using listening = await serveWith(...replies);
    for (const [starttls, state] of [
      ["if-offered", "open"],
      ["required", "tls-error"],
    ])
      expect(await check({ protocol: postgresql, ...listening, settings: { starttls } })).toMatchObject({ state });
  });

  test("a user that does not exist is an answer", async () => {
    await using listening = await serveWith(failure("28000", 'role "harborlight" does not exist'));
    expect(await check({ protocol: postgresql, ...listening })).toMatchObject({
      state: "open",
      evidence: { refused: '28000 role "harborlight" does not exist' },
    });
  });

  test("reports the version of a server that accepts anyone", async () => {
    await using listening = await serveWith(Buffer.concat(TRUST));
    expect(await check({ protocol: postgresql, ...listening })).toMatchObject({
      facts: expect.objectContaining({ software: "PostgreSQL 15.6 (Debian)" }),
      evidence: { version: "15.6 (Debian)" },
    });
  });

  test("upgrades to TLS by SSLRequest", async () => {
    const certificate = makeCertificate();
    await using listening = await serve((socket) => {
      socket.once("data", () => {
        socket.write("S");
        const secure = upgrade(socket, certificate);
        secure.once("data", () => secure.write(SASL));
      });
    });
    expect(
      await check({ protocol: postgresql, ...listening, settings: { tls: { ca: certificate.certificate } } }),
    ).toMatchObject({
      state: "open",
      evidence: { starttls: true, tls: { subject: "localhost" } },
    });
  });

  test("a server without TLS is tls-not-offered only where it is required", async () => {
    await using listening = await serveWith(Buffer.from("N"), SASL);
    expect(await check({ protocol: postgresql, ...listening, settings: { starttls: "required" } })).toMatchObject({
      state: "tls-error",
      reason: "tls-not-offered",
    });
    expect(await check({ protocol: postgresql, ...listening, settings: { starttls: "if-offered" } })).toMatchObject({
      state: "open",
    });
  });
});
