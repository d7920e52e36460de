import { expect, test } from "vitest";
import { coap } from "../../../shared/protocols/coap.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const quick = { packets: { spacingMs: 50 } };
const reset = (question: Buffer) => Buffer.concat([Buffer.of(0x70, 0), question.subarray(2, 4)]);
/** Acknowledgement with the answer in it: an ETag, a content format of two bytes, a payload. */
const content = (question: Buffer, code = 0x45, payload = "</light>;rt=beam") =>
  Buffer.concat([
    Buffer.of(0x60 | (question[0]! & 15), code),
    question.subarray(2, 4 + (question[0]! & 15)),
    Buffer.of(0x41, 0xaa, 0x82, 0x01, 0x02, 0xff),
    Buffer.from(payload),
  ]);
const otherId = (answer: Buffer) =>
  Buffer.concat([answer.subarray(0, 2), Buffer.of(answer[2]! ^ 0x55, answer[3]!), answer.subarray(4)]);
const otherToken = (answer: Buffer) =>
  Buffer.concat([answer.subarray(0, 4), Buffer.of(answer[4]! ^ 0x55), answer.subarray(5)]);
const noise = ["HTTP/1.1 400 Bad Request\r\n\r\n".repeat(2).slice(1), Buffer.alloc(4), Buffer.from("4f", "hex"), ""];

udpProtocolSuite("coap ping", {
  protocol: coap,
  settings: quick,
  good: (question, reply) => reply(reset(question)),
  expected: { evidence: { answer: "reset" } },
  wrong: noise.slice(1),
  foreign: otherId,
});

udpProtocolSuite("coap get", {
  protocol: coap,
  settings: { method: "get", ...quick },
  good: (question, reply) => reply(content(question)),
  expected: { evidence: { code: "2.05", payload: "</light>;rt=beam" } },
  wrong: noise.slice(1),
  foreign: otherToken,
  // Options are optional, and so is what follows them.
  enoughBytes: 8,
});

test("the response may be a separate message after an empty acknowledgement", async () => {
  await using server = await serveUdp((question, reply) => {
    reply(Buffer.concat([Buffer.of(0x60, 0), question.subarray(2, 4)]));
    reply(Buffer.concat([Buffer.of(0x44, 0x45, 1, 2), question.subarray(4, 8), Buffer.from("\xfflate", "latin1")]));
  });
  expect(await check({ protocol: coap, ...server, settings: { method: "get", ...quick } })).toMatchObject({
    state: "open",
    evidence: { code: "2.05", payload: "late" },
    lossPercent: 0,
  });
});

test.each([
  [0x84, {}, "up", null],
  [0x84, { code: ["2.05"] }, "down", "unexpected-answer"],
  [0xa3, {}, "down", "service-unavailable"],
  [0xa3, { code: ["5.03"] }, "up", null],
] as const)("code %i under %o is %s", async (code, more, health, reason) => {
  await using server = await serveUdp((question, reply) => reply(content(question, code)));
  const settings = { method: "get", path: "/a/long%20segment-beyond-twelve", ...quick, ...more };
  expect(await check({ protocol: coap, ...server, settings })).toMatchObject({ health, reason });
});

test.each([
  [
    "an acknowledgement with content",
    (question: Buffer) => Buffer.concat([Buffer.of(0x60, 0x45), question.subarray(2, 4)]),
  ],
  ["a reset with a code", (question: Buffer) => Buffer.concat([Buffer.of(0x70, 0x45), question.subarray(2, 4)])],
  ["a reset with content", (question: Buffer) => Buffer.concat([reset(question), Buffer.from("\xffx", "latin1")])],
])("%s is no answer to a ping", async (_what, answer) => {
  await using server = await serveUdp((question, reply) => reply(answer(question)));
  expect(await check({ protocol: coap, ...server, settings: quick })).toMatchObject({
    state: "mismatch",
    reason: "unexpected-answer",
  });
});

test("an announced payload must not be missing", async () => {
  await using server = await serveUdp((question, reply) => reply(content(question, 0x45, "")));
  expect(await check({ protocol: coap, ...server, settings: { method: "get", ...quick } })).toMatchObject({
    state: "mismatch",
    reason: "incomplete-answer",
  });
});

test.each([
  ["/", ""],
  ["/a", "b161"],
  ["/a/", "b16100"],
  ["/a//b", "b161000162"],
  ["/a%2fb", "b3612f62"],
  ["/a?x=1&y", "b16143783d310179"],
  ["/?x", "d10278"],
])("the path %s is sent as the options %s", async (path, options) => {
  await using server = await serveUdp((question, reply) => reply(content(question)));
  await check({ protocol: coap, ...server, settings: { method: "get", path, ...quick } });
  expect(server.received[0]!.subarray(8).toString("hex")).toBe(options);
});

refuses(coap, [
  [{ method: "put" }, "method"],
  [{ path: "no-slash" }, "path"],
  [{ path: "/%zz" }, "path"],
  [{ method: "get", code: ["205"] }, "code[0]"],
  [{ token: 1 }, "token"],
]);
