import { expect, test } from "vitest";
import { dtls } from "../../../shared/protocols/dtls.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const record = (type: number, sequence: Buffer, content: Buffer) =>
  Buffer.concat([Buffer.of(type, 0xfe, 0xff, 0, 0), sequence, Buffer.of(content.length >> 8, content.length), content]);
const handshake = (question: Buffer, type: number, body: Buffer, sequence = 0) => {
  const length = Buffer.of(0, body.length >> 8, body.length);
  const head = Buffer.concat([Buffer.of(type), length, Buffer.of(0, sequence), Buffer.alloc(3), length]);
  return record(22, question.subarray(5, 11), Buffer.concat([head, body]));
};
const cookie = (question: Buffer) =>
  handshake(question, 3, Buffer.concat([Buffer.of(0xfe, 0xff, 20), Buffer.alloc(20, 7)]));
const hello = (question: Buffer, version = 0xfefd, cipher = 0xc02b) => {
  const body = [version >> 8, version & 0xff, ...Buffer.alloc(32, 1), 0, cipher >> 8, cipher & 0xff, 0];
  return handshake(question, 2, Buffer.from(body));
};
const certificate = (question: Buffer, sequence: number) => handshake(question, 11, Buffer.alloc(3), sequence);
const alert = (question: Buffer, code: number, level = 2) =>
  record(21, question.subarray(5, 11), Buffer.of(level, code));
const noise = ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(40), Buffer.from("160303002a", "hex"), ""];

udpProtocolSuite("dtls with cookies", {
  protocol: dtls,
  good: (question, reply) => question[0] === 22 && question[13] === 1 && reply(cookie(question)),
  expected: { evidence: { answer: "cookie", cookieBytes: 20 } },
  wrong: noise,
});

udpProtocolSuite("dtls without", {
  protocol: dtls,
  good: (question, reply) => reply(hello(question)),
  expected: {
    evidence: { version: "DTLS 1.2", cipher: "ECDHE-ECDSA-AES128-GCM-SHA256" },
    facts: { "dtls.version": "DTLS 1.2", "dtls.cipher": "ECDHE-ECDSA-AES128-GCM-SHA256" },
  },
  wrong: noise,
});

test.each([
  [40, "up", null],
  [70, "up", null],
  [80, "down", "service-unavailable"],
])("alert %i is %s", async (code, health, reason) => {
  await using server = await serveUdp((question, reply) => reply(alert(question, code)));
  expect(await check({ protocol: dtls, ...server })).toMatchObject({ health, reason });
});

test.each([
  ["an alert of no level", (question: Buffer) => alert(question, 40, 0x55), "wrong-protocol"],
  ["a version that we do not offer", (question: Buffer) => hello(question, 0x1234), "unexpected-answer"],
  ["a cipher that we do not offer", (question: Buffer) => hello(question, 0xfefd, 0xdead), "unexpected-answer"],
  ["a flight that begins without hello", (question: Buffer) => certificate(question, 0), "wrong-protocol"],
])("down on %s", async (_, answer, reason) => {
  await using server = await serveUdp((question, reply) => reply(answer(question)));
  expect(await check({ protocol: dtls, ...server })).toMatchObject({ state: "mismatch", health: "down", reason });
});

test("a hello that arrives after the rest of its flight is read", async () => {
  await using server = await serveUdp((question, reply) => {
    reply(certificate(question, 1));
    reply(hello(question));
  });
  expect(await check({ protocol: dtls, ...server })).toMatchObject({ state: "open", evidence: { answer: "hello" } });
});

test("the name asked for is the monitor's host, or the setting", async () => {
  await using server = await serveUdp((question, reply) => reply(cookie(question)));
  await check({ protocol: dtls, port: server.port, host: "localhost", family: "ipv4" });
  await check({ protocol: dtls, ...server, settings: { serverName: "pier.example" } });
  await check({ protocol: dtls, ...server });
  const named = server.received.map((hello) => /localhost|pier\.example/.exec(hello.toString("latin1"))?.[0]);
  expect(named).toEqual(["localhost", "pier.example", undefined]);
});

refuses(dtls, [
  [{ serverName: "" }, "serverName"],
  [{ minVersion: "DTLSv1.2" }, "minVersion"],
  [{ packets: { count: 100 } }, "packets.count"],
]);
