import { expect, test } from "vitest";
import { isakmp } from "../../../shared/protocols/isakmp.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
/** An answer with one chain of payloads: [type, body]. */
const respond = (question: Buffer, payloads: readonly (readonly [number, Buffer])[], exchange = question[18]!) => {
  const bodies = payloads.map(([, body], n) => {
    const head = Buffer.of(payloads[n + 1]?.[0] ?? 0, 0, 0, 0);
    head.writeUInt16BE(body.length + 4, 2);
    return Buffer.concat([head, body]);
  });
  const head = Buffer.concat([
    question.subarray(0, 8),
    Buffer.alloc(8, 0x51),
    Buffer.of(payloads[0]?.[0] ?? 0, question[17]!, exchange, question[17] === 0x20 ? 0x20 : 0),
    Buffer.alloc(8),
  ]);
  const all = Buffer.concat([head, ...bodies]);
  all.writeUInt32BE(all.length, 24);
  return all;
};
const notify = (type: number, data = "") =>
  [41, Buffer.concat([Buffer.of(0, 0, type >> 8, type & 255), hex(data)])] as const;
const notify1 = (type: number) =>
  [11, Buffer.concat([hex("00000001 01 00"), Buffer.of(type >> 8, type & 255)])] as const;

/** AES-CBC-256, PRF-SHA256, SHA256, P-256. */
const accepted = hex(
  "0000002c 01010004 0300000c 0100000c 800e0100 03000008 02000005 03000008 0300000c 00000008 04000013",
);
const SHARE = [34, Buffer.concat([hex("00130000"), Buffer.alloc(64, 1)])] as const;
const NONCE = [40, Buffer.alloc(32, 2)] as const;
const right = (question: Buffer) =>
  respond(question, [[33, accepted], SHARE, NONCE, [43, hex("882fe56d6fd20dbc2251613b2ebe5beb")], notify(16430)]);

udpProtocolSuite("isakmp version 2", {
  protocol: isakmp,
  good: (question, reply) => reply(right(question)),
  expected: {
    evidence: {
      version: "IKEv2",
      proposal: "AES-CBC-256 PRF-SHA256 SHA256 P-256",
      vendors: ["strongSwan"],
      supports: ["IKEV2_FRAGMENTATION_SUPPORTED"],
    },
    facts: { "isakmp.vendors": "IKEV2_FRAGMENTATION_SUPPORTED, strongSwan" },
  },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(28), Buffer.alloc(60, 0xff), ""],
  foreign: (answer) => Buffer.concat([Buffer.alloc(8, 9), answer.subarray(8)]),
});

const transform = hex("00000028 01010000 80010007 800e0100 80020004 8004000e 80030001 800b0001 000c0004 00007080");
const proposal = Buffer.concat([hex("00000030 01010001"), transform]);
udpProtocolSuite("isakmp version 1", {
  protocol: isakmp,
  settings: { version: "1" },
  good: (question, reply) =>
    reply(
      respond(question, [
        [1, Buffer.concat([hex("00000001 00000001"), proposal])],
        [13, hex("afcad71368a1f1c96b8696fc77570100")],
      ]),
    ),
  expected: {
    evidence: {
      version: "IKEv1",
      proposal: "AES-CBC-256 SHA256 group 14, shared key",
      vendors: ["dead peer detection"],
    },
  },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(28)],
  foreign: (answer) => Buffer.concat([Buffer.alloc(8, 9), answer.subarray(8)]),
});

udpProtocolSuite("isakmp behind the non-ESP marker", {
  protocol: isakmp,
  settings: { nonEspMarker: "always" },
  good: (question, reply) => {
    if (question.readUInt32BE() === 0) reply(Buffer.concat([Buffer.alloc(4), right(question.subarray(4))]));
  },
  wrong: [Buffer.alloc(40)],
  // Without the marker it is ESP, which is ignored.
  foreign: (answer) => answer.subarray(4),
});

test.each([
  [notify(14), {}, "up", "NO_PROPOSAL_CHOSEN"],
  [notify(14), { refused: "degraded" }, "degraded", "NO_PROPOSAL_CHOSEN"],
  [notify(14), { refused: "down" }, "down", "NO_PROPOSAL_CHOSEN"],
  [notify(17, "000e"), { refused: "down" }, "up", "INVALID_KE_PAYLOAD"],
  [notify(16390, "c00c1e"), {}, "up", "COOKIE"],
] as const)("the notification %# under %o is %s", async (payload, settings, health, notification) => {
  await using server = await serveUdp((question, reply) => reply(respond(question, [payload])));
  expect(await check({ protocol: isakmp, ...server, settings })).toMatchObject({ health, evidence: { notification } });
});

test("INVALID_KE_PAYLOAD says which group is wanted", async () => {
  await using server = await serveUdp((question, reply) => reply(respond(question, [notify(17, "000e")])));
  expect((await check({ protocol: isakmp, ...server })).evidence).toMatchObject({ wantedGroup: "MODP-2048" });
});

test("version 1 refuses by an informational exchange", async () => {
  await using server = await serveUdp((question, reply) => reply(respond(question, [notify1(14)], 5)));
  expect(await check({ protocol: isakmp, ...server, settings: { version: "1" } })).toMatchObject({
    state: "open",
    evidence: { version: "IKEv1", notification: "NO_PROPOSAL_CHOSEN" },
  });
});

/** DES, with the rest of what was accepted. */
const des = hex("00000028 01010004 03000008 01000002 03000008 02000005 03000008 0300000c 00000008 04000013");
test.each([
  ["without choice or refusal", [NONCE]],
  ["without key exchange and nonce", [[33, accepted]]],
  ["without nonce", [[33, accepted], SHARE]],
  ["with a cipher that we do not offer", [[33, des], SHARE, NONCE]],
] as const)("an answer %s fails", async (_, payloads) => {
  await using server = await serveUdp((question, reply) => reply(respond(question, payloads)));
  expect(await check({ protocol: isakmp, ...server })).toMatchObject({
    state: "mismatch",
    reason: "unexpected-answer",
  });
});

refuses(isakmp, [
  [{ version: 2 }, "version"],
  [{ nonEspMarker: true }, "nonEspMarker"],
  [{ refused: "ignored" }, "refused"],
  [{ silence: true }, "silence"],
  [{ psk: "x" }, "psk"],
]);
