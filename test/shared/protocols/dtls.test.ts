import { expect, test } from "vitest";
import { dtls } from "../../../shared/protocols/dtls.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const record = (type: number, sequence: Buffer, content: Buffer) =>
  Buffer.concat([Buffer.of(type, 0xfe, 0xff, 0, 0), sequence, Buffer.of(content.length >> 8, content.length), content]);
const handshake = (question: Buffer, type: number, body: Buffer) => {
  const length = Buffer.of(0, body.length >> 8, body.length);
  const head = Buffer.concat([Buffer.of(type), length, Buffer.alloc(5), length]);
  return record(22, question.subarray(5, 11), Buffer.concat([head, body]));
};
const cookie = (question: Buffer) =>
  handshake(question, 3, Buffer.concat([Buffer.of(0xfe, 0xff, 20), Buffer.alloc(20, 7)]));
const hello = (question: Buffer) =>
  handshake(question, 2, Buffer.concat([Buffer.of(0xfe, 0xfd), Buffer.alloc(32, 1), Buffer.of(0, 0xc0, 0x2b, 0)]));
const alert = (question: Buffer, code: number) => record(21, question.subarray(5, 11), Buffer.of(2, code));
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
    fingerprint: "DTLS 1.2 ECDHE-ECDSA-AES128-GCM-SHA256",
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
