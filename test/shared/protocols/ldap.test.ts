import { describe, expect, test } from "vitest";
import { ldap } from "../../../shared/protocols/ldap.ts";
import { element, integer, octets } from "../../../shared/wire/ber.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { upgrade } from "../../support/starttls.ts";

const message = (id: number, operation: Buffer) => element(0x30, integer(id), operation);
const result = (tag: number, code: number, text = "") =>
  element(tag, element(0x0a, Buffer.from([code])), octets(""), octets(text));
const attribute = (name: string, ...values: string[]) =>
  element(0x30, octets(name), element(0x31, ...values.map(octets)));
const ENTRY = message(
  2,
  element(
    0x64,
    octets(""),
    element(
      0x30,
      attribute("objectClass", "top", "OpenLDAProotDSE"),
      attribute("namingContexts", "dc=example,dc=com"),
      attribute("supportedLDAPVersion", "3"),
      attribute("supportedExtension", "1.3.6.1.4.1.1466.20037"),
    ),
  ),
);
const DSE = Buffer.concat([ENTRY, message(2, result(0x65, 0))]);

protocolSuite("ldap", {
  protocol: ldap,
  good: answers(DSE),
  expected: {
    facts: { software: "OpenLDAP" },
    evidence: { namingContexts: ["dc=example,dc=com"], versions: ["3"], offersTls: true },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "0\x0e\x04\x01omething else",
    { says: message(2, result(0x65, 52)), reason: "service-unavailable" },
    { says: message(2, result(0x65, 51)), reason: "service-unavailable" },
    { says: message(0, result(0x78, 52)), reason: "service-unavailable" },
    { says: message(5, result(0x65, 0)), reason: "unexpected-answer" },
  ],
  endless: [ENTRY],
});

describe("ldap", () => {
  test("a server that refuses anonymous searches is open", async () => {
    await using listening = await serveBytes(message(2, result(0x65, 48, "anonymous bind disallowed")));
    expect(await check({ protocol: ldap, ...listening })).toMatchObject({
      state: "open",
      evidence: { result: "inappropriate authentication anonymous bind disallowed" },
    });
  });

  test("inside TLS after StartTLS, and tls-not-offered when that is refused", async () => {
    const certificate = makeCertificate();
    await using listening = await serve((socket) => {
      socket.once("data", () => {
        socket.write(message(1, result(0x78, 0)));
        const secure = upgrade(socket, certificate);
        secure.once("data", () => secure.write(DSE));
      });
    });
    const settings = { starttls: "required", tls: { ca: certificate.certificate } };
    expect(await check({ protocol: ldap, ...listening, settings })).toMatchObject({
      state: "open",
      evidence: { starttls: true, tls: { subject: "localhost" } },
    });
    await using foreign = await serveBytes(message(99, result(0x78, 0)));
    expect(await check({ protocol: ldap, ...foreign, settings })).toMatchObject({ reason: "unexpected-answer" });
    await using leaving = await serveBytes(message(0, result(0x78, 2)));
    expect(await check({ protocol: ldap, ...leaving, settings })).toMatchObject({ reason: "service-unavailable" });
    await using without = await serveBytes(message(1, result(0x78, 2, "unsupported extended operation")));
    expect(await check({ protocol: ldap, ...without, settings })).toMatchObject({ reason: "tls-not-offered" });
    await using unavailable = await serveBytes(Buffer.concat([message(1, result(0x78, 52)), DSE]));
    expect(await check({ protocol: ldap, ...unavailable, settings })).toMatchObject({ reason: "tls-not-offered" });
    const either = { starttls: "if-offered" };
    expect(await check({ protocol: ldap, ...unavailable, settings: either })).toMatchObject({ state: "open" });
  });
});
