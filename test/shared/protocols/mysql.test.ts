import { describe, expect, test } from "vitest";
import { mysql } from "../../../shared/protocols/mysql.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { check } from "../../support/check.ts";
import { type Peer, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";
import { upgrade } from "../../support/starttls.ts";

const packet = (sequence: number, payload: Buffer) =>
  Buffer.concat([Buffer.from([payload.length & 0xff, payload.length >> 8, 0, sequence]), payload]);

const CLIENT_SSL = 0x800;
const greeting = (version: string, capabilities = 0x81bffffe) => {
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(capabilities >>> 0);
  return packet(
    0,
    Buffer.concat([
      Buffer.from([10]),
      Buffer.from(`${version}\0`),
      Buffer.from([7, 0, 0, 0]),
      Buffer.from("saltsalt\0"),
      flags.subarray(0, 2),
      Buffer.from([45, 2, 0]),
      flags.subarray(2),
      Buffer.from([21]),
      Buffer.alloc(10),
      Buffer.from("moresaltmore\0"),
      Buffer.from("caching_sha2_password\0"),
    ]),
  );
};
const error = (sequence: number, code: number, text: string) =>
  packet(sequence, Buffer.concat([Buffer.from([0xff, code & 0xff, code >> 8]), Buffer.from(text)]));
const DENIED = (sequence: number) => error(sequence, 1045, "#28000Access denied for user 'harborlight'");

const server =
  (version = "8.0.36") =>
  ({ socket, write }: Peer) => {
    write(greeting(version));
    socket.once("data", () => write(DENIED(2)));
  };

protocolSuite("mysql", {
  protocol: mysql,
  good: server(),
  expected: {
    facts: { software: "MySQL 8.0.36" },
    evidence: {
      product: "MySQL",
      version: "8.0.36",
      offersTls: true,
      authentication: "caching_sha2_password",
      login: "refused: 1045",
    },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "220 mail ESMTP Postfix\r\n",
    packet(0, Buffer.from("\x09old\0", "latin1")),
    { says: error(0, 1040, "Too many connections"), reason: "service-unavailable" },
    { says: error(1, 1040, "#08004Too many connections"), reason: "service-unavailable" },
    { says: error(0, 1041, "Out of memory"), reason: "service-unavailable" },
    { says: error(0, 1135, "Can't create a new thread (errno 11)"), reason: "service-unavailable" },
    { says: error(0, 1129, "Host is blocked because of many connection errors"), reason: "service-unavailable" },
  ],
  endless: [greeting("8.0.36").subarray(0, 4), packet(0, Buffer.from("\x0a8.0.36\0", "latin1"))],
});

describe("mysql", () => {
  test.each([
    ["an error", DENIED(2), { state: "open", evidence: { login: "refused: 1045" } }],
    ["another way to log in", packet(2, Buffer.from("\xfesha\0", "latin1")), { state: "open" }],
    ["more of the login", packet(2, Buffer.from([1, 4])), { state: "open" }],
    ["offline mode", error(2, 3032, "#HY000in offline mode"), { state: "mismatch", reason: "service-unavailable" }],
    ["junk", packet(9, Buffer.from("Bjunk")), { state: "mismatch", reason: "unexpected-answer" }],
  ])("answered to the login: %s", async (_, answer, expected) => {
    await using listening = await serve((socket) => {
      socket.write(greeting("8.0.36"));
      socket.once("data", () => socket.write(answer));
    });
    expect(await check({ protocol: mysql, ...listening })).toMatchObject(expected);
  });

  test("a refused host is an answer of a healthy server", async () => {
    await using listening = await serveBytes(error(0, 1130, "Host '10.0.0.1' is not allowed to connect"), {
      end: true,
    });
    expect(await check({ protocol: mysql, ...listening })).toMatchObject({
      state: "open",
      evidence: { refused: "1130 Host '10.0.0.1' is not allowed to connect" },
    });
  });

  test("recognises MariaDB by its version, without the fake prefix", async () => {
    await using listening = await serve((socket) =>
      server("5.5.5-10.11.6-MariaDB-0+deb12u1")({ socket, write: (data) => socket.write(data), end: () => {} }),
    );
    expect(await check({ protocol: mysql, ...listening })).toMatchObject({
      facts: { software: "MariaDB 10.11.6-MariaDB-0+deb12u1" },
      evidence: { product: "MariaDB" },
    });
  });

  test("upgrades to TLS where the settings say tls", async () => {
    const certificate = makeCertificate();
    await using listening = await serve((socket) => {
      socket.write(greeting("8.0.36"));
      // The client's handshake follows its request directly, perhaps in the same segment.
      socket.once("readable", () => {
        socket.read(36);
        const secure = upgrade(socket, certificate);
        secure.once("data", () => secure.write(DENIED(3)));
      });
    });
    const settings = { tls: { ca: certificate.certificate } };
    expect(await check({ protocol: mysql, ...listening, settings })).toMatchObject({
      state: "open",
      evidence: { starttls: true, tls: { subject: "localhost" } },
    });
  });

  test("tls-not-offered when the greeting lacks the capability", async () => {
    await using listening = await serveBytes(greeting("5.1.73", 0xf7ff & ~CLIENT_SSL));
    expect(await check({ protocol: mysql, ...listening, settings: { tls: {} } })).toMatchObject({
      state: "tls-error",
      reason: "tls-not-offered",
    });
  });
});
