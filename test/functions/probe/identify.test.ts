import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { expect, test } from "vitest";
import { createIdentify } from "../../../functions/probe/identify.ts";
import { createEngine } from "../../../shared/engine/run.ts";
import { protocols } from "../../../shared/protocols/index.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { serve, serveBytes, serveSilence } from "../../support/servers.ts";

const engine = createEngine({ location: { kind: "local", families: ["ipv4"] }, protocols });
const identify = createIdentify(engine, protocols, Date.now, async () => {});
const at = (port: number) => identify({ host: "127.0.0.1", port }, Date.now() + 30_000);

const listening = async (server: Server) => {
  if (!server.listening) await once(server, "listening");
};

test.each([
  ["ssh", "SSH-2.0-OpenSSH_9.2p1\r\n"],
  ["vnc", "RFB 003.008\n"],
  ["imap", "* OK ready\r\n"],
  ["unknown", "hello, what is this?\r\n"],
])("%s by its greeting", async (name, greeting) => {
  await using server = await serveBytes(greeting);
  expect(await at(server.port)).toBe(name);
});

test("a mail server and a file server begin alike, and are told apart by what they say then", async () => {
  await using mail = await serve((socket) => {
    socket.write("220 mx.example.com ESMTP\r\n");
    socket.on("data", () => socket.write("250 mx.example.com\r\n"));
  });
  await using file = await serve((socket) => {
    socket.write("220 ready\r\n");
    socket.on("data", (line) => socket.write(line.toString().startsWith("QUIT") ? "221 bye\r\n" : "211 End\r\n"));
  });
  expect(await at(mail.port)).toBe("smtp");
  expect(await at(file.port)).toBe("ftp");
});

test("a web server, plain and inside TLS", async () => {
  const plain = createHttpServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
  const { certificate: cert, key } = makeCertificate();
  const secure = createTlsServer({ cert, key }, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"));
  }).listen(0, "127.0.0.1");
  try {
    await Promise.all([plain, secure].map(listening));
    expect(await at((plain.address() as AddressInfo).port)).toBe("http");
    expect(await at((secure.address() as AddressInfo).port)).toBe("https");
  } finally {
    plain.close();
    secure.close();
  }
});

test("something else inside TLS, something silent, something that hangs up", async () => {
  const { certificate: cert, key } = makeCertificate();
  const secure = createTlsServer({ cert, key }, (socket) => {
    socket.on("error", () => {});
    socket.write("what?\r\n");
  }).listen(0, "127.0.0.1");
  await using silent = await serveSilence();
  await using rude = await serve((socket) => socket.end());
  try {
    await listening(secure);
    expect(await at((secure.address() as AddressInfo).port)).toBe("tls");
    expect(await at(silent.port)).toBe("silent");
    expect(await at(rude.port)).toBe("closes-at-once");
  } finally {
    secure.close();
  }
});

test("a port that is closed meanwhile is nothing", async () => {
  const server = await serveSilence();
  const { port } = server;
  await server[Symbol.asyncDispose]();
  expect(await at(port)).toBeUndefined();
});
