import { expect, test } from "vitest";
import type { TlsOptions } from "../../../shared/contract/connection.ts";
import { DAY_MS } from "../../../shared/durations.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { check } from "../../support/check.ts";
import { serveLegacyTls } from "../../support/legacy-tls-server.ts";
import { type SecureServer, serve, serveBytes, serveSilence, serveTls } from "../../support/servers.ts";

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const run = ({ port }: SecureServer, tls: TlsOptions, host = "localhost") =>
  check({ protocol: "tcp", host, port, settings: { tls } }, 5000);

const authority = makeCertificate({ subject: "Test Authority", names: [], addresses: [], isAuthority: true });
const ca = authority.certificate;

test("a valid certificate of a known issuer is up, and is reported as evidence", async () => {
  await using server = await serveTls(() => {}, { issuer: authority });
  const outcome = await run(server, { ca });
  expect(outcome).toMatchObject({
    state: "open",
    health: "up",
    evidence: {
      tls: {
        version: "TLSv1.3",
        cipher: expect.stringContaining("TLS_") as string,
        subject: "localhost",
        issuer: "Test Authority",
        names: "localhost, 127.0.0.1",
        key: "ec prime256v1",
      },
    },
  });
  expect(await run(server, { ca }, "127.0.0.1")).toMatchObject({ state: "open", health: "up" });
});

const bad: [reason: string, options: Parameters<typeof serveTls>[1], tls: TlsOptions][] = [
  ["certificate-expired", { issuer: authority, validFrom: inDays(-30), validTo: inDays(-1) }, { ca }],
  ["certificate-not-yet-valid", { issuer: authority, validFrom: inDays(2) }, { ca }],
  ["certificate-wrong-host", { issuer: authority, names: ["other.example"], addresses: [] }, { ca }],
  ["certificate-wrong-host", { issuer: authority }, { ca, serverName: "other.example" }],
  ["certificate-self-signed", {}, {}],
  ["certificate-unknown-issuer", { issuer: authority }, {}],
  ["certificate-weak", { issuer: authority, rsaBits: 1024 }, { ca }],
  [
    "certificate-weak",
    { issuer: authority, rsaBits: 2048, digest: "sha1", tls: { ciphers: "DEFAULT:@SECLEVEL=0" } },
    { ca },
  ],
];
test.each(bad)("%s is reported by its reason, and is open with verify off", async (reason, options, tls) => {
  const weak = reason === "certificate-weak" ? { tls: { ciphers: "DEFAULT:@SECLEVEL=0" } } : {};
  await using server = await serveTls(() => {}, { ...options, ...weak });
  expect(await run(server, tls)).toMatchObject({
    state: "tls-error",
    health: "down",
    reason,
    evidence: { tls: { problems: expect.arrayContaining([reason]) as string[] } },
  });
  expect(await run(server, { ...tls, verify: false, warnDays: 0 })).toMatchObject({ state: "open" });
});

test("a name that is only the common name, or matches only a part of a label, does not count", async () => {
  await using old = await serveTls(() => {}, { issuer: authority, names: [], addresses: [] });
  const outcome = await run(old, { ca });
  expect(outcome).toMatchObject({ state: "tls-error", health: "down", reason: "certificate-wrong-host" });
  expect(outcome.message).toContain("only as its common name");
  await using part = await serveTls(() => {}, { issuer: authority, names: ["w*.a.example", "*.b.example"] });
  expect(await run(part, { ca, serverName: "www.a.example" })).toMatchObject({ reason: "certificate-wrong-host" });
  expect(await run(part, { ca, serverName: "www.b.example" })).toMatchObject({ state: "open" });
});

test.each([
  ["certificate-expired", { validFrom: inDays(-30), validTo: inDays(-1) }],
  ["certificate-not-yet-valid", { validFrom: inDays(2) }],
])("%s is reported for issuers' certificates, too", async (reason, dates) => {
  const between = { subject: "Between", names: [], addresses: [], isAuthority: true };
  const issuer = makeCertificate({ ...between, ...dates, issuer: authority });
  const { certificate, key } = makeCertificate({ issuer });
  const tls = { cert: certificate + issuer.certificate, key };
  await using server = await serveTls(() => {}, { tls });
  const outcome = await run(server, { ca });
  expect(outcome).toMatchObject({ state: "tls-error", health: "down", reason });
  expect(outcome.message).toContain("Between, valid from 20");
  expect(await run(server, { ca, verify: false })).toMatchObject({ state: "open", health: "up" });

  const itself = makeCertificate({ ...between, ...dates });
  await using direct = await serveTls(() => {}, { issuer: itself });
  expect(await run(direct, { ca: itself.certificate })).toMatchObject({ state: "tls-error", reason });
});

