import { expect, test } from "vitest";
import { quic } from "../../../shared/protocols/quic.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

/** Version negotiation: both connection ids change places. Short or known-version datagrams get nothing, as the RFC says. */
const negotiate = (question: Buffer, versions = "1a2a3a4a000000016b3343cfff00001d"): Buffer | undefined => {
  if (question.length < 1200 || (question.readUInt32BE(1) & 0x0f0f0f0f) !== 0x0a0a0a0a) return undefined;
  const destination = question.subarray(5, 14);
  const source = question.subarray(14, 23);
  return Buffer.concat([Buffer.from("8000000000", "hex"), source, destination, Buffer.from(versions, "hex")]);
};

udpProtocolSuite("quic", {
  protocol: quic,
  good: (question, reply) => {
    const answer = negotiate(question);
    if (answer) reply(answer);
  },
  expected: { evidence: { versions: ["1", "2", "draft-29"] }, facts: { "quic.versions": "1, 2, draft-29" } },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(1200), Buffer.from("c0000000010000", "hex"), ""],
  foreign: (answer) => Buffer.concat([answer.subarray(0, 6), Buffer.alloc(8, 3), answer.subarray(14)]),
  // Each version after the first makes a longer list out of a whole one.
  enoughBytes: 27,
});

test("a missing required version fails", async () => {
  await using server = await serveUdp((question, reply) => reply(negotiate(question, "ff00001d")!));
  expect(await check({ protocol: quic, ...server, settings: { versions: ["1"] } })).toMatchObject({
    state: "mismatch",
    reason: "unexpected-answer",
    evidence: { versions: ["draft-29"] },
  });
});

test("a list with only our reserved version is invalid, beside real versions it is ignored", async () => {
  const ours = (question: Buffer) => question.toString("hex", 1, 5);
  await using server = await serveUdp((question, reply) => reply(negotiate(question, ours(question))!));
  expect(await check({ protocol: quic, ...server }, 250)).toMatchObject({ state: "open|filtered", health: "down" });
  await using lucky = await serveUdp((question, reply) => reply(negotiate(question, `${ours(question)}00000001`)!));
  expect(await check({ protocol: quic, ...lucky })).toMatchObject({ state: "open", evidence: { versions: ["1"] } });
});

refuses(quic, [
  [{ versions: [] }, "versions"],
  [{ versions: [1] }, "versions[0]"],
  [{ alpn: ["h3"] }, "alpn"],
]);
