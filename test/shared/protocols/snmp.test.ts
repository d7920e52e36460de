import { expect, test } from "vitest";
import { snmp } from "../../../shared/protocols/snmp.ts";
import {
  element,
  expectNext,
  integer,
  next,
  objectId,
  octets,
  toInteger,
  toObjectId,
} from "../../../shared/wire/ber.ts";
import { Cursor } from "../../../shared/wire/cursor.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const SEQUENCE = 0x30;
const SYS_DESCR = "1.3.6.1.2.1.1.1.0";

interface Asked {
  readonly version: number;
  readonly community: string;
  readonly id: number;
  readonly oid: string;
}
const parse = (question: Buffer): Asked => {
  const message = expectNext(new Cursor(question, "question"), SEQUENCE, "question");
  const version = toInteger(expectNext(message, 2, "question"));
  const community = expectNext(message, 4, "question").bytes.toString();
  const pdu = next(message, "question").content;
  const id = toInteger(expectNext(pdu, 2, "question"));
  expectNext(pdu, 2, "question");
  expectNext(pdu, 2, "question");
  const binding = expectNext(expectNext(pdu, SEQUENCE, "question"), SEQUENCE, "question");
  return { version, community, id, oid: toObjectId(expectNext(binding, 6, "question")) };
};
const response = ({ version, community, id, oid }: Asked, value: Buffer, error = 0, pdu = 0xa2) => {
  const bindings = element(SEQUENCE, element(SEQUENCE, objectId(oid), value));
  return element(
    SEQUENCE,
    integer(version),
    octets(community),
    element(pdu, integer(id), integer(error), integer(0), bindings),
  );
};
const answering = (value: Buffer, error = 0) =>
  serveUdp((question, reply) => reply(response(parse(question), value, error)));

udpProtocolSuite("snmp v2c", {
  protocol: snmp,
  good: (question, reply) => reply(response(parse(question), octets("Harbour light 1.2"))),
  expected: {
    facts: { "snmp.description": "Harbour light 1.2" },
    evidence: { version: "2c", oid: SYS_DESCR, value: "Harbour light 1.2" },
  },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(40), Buffer.from("3003020104", "hex"), ""],
  foreign: (answer) => {
    const other = Buffer.from(answer);
    const id = answer.indexOf(Buffer.from([0xa2])) + 4;
    other[id + 1]! ^= 0x15;
    return other;
  },
});

const engineId = Buffer.from("80001f8804706965722d37", "hex");
/** The report of RFC 3414, section 4, for the message id of the question. */
const report = (question: Buffer, engine = engineId, idOffset = 0) => {
  const message = expectNext(new Cursor(question, "question"), SEQUENCE, "question");
  expectNext(message, 2, "question");
  const id = toInteger(expectNext(expectNext(message, SEQUENCE, "question"), 2, "question")) + idOffset;
  const head = element(SEQUENCE, integer(id), integer(1400), octets(Buffer.of(0)), integer(3));
  const security = element(SEQUENCE, octets(engine), integer(7), integer(3600), octets(""), octets(""), octets(""));
  const binding = element(SEQUENCE, objectId("1.3.6.1.6.3.15.1.1.4.0"), element(0x41, Buffer.of(9)));
  const pdu = element(0xa8, integer(id), integer(0), integer(0), element(SEQUENCE, binding));
  return element(SEQUENCE, integer(3), head, octets(security), element(SEQUENCE, octets(engine), octets(""), pdu));
};

udpProtocolSuite("snmp v3", {
  protocol: snmp,
  settings: { version: "3" },
  good: (question, reply) => reply(report(question)),
  expected: {
    facts: { "snmp.engineId": engineId.toString("hex") },
    evidence: { enterprise: 8072, engineText: "pier-7", boots: 7, uptimeSeconds: 3600 },
  },
  wrong: ["SSH-2.0-OpenSSH_9.2\r\n", Buffer.from("300602010004003000", "hex")],
});

test("a report with another message id is ignored", async () => {
  await using server = await serveUdp((question, reply) => reply(report(question, engineId, 1)));
  expect(await check({ protocol: snmp, ...server, settings: { version: "3" } }, 250)).toMatchObject({
    state: "open|filtered",
  });
});

