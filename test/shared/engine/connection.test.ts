import { networkInterfaces } from "node:os";
import { TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Connection, TlsOptions } from "../../../shared/contract/connection.ts";
import type { Finding, Protocol, Target } from "../../../shared/contract/protocol.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { check } from "../../support/check.ts";
import {
  onLines,
  refusedPort,
  serve,
  serveBytes,
  serveEndlessly,
  serveSilence,
  serveSlowly,
  serveTls,
} from "../../support/servers.ts";

/** A protocol with this `talk`. */
const speaking = (talk: (connection: Connection, target: Target) => Promise<Finding>, tls?: TlsOptions): Protocol => ({
  title: "test",
  summary: "",
  reference: "",
  transports: ["tcp"],
  defaultPort: null,
  settings: z.unknown(),
  example: { settings: {} },
  prepare: () => ({ transport: "tcp", talk, ...(tls ? { tls } : {}) }),
});

const readsLine = speaking(async (connection) => ({ evidence: { line: await connection.readLine() } }));

test("a line is read without its line end, LF or CRLF", async () => {
  await using server = await serveBytes("hello\r\nworld\n");
  const protocol = speaking(async (connection) => ({
    evidence: { lines: [await connection.readLine(), await connection.readLine()] },
  }));
  const outcome = await check({ protocol, ...server });
  expect(outcome).toMatchObject({ state: "open", evidence: { lines: ["hello", "world"] } });
  expect(outcome.traffic).toEqual({ bytesSent: 0, bytesReceived: 13 });
  expect(outcome.timings.firstByteMs).toBeGreaterThan(0);
  expect(outcome.timings.latencyMs).toBeGreaterThanOrEqual(outcome.timings.connectMs ?? Number.NaN);
});

test("the banner of a server that greets and closes is part of the message", async () => {
  const protocol = speaking(async (connection) => {
    await connection.readLine();
    return { evidence: { more: await connection.read(5) } };
  });
  await using leaving = await serveBytes("SSH-2.0-OpenSSH_9.2p1\r\n", { end: true });
  const closed = await check({ protocol, ...leaving });
  expect(closed).toMatchObject({ reason: "incomplete-answer", evidence: { banner: "SSH-2.0-OpenSSH_9.2p1" } });
  expect(closed.message).toMatch(
    /^\S+ named itself SSH-2.0-OpenSSH_9.2p1, then closed the connection before its answer was complete: /,
  );
  await using resetting = await serve((socket) => {
    socket.write("220 mail ready\r\n");
    setTimeout(() => socket.resetAndDestroy(), 50);
  });
  const reset = await check({ protocol, ...resetting });
  expect(reset).toMatchObject({ reason: "connection-reset", evidence: { banner: "220 mail ready" } });
  expect(reset.message).toMatch(/^\S+ named itself 220 mail ready, then reset the connection/);
  await using binary = await serveBytes(Buffer.from([0, 1, 2, 3, 10]), { end: true });
  expect((await check({ protocol, ...binary })).evidence).toEqual({});
});

test("a line that comes one byte at a time is read whole", async () => {
  await using server = await serveSlowly("hello\r\n");
  expect(await check({ protocol: readsLine, ...server })).toMatchObject({ state: "open", evidence: { line: "hello" } });
});

test("silence is no-answer, a part of an answer is incomplete-answer, a closed connection is connection-closed", async () => {
  await using silent = await serveSilence();
  await using half = await serveBytes("hel");
  await using cut = await serveBytes("hel", { end: true });
  await using closed = await serve((socket) => socket.end());
  await using reset = await serve((socket) => socket.resetAndDestroy());
  const protocol = readsLine;
  expect(await check({ protocol, ...silent }, 200)).toMatchObject({
    state: "mismatch",
    reason: "no-answer",
    health: "down",
  });
  expect(await check({ protocol, ...half }, 200)).toMatchObject({ state: "mismatch", reason: "incomplete-answer" });
  expect(await check({ protocol, ...cut })).toMatchObject({ state: "mismatch", reason: "incomplete-answer" });
  expect(await check({ protocol, ...closed })).toMatchObject({ state: "mismatch", reason: "connection-closed" });
  expect(await check({ protocol, ...reset })).toMatchObject({ state: "mismatch", reason: "connection-reset" });
  expect(await check({ protocol, ...(await refusedPort()) })).toMatchObject({ state: "closed" });
});

