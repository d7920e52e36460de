import { describe, expect, test } from "vitest";
import { bgp } from "../../../shared/protocols/bgp.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";

const message = (type: number, body: readonly number[]) =>
  Buffer.concat([Buffer.alloc(16, 0xff), Buffer.from([0, 19 + body.length, type, ...body])]);
const OPEN = message(1, [4, 0x5b, 0xa0, 0, 180, 192, 0, 2, 9, 10, 2, 8, 2, 0, 65, 4, 0, 3, 0xd, 0x40]);
const KEEPALIVE = message(4, []);
const openOf = ({ version = 4, holdSeconds = 90, parameters = [0] }) =>
  message(1, [version, 0xfc, 0, 0, holdSeconds, 192, 0, 2, 9, ...parameters]);

protocolSuite("bgp", {
  protocol: bgp,
  good: answers(Buffer.concat([OPEN, KEEPALIVE])),
  expected: {
    facts: { "bgp.as": "200000", "bgp.routerId": "192.0.2.9" },
    evidence: { asn: 200_000, holdSeconds: 180, capabilities: ["route refresh", "four-octet AS"] },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    openOf({ version: 77 }),
    { says: openOf({ holdSeconds: 1 }), reason: "unexpected-answer" },
    { says: KEEPALIVE, reason: "unexpected-answer" },
    { says: message(3, [6, 8]), reason: "service-unavailable" },
  ],
  endless: [KEEPALIVE],
  halfBytes: 25,
});

describe("bgp", () => {
  test("a NOTIFICATION is an answer, unless OPEN is asked for", async () => {
    await using listening = await serveBytes(message(3, [6, 5]));
    expect(await check({ protocol: bgp, ...listening })).toMatchObject({
      state: "open",
      evidence: { notification: "6.5 cease, connection rejected" },
    });
    expect(await check({ protocol: bgp, ...listening, settings: { answer: "open" } })).toMatchObject({
      state: "mismatch",
      reason: "unexpected-answer",
    });
  });

  test("an echo of our own OPEN fails", async () => {
    await using listening = await serve((socket) => void socket.pipe(socket));
    expect(await check({ protocol: bgp, ...listening })).toMatchObject({ state: "mismatch", reason: "wrong-protocol" });
  });

  test.each([
    ["a hold time of 0", openOf({ holdSeconds: 0 }), { holdSeconds: 0, asn: 64_512 }],
    [
      "extended lengths",
      openOf({ parameters: [255, 255, 0, 9, 2, 0, 6, 65, 4, 0, 3, 0xd, 0x40] }),
      { asn: 200_000, capabilities: ["four-octet AS"] },
    ],
  ])("reads an OPEN with %s", async (_, says, evidence) => {
    await using listening = await serveBytes(says);
    expect(await check({ protocol: bgp, ...listening })).toMatchObject({ state: "open", evidence });
  });

  test("sends its AS number in four octets, and leaves with Cease", async () => {
    let received = Buffer.alloc(0);
    await using listening = await serve((socket) => {
      socket.on("data", (bytes) => {
        received = Buffer.concat([received, bytes]);
      });
      socket.once("data", () => socket.write(OPEN));
    });
    await check({ protocol: bgp, ...listening, settings: { asn: 4_200_000_000 } });
    expect(received.readUInt16BE(20)).toBe(23_456);
    expect(received.readUInt32BE(47)).toBe(4_200_000_000);
    await expect.poll(() => [...received.subarray(-3)]).toEqual([3, 6, 3]);
  });
});
