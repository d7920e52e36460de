import { describe, expect, test } from "vitest";
import { mqtt } from "../../../shared/protocols/mqtt.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serve, serveBytes } from "../../support/servers.ts";

protocolSuite("mqtt", {
  protocol: mqtt,
  good: answers(Buffer.from([0x20, 2, 0, 0])),
  expected: { facts: { "mqtt.version": "3.1.1", "mqtt.answer": "accepted" }, evidence: { connack: "accepted" } },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    " x",
    { says: Buffer.from([0x20, 2, 0, 3]), reason: "service-unavailable" },
    { says: Buffer.from([0x20, 2, 0, 1]), reason: "unexpected-answer" },
    { says: Buffer.from([0x20, 2, 0, 99]), reason: "unexpected-answer" },
    Buffer.from([0x20, 0xff, 0xff, 0xff, 0xff]),
  ],
});

describe("mqtt", () => {
  test.each([
    ["3.1.1", [0x20, 2, 0, 5]],
    ["5.0", [0x20, 3, 0, 0x87, 0]],
  ])("a %s broker that demands a login is open", async (version, bytes) => {
    await using listening = await serveBytes(Buffer.from(bytes));
    expect(await check({ protocol: mqtt, ...listening, settings: { version } })).toMatchObject({
      state: "open",
      evidence: { connack: "not authorized" },
    });
  });

  test.each([
    ["3.1.1", "with flags that are reserved", [0x20, 2, 2, 0]],
    ["3.1.1", "with properties", [0x20, 3, 0, 0, 0]],
    ["5.0", "without properties", [0x20, 2, 0, 0], "incomplete-answer"],
    ["5.0", "with fewer properties than it announces", [0x20, 3, 0, 0, 5]],
    ["5.0", "with a code of 3.1.1", [0x20, 3, 0, 4, 0]],
  ])("a %s CONNACK %s is wrong", async (version, _what, bytes, reason = "unexpected-answer") => {
    await using listening = await serveBytes(Buffer.from(bytes));
    expect(await check({ protocol: mqtt, ...listening, settings: { version } })).toMatchObject({
      state: "mismatch",
      reason,
    });
  });

  test.each([
    ["3.1.1", "5.0", [0x20, 3, 0, 0x84, 0]],
    ["5.0", "3.1.1", [0x20, 2, 0, 1]],
  ])("refused %s by a broker that knows %s alone", async (version, _other, bytes) => {
    await using listening = await serveBytes(Buffer.from(bytes), { end: true });
    expect(await check({ protocol: mqtt, ...listening, settings: { version } })).toMatchObject({
      reason: "unexpected-answer",
      message: expect.stringContaining(`the broker refuses MQTT ${version}: protocol version not`),
    });
  });

  test("disconnects", async () => {
    const received: Buffer[] = [];
    await using listening = await serve((socket) => {
      socket.on("data", (bytes) => received.push(bytes));
      socket.once("data", () => socket.write(Buffer.from([0x20, 2, 0, 0])));
    });
    await check({ protocol: mqtt, ...listening });
    await expect.poll(() => Buffer.concat(received).subarray(-2)).toEqual(Buffer.from([0xe0, 0]));
  });
});
