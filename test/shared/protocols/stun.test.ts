import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { stun } from "../../../shared/protocols/stun.ts";
import { check } from "../../support/check.ts";
import { protocolSuite } from "../../support/protocol-suite.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const attribute = (type: number, value: Buffer) => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)]);
};
/** 203.0.113.9:4711, XORed with the magic cookie. */
const xorMapped = Buffer.concat([
  Buffer.of(0, 1, (4711 >> 8) ^ 0x21, (4711 & 0xff) ^ 0x12),
  Buffer.of(203 ^ 0x21, 0 ^ 0x12, 113 ^ 0xa4, 9 ^ 0x42),
]);
const message = (question: Buffer, type: number, ...attributes: readonly Buffer[]) => {
  const body = Buffer.concat(attributes);
  const head = Buffer.from(question.subarray(0, 20));
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length + 8, 2);
  const signed = Buffer.concat([head, body]);
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE((crc32(signed) ^ 0x5354554e) >>> 0);
  return Buffer.concat([signed, attribute(0x8028, fingerprint)]);
};
const right = (question: Buffer) =>
  message(question, 0x0101, attribute(0x0020, xorMapped), attribute(0x8022, Buffer.from("pier/1.2")));
const error = (question: Buffer, code: number) =>
  message(
    question,
    0x0111,
    attribute(0x0009, Buffer.concat([Buffer.of(0, 0, code / 100, code % 100), Buffer.from("No")])),
  );

const expected = {
  facts: { software: "pier/1.2" },
  evidence: { mappedAddress: "203.0.113.9:4711", software: "pier/1.2" },
};

udpProtocolSuite("stun by UDP", {
  protocol: stun,
  good: (question, reply) => reply(right(question)),
  expected,
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(20), "x", ""],
  foreign: (answer) => Buffer.concat([answer.subarray(0, 8), Buffer.alloc(12, 9), answer.subarray(20)]),
});

protocolSuite("stun by TCP", {
  protocol: stun,
  settings: { transport: "tcp" },
  good: ({ socket, write }) => void socket.once("data", (question) => write(right(question))),
  expected,
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(20)],
});

test("an IPv6 address is decoded with the transaction id", async () => {
  await using server = await serveUdp((question, reply) => {
    const address = Buffer.from("20010db8000000000000000000000042", "hex");
    for (let i = 0; i < 16; i += 1) address[i]! ^= question[4 + i]!;
    reply(message(question, 0x0101, attribute(0x0020, Buffer.concat([Buffer.of(0, 2, 0x33, 0x75), address]))));
  });
  const { evidence } = await check({ protocol: stun, ...server });
  expect(evidence.mappedAddress).toBe("[2001:0db8:0000:0000:0000:0000:0000:0042]:4711");
});

test("a refusal is an answer, a server error is service-unavailable", async () => {
  await using refusing = await serveUdp((question, reply) => reply(error(question, 401)));
  expect(await check({ protocol: stun, ...refusing })).toMatchObject({ state: "open", evidence: { error: "401 No" } });
  await using unwell = await serveUdp((question, reply) => reply(error(question, 500)));
  expect(await check({ protocol: stun, ...unwell })).toMatchObject({
    state: "mismatch",
    reason: "service-unavailable",
  });
});

test.each([
  [
    "an unknown attribute that must be understood",
    0x0101,
    [attribute(0x7777, Buffer.alloc(4)), attribute(0x0020, xorMapped)],
  ],
  [
    "an address of no known family",
    0x0101,
    [attribute(0x0020, Buffer.concat([Buffer.of(0, 9), xorMapped.subarray(2)]))],
  ],
  ["an error without its code", 0x0111, [attribute(0x0020, xorMapped)]],
  ["an error of class 0", 0x0111, [attribute(0x0009, Buffer.alloc(4))]],
])("%s fails", async (_what, type, attributes) => {
  await using server = await serveUdp((question, reply) => reply(message(question, type, ...attributes)));
  expect(await check({ protocol: stun, ...server })).toMatchObject({ state: "mismatch", reason: "unexpected-answer" });
});

test("an answer with another magic cookie is ignored", async () => {
  const other = (question: Buffer) =>
    Buffer.concat([question.subarray(0, 4), Buffer.alloc(4, 7), question.subarray(8)]);
  await using server = await serveUdp((question, reply) =>
    reply(message(other(question), 0x0101, attribute(0x0001, Buffer.of(0, 1, 0, 1, 203, 0, 113, 9)))),
  );
  expect(await check({ protocol: stun, ...server }, 250)).toMatchObject({ state: "open|filtered", health: "down" });
});

test("an answer with a wrong FINGERPRINT fails", async () => {
  await using server = await serveUdp((question, reply) => {
    const answer = right(question);
    answer[24]! ^= 1;
    answer[26]! ^= 1;
    reply(answer);
  });
  expect(await check({ protocol: stun, ...server })).toMatchObject({ state: "mismatch", reason: "unexpected-answer" });
});

refuses(stun, [
  [{ transport: "sctp" }, "transport"],
  [{ tls: {} }, "tls"],
  [{ transport: "tcp", packets: { count: 1 } }, "packets"],
  [{ transport: "tcp", tls: { minVersion: "SSLv3" } }, "tls.minVersion"],
  [{ packets: { count: 21 } }, "packets.count"],
  [{ lossPercent: { degradedAbove: -1 } }, "lossPercent.degradedAbove"],
]);
