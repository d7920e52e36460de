import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { radius } from "../../../shared/protocols/radius.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const SECRET = "quay";
/** As RFC 5997 has it: a wrong Message-Authenticator is not answered. */
const respond = (question: Buffer, code = 2, secret = SECRET): Buffer | undefined => {
  const unsigned = Buffer.from(question);
  unsigned.fill(0, 22, 38);
  if (!createHmac("md5", secret).update(unsigned).digest().equals(question.subarray(22, 38))) return undefined;
  const message = Buffer.from("all ships in");
  const packet = Buffer.concat([
    Buffer.of(code, question[1]!, 0, 0),
    question.subarray(4, 20),
    Buffer.of(80, 18),
    Buffer.alloc(16),
    Buffer.of(18, message.length + 2),
    message,
  ]);
  packet.writeUInt16BE(packet.length, 2);
  createHmac("md5", secret).update(packet).digest().copy(packet, 22);
  createHash("md5").update(packet).update(secret).digest().copy(packet, 4);
  return packet;
};

udpProtocolSuite("radius", {
  protocol: radius,
  settings: { secret: SECRET },
  good: (question, reply) => {
    const answer = respond(question);
    if (answer) reply(answer);
  },
  expected: { evidence: { code: "Access-Accept", message: "all ships in", messageAuthenticator: true } },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(20), Buffer.from("0200000000", "hex"), ""],
  foreign: (answer) => Buffer.concat([answer.subarray(0, 1), Buffer.of((answer[1]! + 100) & 255), answer.subarray(2)]),
});

test("a server with another secret does not answer, and the message says why", async () => {
  await using server = await serveUdp((question, reply) => {
    const answer = respond(question, 2, "another");
    if (answer) reply(answer);
  });
  const outcome = await check({ protocol: radius, ...server, settings: { secret: SECRET } }, 250);
  expect(outcome).toMatchObject({ state: "open|filtered", health: "down" });
  expect(outcome.message).toContain("wrong secret");
});

test("an answer signed with another secret fails", async () => {
  await using server = await serveUdp((question, reply) => {
    const answer = respond(question)!;
    answer[5]! ^= 1;
    reply(answer);
  });
  expect(await check({ protocol: radius, ...server, settings: { secret: SECRET } })).toMatchObject({
    state: "mismatch",
    reason: "unexpected-answer",
  });
});

test("Accounting-Response is open, Protocol-Error is service-unavailable", async () => {
  await using accounting = await serveUdp((question, reply) => reply(respond(question, 5)!));
  expect(await check({ protocol: radius, ...accounting, settings: { secret: SECRET } })).toMatchObject({
    state: "open",
    evidence: { code: "Accounting-Response" },
  });
  await using troubled = await serveUdp((question, reply) => reply(respond(question, 52)!));
  expect(await check({ protocol: radius, ...troubled, settings: { secret: SECRET } })).toMatchObject({
    reason: "service-unavailable",
  });
});

refuses(radius, [
  [{}, "secret"],
  [{ secret: "" }, "secret"],
  [{ secret: "s", nasIdentifier: "two\nlines" }, "nasIdentifier"],
  [{ secret: "s", packets: { count: 1.5 } }, "packets.count"],
  [{ secret: "s", port: 1 }, "port"],
]);
