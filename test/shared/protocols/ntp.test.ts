import { expect, test } from "vitest";
import { ntp } from "../../../shared/protocols/ntp.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const UNIX_EPOCH_SECONDS = 2_208_988_800;

interface Clock {
  readonly stratum?: number;
  readonly leap?: number;
  readonly aheadMs?: number;
  readonly reference?: string;
  readonly dispersionSeconds?: number;
}
/** A server's answer as RFC 5905 has it. */
const answer = (
  question: Buffer,
  { stratum = 2, leap = 0, aheadMs = 0, reference, dispersionSeconds = 0 }: Clock = {},
) => {
  const packet = Buffer.alloc(48);
  packet[0] = (leap << 6) | (4 << 3) | 4;
  packet[1] = stratum;
  packet.writeUInt32BE(0x00000a00, 4);
  packet.writeUInt32BE(Math.round(dispersionSeconds * 65_536), 8);
  packet.set(reference ? Buffer.from(reference) : [192, 0, 2, 1], 12);
  question.copy(packet, 24, 40, 48);
  const now = Date.now() + aheadMs;
  for (const at of [32, 40]) {
    packet.writeUInt32BE((Math.floor(now / 1000) + UNIX_EPOCH_SECONDS) % 2 ** 32, at);
    packet.writeUInt32BE(Math.floor(((((now % 1000) + 1000) % 1000) / 1000) * 2 ** 32), at + 4);
  }
  return packet;
};
const serving = (clock: Clock) => serveUdp((question, reply) => reply(answer(question, clock)));

udpProtocolSuite("ntp", {
  protocol: ntp,
  good: (question, reply) => reply(answer(question)),
  expected: { evidence: { version: 4, stratum: 2, leap: "none", reference: "192.0.2.1" } },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(48), Buffer.alloc(90, 0x23), ""],
  foreign: (packet) => Buffer.concat([packet.subarray(0, 24), Buffer.alloc(8, 7), packet.subarray(32)]),
});

test("the offset of a server's clock is measured, and its threshold applies in both directions", async () => {
  for (const aheadMs of [5000, -5000]) {
    await using server = await serving({ aheadMs });
    const settings = { offsetMs: { degradedAbove: 1000, downAbove: 60_000 } };
    const outcome = await check({ protocol: ntp, ...server, settings });
    expect(outcome).toMatchObject({ state: "open", health: "degraded", reason: "poor-quality" });
    expect(Math.abs((outcome.evidence.offsetMs as number) - aheadMs)).toBeLessThan(500);
    expect(await check({ protocol: ntp, ...server, settings: { offsetMs: { downAbove: 1000 } } })).toMatchObject({
      state: "mismatch",
      reason: "unexpected-answer",
    });
  }
});

test("a clock that is decades off is measured, too", async () => {
  const decadesMs = 40 * 365.25 * 86_400_000;
  await using server = await serving({ aheadMs: -decadesMs });
  const { evidence } = await check({ protocol: ntp, ...server });
  expect(Math.abs((evidence.offsetMs as number) + decadesMs)).toBeLessThan(5000);
});

test.each([
  [{ stratum: 0, reference: "RATE" }, {}, "RATE"],
  [{ stratum: 0, reference: "DENY" }, {}, "DENY"],
  [{ leap: 3 }, {}, "not synchronised"],
  [{ stratum: 16 }, {}, "not synchronised"],
  [{ stratum: 0, leap: 3, reference: "INIT" }, {}, "it has not yet synchronised for the first time"],
  [{ stratum: 0, leap: 3, reference: "\0\0\0\0" }, {}, "it names no source"],
] as const)("service-unavailable for %o", async (clock, settings, words) => {
  await using server = await serving(clock);
  const outcome = await check({ protocol: ntp, ...server, settings });
  expect(outcome).toMatchObject({ state: "mismatch", health: "down", reason: "service-unavailable" });
  expect(outcome.message).toContain(words);
});

test.each([
  [{ leap: 3 }, { unsynchronised: "degraded" }, "degraded"],
  [{ leap: 3 }, { unsynchronised: "up" }, "up"],
  [{ stratum: 0, leap: 3, reference: "INIT" }, { unsynchronised: "up" }, "up"],
  [{ stratum: 9 }, { stratum: { degradedAbove: 5 } }, "degraded"],
  [{ dispersionSeconds: 2 }, { rootDispersionMs: { degradedAbove: 1000 } }, "degraded"],
  [{ dispersionSeconds: 2 }, { rootDispersionMs: { downAbove: 1000 } }, "down"],
] as const)("%o under %o is %s", async (clock, settings, health) => {
  await using server = await serving(clock);
  expect(await check({ protocol: ntp, ...server, settings })).toMatchObject({ health });
});

test("an answer without a time fails", async () => {
  await using server = await serveUdp((question, reply) => reply(answer(question).fill(0, 32)));
  expect(await check({ protocol: ntp, ...server })).toMatchObject({ state: "mismatch", reason: "unexpected-answer" });
});

refuses(ntp, [
  [{ stratum: { downAbove: -1 } }, "stratum.downAbove"],
  [{ unsynchronised: "maybe" }, "unsynchronised"],
  [{ packets: { count: 0 } }, "packets.count"],
  [{ lossPercent: { downAbove: 101 } }, "lossPercent.downAbove"],
  [{ silence: "loud" }, "silence"],
  [{ nonsense: 1 }, "nonsense"],
]);
