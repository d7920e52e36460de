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
const failure = (code: number, message: string) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(code);
  return frame(0, Buffer.concat([bytes, text(message)]));
};

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
    { says: failure(0x1002, "bootstrapping"), reason: "service-unavailable" },
    { says: failure(0x0100, "bad credentials"), reason: "unexpected-answer" },
  ],
});

test("a node of another protocol version says so, and is open", async () => {
  await using listening = await serveBytes(failure(0x000a, "Invalid or unsupported protocol version (4)"));
  expect(await check({ protocol: cassandra, ...listening })).toMatchObject({ state: "open" });
});
