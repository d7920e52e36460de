import { expect, test } from "vitest";
import { openvpn } from "../../../shared/protocols/openvpn.ts";
import { check } from "../../support/check.ts";
import { protocolSuite } from "../../support/protocol-suite.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

/** P_CONTROL_HARD_RESET_SERVER_V2: own session, one acknowledgement of packet 0 of ours, packet id 0. */
const reset = (question: Buffer) =>
  Buffer.concat([
    Buffer.of(8 << 3),
    Buffer.alloc(8, 0x5e),
    Buffer.of(1, 0, 0, 0, 0),
    question.subarray(1, 9),
    Buffer.alloc(4),
  ]);
const framed = (packet: Buffer) => Buffer.concat([Buffer.of(0, packet.length), packet]);
const expected = { evidence: { answer: "server reset" } };

udpProtocolSuite("openvpn by UDP", {
  protocol: openvpn,
  good: (question, reply) => question.length === 14 && question[0] === 0x38 && reply(reset(question)),
  expected,
  wrong: ["\x16\x03\x01", Buffer.alloc(30), Buffer.alloc(30, 0xff), ""],
  foreign: (answer) => Buffer.concat([answer.subarray(0, 14), Buffer.alloc(8, 1), answer.subarray(22)]),
});

protocolSuite("openvpn by TCP", {
  protocol: openvpn,
  settings: { transport: "tcp" },
  good: ({ socket, write }) => void socket.once("data", (question) => write(framed(reset(question.subarray(2))))),
  expected,
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", Buffer.from("000401020304", "hex")],
});

test("an acknowledgement counts only for our session", async () => {
  const acknowledge = (question: Buffer) => {
    const packet = reset(question).subarray(0, 22);
    packet[0] = 5 << 3;
    return packet;
  };
  await using server = await serveUdp((question, reply) => reply(acknowledge(question)));
  const outcome = await check({ protocol: openvpn, ...server });
  expect(outcome).toMatchObject({ state: "open", health: "up", evidence: { answer: "acknowledgement" } });
  await using stranger = await serveUdp((_question, reply) => reply(acknowledge(Buffer.alloc(14, 9))));
  expect(await check({ protocol: openvpn, ...stranger }, 150)).toMatchObject({ state: "open|filtered" });
});

test("the silence of a server with tls-auth is explained", async () => {
  await using server = await serveUdp(() => {});
  const outcome = await check({ protocol: openvpn, ...server, settings: { silence: "unknown" } }, 150);
  expect(outcome).toMatchObject({ state: "open|filtered", health: "unknown" });
  expect(outcome.message).toContain("tls-auth");
});

refuses(openvpn, [
  [{ transport: "quic" }, "transport"],
  [{ tlsAuth: "key" }, "tlsAuth"],
  [{ transport: "tcp", lossPercent: {} }, "lossPercent"],
  [{ packets: { spacingMs: -1 } }, "packets.spacingMs"],
]);
