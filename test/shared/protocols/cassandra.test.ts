import { expect, test } from "vitest";
import { cassandra } from "../../../shared/protocols/cassandra.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";

const text = (value: string) => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
const frame = (opcode: number, body: Buffer, version = 0x84) =>
  Buffer.concat([Buffer.from([version, 0, 0, 1, opcode, 0, 0, 0, body.length]), body]);
const option = (name: string, ...values: string[]) =>
  Buffer.concat([text(name), Buffer.from([0, values.length]), ...values.map(text)]);
const errorBody = (code: number, message: string) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(code);
  return Buffer.concat([bytes, text(message)]);
};
const failure = (code: number, message: string) => frame(0, errorBody(code, message));
/** A frame of versions 1 and 2, whose stream id has one byte. */
const oldFrame = (body: Buffer) => Buffer.concat([Buffer.from([0x82, 0, 0, 0, 0, 0, 0, body.length]), body]);

protocolSuite("cassandra", {
  protocol: cassandra,
  good: answers(
    frame(
      6,
      Buffer.concat([
        Buffer.from([0, 3]),
        option("CQL_VERSION", "3.4.6"),
        option("COMPRESSION", "snappy", "lz4"),
        option("PROTOCOL_VERSIONS", "4/v4", "5/v5"),
      ]),
    ),
  ),
  expected: {
    evidence: {
      product: "Cassandra",
      cqlVersion: "3.4.6",
      protocolVersions: ["4/v4", "5/v5"],
      compression: ["snappy", "lz4"],
    },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    frame(6, Buffer.alloc(2), 0x04),
    { says: failure(0x1001, "overloaded"), reason: "service-unavailable" },
    { says: failure(0x0000, "java.lang.OutOfMemoryError"), reason: "service-unavailable" },
    { says: failure(0x1002, "bootstrapping"), reason: "service-unavailable" },
    { says: failure(0x0100, "bad credentials"), reason: "unexpected-answer" },
  ],
});

const UNSUPPORTED = "Invalid or unsupported protocol version: 4";
test.each([
  ["3", failure(0x000a, UNSUPPORTED)],
  [
    "2.1",
    failure(
      0x0000,
      `io.netty.handler.codec.DecoderException: org.apache.cassandra.transport.ProtocolException: ${UNSUPPORTED}`,
    ),
  ],
  ["2.0", oldFrame(errorBody(0x000a, UNSUPPORTED))],
])("a node of another protocol version says so, and is open: Cassandra %s", async (_, answer) => {
  await using listening = await serveBytes(answer, { end: true });
  expect(await check({ protocol: cassandra, ...listening })).toMatchObject({ state: "open" });
});
