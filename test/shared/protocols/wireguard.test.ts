import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { wireguard } from "../../../shared/protocols/wireguard.ts";
import { hchacha20, mac } from "../../../shared/wire/noise.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { refusedUdpPort, serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";
import { keyPair, responder } from "../../support/wireguard-server.ts";

const own = keyPair();
const peer = keyPair();
const text = (key: Buffer) => key.toString("base64");
const settings = { serverPublicKey: text(own.open), privateKey: text(peer.secret) };

udpProtocolSuite("wireguard", {
  protocol: wireguard,
  settings,
  good: (question, reply) => {
    // A new responder for each case: the cases run concurrently, and a responder accepts only later timestamps.
    const answer = responder(own, peer.open)(question);
    if (answer) reply(answer);
  },
  expected: { evidence: { answer: "response", verified: true } },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(92), Buffer.from("0200", "hex"), ""],
  foreign: (answer) => Buffer.concat([answer.subarray(0, 8), Buffer.of(answer[8]! ^ 0x55), answer.subarray(9)]),
});

test("with a preshared key", async () => {
  const preshared = Buffer.alloc(32, 7);
  const answer = responder(own, peer.open, preshared);
  await using server = await serveUdp((question, reply) => {
    const response = answer(question);
    if (response) reply(response);
  });
  const withIt = { ...settings, presharedKey: text(preshared) };
  expect(await check({ protocol: wireguard, ...server, settings: withIt })).toMatchObject({
    state: "open",
    lossPercent: 0,
  });
  const outcome = await check({ protocol: wireguard, ...server, settings });
  expect(outcome).toMatchObject({ state: "mismatch", reason: "unexpected-answer" });
});

test("an unknown peer gets no answer, and the message says why", async () => {
  const answer = responder(own, keyPair().open);
  await using server = await serveUdp((question, reply) => {
    const response = answer(question);
    if (response) reply(response);
  });
  const outcome = await check({ protocol: wireguard, ...server, settings }, 250);
  expect(outcome).toMatchObject({ state: "open|filtered", health: "down", reason: "no-answer" });
  expect(outcome.message).toContain("does not answer unknown keys");
});

test("without keys silence is unknown, and only ICMP shows a closed port", async () => {
  await using server = await serveUdp(() => {});
  const outcome = await check({ protocol: wireguard, ...server }, 250);
  expect(outcome).toMatchObject({ state: "open|filtered", health: "unknown", reason: "silent" });
  expect(server.received[0]!.length).toBe(148);
  expect(await check({ protocol: wireguard, ...(await refusedUdpPort()) })).toMatchObject({ state: "closed" });
});

/** A cookie reply (whitepaper, section 5.4.7) by the server with this key. */
const cookieReply = (question: Buffer, server: Buffer) => {
  const nonce = randomBytes(24);
  const label = createHash("blake2s256").update("cookie--").update(server).digest();
  const key = hchacha20(label, nonce.subarray(0, 16));
  const iv = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]);
  const cipher = createCipheriv("chacha20-poly1305", key, iv, { authTagLength: 16 });
  cipher.setAAD(question.subarray(116, 132), { plaintextLength: 16 });
  const sealed = [cipher.update(randomBytes(16)), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat([Buffer.of(3, 0, 0, 0), question.subarray(4, 8), nonce, ...sealed]);
};

test.each([
  ["sealed with the server's key is an answer", own.open, settings, "open"],
  ["sealed with another key is none", peer.open, settings, "mismatch"],
  ["to somebody without keys comes from no server", own.open, {}, "mismatch"],
])("a cookie %s", async (_what, key, given, state) => {
  await using server = await serveUdp((question, reply) => reply(cookieReply(question, key)));
  expect(await check({ protocol: wireguard, ...server, settings: given })).toMatchObject({
    state,
    evidence: state === "open" ? { answer: "cookie" } : {},
  });
});

test("HChaCha20 as in draft-irtf-cfrg-xchacha-03, section 2.2.1", () => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, n) => n));
  expect(hchacha20(key, Buffer.from("000000090000004a0000000031415927", "hex")).toString("hex")).toBe(
    "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc",
  );
});

test("a response with a low-order point fails, without a crash", async () => {
  await using server = await serveUdp((question, reply) => {
    const forged = Buffer.alloc(92);
    forged[0] = 2;
    question.copy(forged, 8, 4, 8);
    reply(forged);
  });
  expect(await check({ protocol: wireguard, ...server, settings })).toMatchObject({
    state: "mismatch",
    reason: "unexpected-answer",
  });
});

test("a MAC is BLAKE2s with a key, as Python's hashlib makes it", () => {
  // hashlib.blake2s(b"hello" * 40, digest_size=16, key=bytes(range(32)))
  const key = Buffer.from(Array.from({ length: 32 }, (_, n) => n));
  expect(mac(key, Buffer.from("hello".repeat(40))).toString("hex")).toBe("5c535f4fa70fa4785ceaf93f8256e1e1");
});

test("each initiation of a check has a later timestamp", async () => {
  const answer = responder(own, peer.open);
  await using server = await serveUdp((question, reply) => {
    const response = answer(question);
    if (response) reply(response);
  });
  const packets = { count: 5, spacingMs: 0 };
  expect(await check({ protocol: wireguard, ...server, settings: { ...settings, packets } })).toMatchObject({
    state: "open",
    lossPercent: 0,
  });
});

refuses(wireguard, [
  [{ serverPublicKey: text(own.open) }, "privateKey"],
  [{ privateKey: text(peer.secret) }, "serverPublicKey"],
  [{ presharedKey: text(peer.secret) }, "privateKey"],
  [{ ...settings, serverPublicKey: "short" }, "serverPublicKey"],
  [{ ...settings, serverPublicKey: text(Buffer.alloc(32)) }, "serverPublicKey"],
  [{ peer: "x" }, "peer"],
]);