const text = octets("1.5");
/** With a zero byte in front, as BER wants it of a positive number. */
const counter64 = (value: bigint) => element(0x46, Buffer.from(value.toString(16).padStart(18, "0"), "hex"));
test.each([
  [integer(-5), { expect: { equals: "-5" } }, "up", null],
  [integer(70_000), { expect: { min: 70_000, max: 70_000 } }, "up", null],
  [integer(70_001), { expect: { max: 70_000 } }, "down", "unexpected-answer"],
  [text, { expect: { min: 2 } }, "down", "unexpected-answer"],
  [text, { expect: { contains: "5" } }, "up", null],
  [octets("text"), { expect: { min: 0 } }, "down", "unexpected-answer"],
  [element(0x46, Buffer.from("00ffffffffffffffff", "hex")), { expect: { min: 1e19 } }, "up", null],
  [counter64(2n ** 53n + 1n), { expect: { equals: "9007199254740993" } }, "up", null],
  [counter64(10_278_103_404_544_123_456n), { expect: { equals: "10278103404544123456" } }, "up", null],
  [counter64(2n ** 64n - 1n), { expect: { equals: "18446744073709551615" } }, "up", null],
  [counter64(2n ** 53n + 1n), { expect: { max: 2 ** 53 } }, "down", "unexpected-answer"],
  // Without the zero byte in front, as some agents send it, and as net-snmp reads it.
  [element(0x46, Buffer.from("ffffffffffffffff", "hex")), { expect: { equals: "18446744073709551615" } }, "up", null],
  [element(0x41, Buffer.from("ffffffff", "hex")), { expect: { equals: "4294967295" } }, "up", null],
  [element(0x42, Buffer.from("0080000000", "hex")), { expect: { equals: "2147483648" } }, "up", null],
  [element(0x43, Buffer.from("00ffffffff", "hex")), { expect: { equals: "4294967295" } }, "up", null],
  [element(0x02, Buffer.from("80000000", "hex")), { expect: { equals: "-2147483648" } }, "up", null],
  [element(0x44, Buffer.from("9f78043dcccccd", "hex")), { expect: { equals: "0.1" } }, "up", null],
  [element(0x44, Buffer.from("9f79083fb999999999999a", "hex")), { expect: { max: 0.1 } }, "up", null],
  [element(0x44, Buffer.from("9f7a08ffffffffffffffff", "hex")), { expect: { equals: "-1" } }, "up", null],
  [element(0x44, Buffer.from("9f7608ffffffffffffffff", "hex")), { expect: { min: 1e19 } }, "up", null],
  [element(0x45, Buffer.from("4700", "hex")), { expect: { equals: "4700" } }, "up", null],
  [element(0x46, Buffer.alloc(10, 1)), {}, "down", "wrong-protocol"],
  [element(0x06, Buffer.from("2b90808080807f", "hex")), {}, "down", "wrong-protocol"],
  [element(0x47, Buffer.of(5)), { expect: { equals: "5" } }, "up", null],
  [element(0x40, Buffer.of(192, 0, 2, 1)), { expect: { equals: "192.0.2.1" } }, "up", null],
  [objectId("1.3.6.1.4.1.8072.3.2.10"), { expect: { equals: "1.3.6.1.4.1.8072.3.2.10" } }, "up", null],
  [octets(Buffer.of(0, 1, 0xfe)), { expect: { equals: "0001fe" } }, "up", null],
  [element(0x80), {}, "up", null],
  [element(0x81), { expect: {} }, "down", "unexpected-answer"],
])("the value %# is judged", async (value, more, health, reason) => {
  await using server = await answering(value);
  const settings = { version: "1", oid: ".1.3.6.1.2.1.1.3.0", packets: { count: 1 }, ...more };
  expect(await check({ protocol: snmp, ...server, settings })).toMatchObject({ health, reason });
});

test("agent errors: a missing name is an answer, a general error is service-unavailable", async () => {
  await using missing = await answering(element(5), 2);
  expect(await check({ protocol: snmp, ...missing, settings: { version: "1" } })).toMatchObject({
    state: "open",
    evidence: { value: "no such name" },
  });
  await using unwell = await answering(element(5), 5);
  expect(await check({ protocol: snmp, ...unwell })).toMatchObject({
    state: "mismatch",
    reason: "service-unavailable",
  });
});

test("a report is refused as the answer to versions 1 and 2c", async () => {
  await using server = await serveUdp((question, reply) => reply(response(parse(question), element(5), 16, 0xa8)));
  for (const version of ["1", "2c"])
    expect(await check({ protocol: snmp, ...server, settings: { version } })).toMatchObject({
      state: "mismatch",
      reason: "wrong-protocol",
    });
});

refuses(snmp, [
  [{ version: "4" }, "version"],
  [{ version: "3", community: "public" }, "community"],
  [{ oid: "sysDescr.0" }, "oid"],
  [{ community: "a\nb" }, "community"],
  [{ expect: { above: 1 } }, "expect.above"],
  [{ expect: { min: 10, max: 1 } }, "expect.max"],
  [{ packets: { spacingMs: "fast" } }, "packets.spacingMs"],
]);