test("an endless answer ends at the byte limit of each kind of read", async () => {
  await using server = await serveEndlessly(Buffer.alloc(8192, "x"));
  const reads: ((connection: Connection) => Promise<unknown>)[] = [
    (connection) => connection.readLine(),
    (connection) => connection.readUntil("\r\n\r\n"),
    async (connection) => {
      while (await connection.readSome());
    },
  ];
  for (const read of reads) {
    const protocol = speaking(async (connection) => {
      await read(connection);
      return {};
    });
    expect(await check({ protocol, ...server }, 5000)).toMatchObject({ state: "mismatch", reason: "answer-too-long" });
  }
});

test("TLS from the first byte gives the certificate as evidence and its issuer and key as facts", async () => {
  await using server = await serveTls((socket) => socket.end("hello\r\n"));
  const tls = { ca: server.certificate.certificate };
  const protocol = speaking(async (connection) => ({ message: await connection.readLine() }), tls);
  const outcome = await check({ protocol, ...server, host: "localhost" });
  expect(outcome).toMatchObject({ state: "open", health: "up", message: "hello" });
  expect(outcome.evidence).toMatchObject({
    tls: { version: "TLSv1.3", subject: "localhost", issuer: "localhost", daysLeft: 89 },
  });
  expect(outcome.facts).toMatchObject({
    "tls.version": "TLSv1.3",
    "tls.trust": "chain",
    "dns.addresses": "127.0.0.0/24",
    "tls.spki": expect.any(String),
  });
  expect(outcome.timings.tlsMs).toBeGreaterThan(0);
});

test("STARTTLS upgrades in place", async () => {
  const { certificate, key } = makeCertificate();
  await using server = await serve((socket) => {
    onLines(socket, (line) => {
      if (line !== "STARTTLS") return;
      socket.removeAllListeners("data");
      socket.write("go\r\n", () => {
        const secure = new TLSSocket(socket, { isServer: true, cert: certificate, key });
        secure.on("error", () => {});
        onLines(secure, (inside) => secure.write(`inside ${inside}\r\n`));
      });
    });
  });
  const protocol = speaking(async (connection) => {
    connection.write("STARTTLS\r\n");
    await connection.readLine();
    await connection.startTls({ ca: certificate });
    connection.write("hello\r\n");
    return { message: await connection.readLine() };
  });
  expect(await check({ protocol, ...server })).toMatchObject({ state: "open", message: "inside hello" });
});

test("a link-local address is connected to with its zone, which is not sent to the peer", async () => {
  let told: Target | undefined;
  const protocol = speaking(async (_connection, target) => {
    told = target;
    return {};
  });
  // A link-local address of this machine, if it has one; else a timeout, which must not be an internal error.
  const [name, own] = Object.entries(networkInterfaces())
    .flatMap(([interfaceName, all]) => (all ?? []).map((one) => [interfaceName, one] as const))
    .find(([, { address }]) => address.startsWith("fe80:")) ?? ["lo", undefined];
  const address = `${own?.address ?? "fe80::1"}%${name}`;
  const server = own && (await serve(() => {}, address));
  const outcome = await check({ protocol, host: address, port: server?.port ?? 9 }, 500);
  await server?.[Symbol.asyncDispose]();
  expect(outcome).toMatchObject({ address });
  if (own) {
    expect(outcome).toMatchObject({ state: "open" });
    expect(told).toMatchObject({ host: own.address, address });
  } else expect(outcome.message).toContain(`[${address}]:9 `);
});
