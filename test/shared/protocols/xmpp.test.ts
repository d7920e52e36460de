import { describe, expect, test } from "vitest";
import { xmpp } from "../../../shared/protocols/xmpp.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { check } from "../../support/check.ts";
import { serveDns } from "../../support/dns-server.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { upgrade } from "../../support/starttls.ts";

const STREAMS = "http://etherx.jabber.org/streams";
const OPENING = `<?xml version='1.0'?><stream:stream from='example.com' id='x1' version='1.0' xmlns:stream='${STREAMS}'>`;
const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const mechanisms = "<mechanisms><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>";
const features = (...parts: string[]) => `${OPENING}<stream:features>${parts.join("")}</stream:features>`;
const failure = (condition: string) =>
  `${OPENING}<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`;

protocolSuite("xmpp", {
  protocol: xmpp,
  settings: { domain: "example.com" },
  good: answers(features(STARTTLS, mechanisms, "<c node='http://prosody.im' ver='x'/>")),
  expected: {
    facts: { "xmpp.domain": "example.com", software: "http://prosody.im", "xmpp.mechanisms": "PLAIN SCRAM-SHA-1" },
    evidence: { from: "example.com", offersTls: true, mechanisms: ["SCRAM-SHA-1", "PLAIN"] },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n<html>",
    "<html></stream:stream>",
    { says: failure("host-unknown"), reason: "unexpected-answer" },
    { says: failure("system-shutdown"), reason: "service-unavailable" },
    // As Openfire writes it.
    {
      says: failure("system-shutdown").replace("<stream:error>", `<stream:error xmlns:stream="${STREAMS}">`),
      reason: "service-unavailable",
    },
    { says: `${OPENING}</stream:stream>`, reason: "unexpected-answer" },
  ],
  endless: ["<a>", { first: OPENING, forever: "<stream:feature>" }],
});

describe("xmpp", () => {
  test("sends a non-ASCII domain in Unicode", async () => {
    let asked = "";
    await using listening = await serve((socket) =>
      socket.once("data", (data) => {
        asked = data.toString();
        socket.write(features(mechanisms));
      }),
    );
    await using dns = await serveDns(() => ({ addresses: ["127.0.0.1"] }));
    const input = { protocol: xmpp, host: "xn--bcher-kva.example", port: listening.port };
    const options = { nameServers: [dns.address], hostsFile: null };
    expect(await check(input, 2000, options)).toMatchObject({ state: "open" });
    expect(asked).toContain("to='bücher.example'");
  });

  test("inside TLS after STARTTLS, with a new stream", async () => {
    const certificate = makeCertificate();
    await using listening = await serve((socket) => {
      socket.once("data", () => {
        socket.write(features(STARTTLS));
        socket.once("data", () => {
          socket.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
          const secure = upgrade(socket, certificate);
          secure.once("data", () => secure.write(features(mechanisms)));
        });
      });
    });
    const settings = { starttls: "required", domain: "example.com", tls: { ca: certificate.certificate } };
    expect(await check({ protocol: xmpp, ...listening, settings })).toMatchObject({
      state: "open",
      evidence: { starttls: true, mechanisms: ["SCRAM-SHA-1", "PLAIN"], tls: { subject: "localhost" } },
    });
  });

  test.each([
    `${OPENING}<stream:features xmlns:stream='${STREAMS}'/>`,
    `${OPENING}<stream:features></stream:features >`,
    `<stream from='example.com' version='1.0' xmlns='${STREAMS}'><features/>`,
  ])("features may be written as %s", async (says) => {
    await using listening = await serveBytes(says);
    expect(await check({ protocol: xmpp, ...listening })).toMatchObject({
      state: "open",
      evidence: { from: "example.com" },
    });
  });

  test("an IPv6 address is sent in brackets", async () => {
    let asked = "";
    await using listening = await serve((socket) => {
      socket.once("data", (chunk) => {
        asked = String(chunk);
        socket.write(features(mechanisms));
      });
    }, "::1");
    expect(await check({ protocol: xmpp, ...listening, host: "::1" })).toMatchObject({ state: "open" });
    expect(asked).toContain(" to='[::1]'");
  });

  test("tls-not-offered where the features lack it", async () => {
    await using listening = await serveBytes(features(mechanisms));
    expect(await check({ protocol: xmpp, ...listening, settings: { starttls: "required" } })).toMatchObject({
      reason: "tls-not-offered",
    });
  });

  test("refuses a domain that would inject XML", () => {
    expect(() => xmpp.prepare({ domain: "a'><b" })).toThrow("domain: must be a domain");
  });
});
