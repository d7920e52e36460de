import { expect, test } from "vitest";
import { amqp } from "../../../shared/protocols/amqp.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serveBytes } from "../../support/servers.ts";

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const name = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const long = (text: string) => Buffer.concat([u32(text.length), Buffer.from(text)]);
const table = (...fields: Buffer[]) => Buffer.concat([u32(Buffer.concat(fields).length), ...fields]);
const field = (key: string, type: string, value: Buffer) => Buffer.concat([name(key), Buffer.from(type), value]);

const frame = (payload: Buffer) =>
  Buffer.concat([Buffer.from([1, 0, 0]), u32(payload.length), payload, Buffer.from([0xce])]);
const START = frame(
  Buffer.concat([
    Buffer.from([0, 10, 0, 10, 0, 9]),
    table(
      field("capabilities", "F", table(field("basic.nack", "t", Buffer.from([1])))),
      field("product", "S", long("RabbitMQ")),
      field("version", "S", long("3.10.8")),
      field("platform", "S", long("Erlang/OTP 25")),
      field("ticks", "l", Buffer.alloc(8)),
    ),
    long("PLAIN AMQPLAIN"),
    long("en_US"),
  ]),
);

protocolSuite("amqp", {
  protocol: amqp,
  good: answers(START),
  expected: {
    facts: { software: "RabbitMQ 3.10.8", "amqp.version": "0-9" },
    evidence: { product: "RabbitMQ 3.10.8", mechanisms: "PLAIN AMQPLAIN" },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    frame(Buffer.from([0, 10, 0, 50])),
    "AMQP\x00\x00\x09\x01",
    { says: "AMQP9999", reason: "unexpected-answer" },
    {
      says: frame(Buffer.concat([Buffer.from([0, 10, 0, 10, 0, 9]), table(field("x", "?", Buffer.alloc(1)))])),
      reason: "unexpected-answer",
    },
  ],
});

test.each([
  ["01 01 08 00", "AMQP 0-8", "none"],
  ["01 01 00 09", "AMQP 0-9", "none"],
  ["01 01 00 0a", "AMQP 0-10", "none"],
  ["00 01 00 00", "AMQP 1.0", "none"],
  ["02 01 00 00", "AMQP 1.0", "TLS"],
])("the header %s is %s", async (header, protocol, security) => {
  await using listening = await serveBytes(Buffer.from(`414d5150${header.replaceAll(" ", "")}`, "hex"));
  expect(await check({ protocol: amqp, ...listening })).toMatchObject({
    state: "open",
    evidence: { protocol, security },
  });
});

test("a broker of the other version answers with its header", async () => {
  await using listening = await serveBytes(Buffer.from("AMQP\x03\x01\x00\x00", "latin1"));
  for (const version of ["0-9-1", "1.0"])
    expect(await check({ protocol: amqp, ...listening, settings: { version } })).toMatchObject({
      state: "open",
      evidence: { protocol: "AMQP 1.0", security: "SASL" },
    });
});