test("a certificate with an invalid date is not valid, and is no fault of ours", async () => {
  const { certificate, key } = makeCertificate({ validTo: new Date("2035-11-20T00:00:00Z") });
  const der = Buffer.from(certificate.replace(/-----.*-----/g, ""), "base64");
  der.write("20351320", der.indexOf("20351120"), "latin1");
  const cert = `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
  await using server = await serveTls(() => {}, { tls: { cert, key } });
  expect(await run(server, {})).toMatchObject({ state: "tls-error", health: "down" });
  expect(await run(server, { verify: false })).toMatchObject({
    state: "open",
    health: "up",
    evidence: { tls: { validTo: "no date" } },
  });
});

test("a weak signature of an issuer's certificate is reported, too", async () => {
  const weakAuthority = makeCertificate({
    subject: "Weak",
    names: [],
    addresses: [],
    isAuthority: true,
    rsaBits: 2048,
  });
  await using server = await serveTls(() => {}, {
    issuer: weakAuthority,
    digest: "sha1",
    tls: { ciphers: "DEFAULT:@SECLEVEL=0" },
  });
  expect(await run(server, { ca: weakAuthority.certificate })).toMatchObject({
    state: "tls-error",
    reason: "certificate-weak",
  });
});

test("a certificate that ends within the warning days is degraded", async () => {
  await using server = await serveTls(() => {}, { issuer: authority, validTo: inDays(10.5) });
  expect(await run(server, { ca })).toMatchObject({
    state: "open",
    health: "degraded",
    reason: "certificate-expires-soon",
  });
  expect((await run(server, { ca })).message).toContain("ends in 10 days");
  expect(await run(server, { ca, warnDays: 7 })).toMatchObject({ health: "up" });
  expect(await run(server, { ca, warnDays: 0 })).toMatchObject({ health: "up" });
});

test("a server with a TLS version below the minimum fails as tls-version", async () => {
  await using server = await serveTls(() => {}, { issuer: authority, tls: { maxVersion: "TLSv1.2" } });
  expect(await run(server, { ca, minVersion: "TLSv1.3" })).toMatchObject({ state: "tls-error", reason: "tls-version" });
  expect(await run(server, { ca })).toMatchObject({ state: "open", evidence: { tls: { version: "TLSv1.2" } } });
});

test("SNI and ALPN come from the settings", async () => {
  let asked = "";
  await using server = await serveTls(() => {}, {
    issuer: authority,
    names: ["a.example"],
    tls: {
      ALPNProtocols: ["h2", "http/1.1"],
      SNICallback: (name, use) => {
        asked = name;
        use(null);
      },
    },
  });
  const outcome = await run(server, { ca, serverName: "a.example", alpn: ["http/1.1"] });
  expect(outcome).toMatchObject({ state: "open", evidence: { tls: { alpn: "http/1.1" } } });
  expect(asked).toBe("a.example");
});

test("a non-ASCII server name is sent, and matched with the certificate, in its xn-- form", async () => {
  await using server = await serveTls(() => {}, { issuer: authority, names: ["xn--bcher-kva.example"] });
  expect(await run(server, { ca, serverName: "Bücher.example" })).toMatchObject({ state: "open" });
});

test("a server that wants a client certificate gets the one in the settings", async () => {
  const client = makeCertificate({ subject: "client", issuer: authority });
  await using server = await serveTls((socket) => socket.write("welcome\n"), {
    issuer: authority,
    tls: { requestCert: true, rejectUnauthorized: true, ca },
  });
  const settings = { steps: [{ expect: { contains: "welcome" } }] };
  const { certificate, key } = client;
  const input = { protocol: "tcp", host: "localhost", port: server.port };
  expect(await check({ ...input, settings: { ...settings, tls: { ca, certificate, key } } })).toMatchObject({
    state: "open",
  });
  expect(await check({ ...input, settings: { ...settings, tls: { ca } } })).toMatchObject({
    state: "tls-error",
    health: "down",
  });
});

test("a server that speaks another protocol, is silent or closes the connection is a TLS error", async () => {
  await using plain = await serveBytes("220 mail ready\r\n");
  await using silent = await serveSilence();
  await using closed = await serve((socket) => socket.end());
  const input = { protocol: "tcp", settings: { tls: {} } };
  expect(await check({ ...input, ...plain })).toMatchObject({ state: "tls-error", reason: "wrong-protocol" });
  expect(await check({ ...input, ...silent }, 300)).toMatchObject({ state: "tls-error", reason: "timeout" });
  expect(await check({ ...input, ...closed })).toMatchObject({ state: "tls-error", reason: "tls-handshake-failed" });
});

test("a server without secure renegotiation (RFC 5746) is checked, and the evidence says so", async () => {
  await using server = await serveLegacyTls("220 ready\r\n");
  const settings = { tls: { verify: false, warnDays: 0 }, steps: [{ expect: { contains: "220 ready" } }] };
  for (const connections of [2, 3]) {
    expect(await check({ protocol: "tcp", ...server, settings }, 5000)).toMatchObject({
      state: "open",
      health: "up",
      evidence: { tls: { version: "TLSv1.2", renegotiation: "unsafe: the server is older than RFC 5746" } },
    });
    expect(server.connections).toBe(connections);
  }
});

test("a handshake that this side refuses is told apart from an alert of the peer", async () => {
  // A hello with a cipher that was not offered, and handshake_failure.
  const hello = Buffer.from(`160303002a020000260303${"00".repeat(32)}00000100`, "hex");
  const alert = Buffer.from("15030300020228", "hex");
  const tls = { verify: false };
  await using odd = await serve((socket) => socket.once("data", () => socket.write(hello)));
  const ours = await check({ protocol: "tcp", ...odd, settings: { tls } });
  expect(ours).toMatchObject({ state: "tls-error", reason: "tls-handshake-failed" });
  expect(ours.message).toContain("was refused by this side in the TLS handshake (");
  await using refusing = await serve((socket) => socket.once("data", () => socket.write(alert)));
  const theirs = await check({ protocol: "tcp", ...refusing, settings: { tls } });
  expect(theirs).toMatchObject({ state: "tls-error", reason: "tls-handshake-failed" });
  expect(theirs.message).toContain("broke off the TLS handshake");
});
