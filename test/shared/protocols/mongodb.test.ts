import { describe, expect, test } from "vitest";
import { mongodb } from "../../../shared/protocols/mongodb.ts";
import { check } from "../../support/check.ts";
import { answers, protocolSuite } from "../../support/protocol-suite.ts";
import { serve } from "../../support/servers.ts";

/** A BSON document of elements that are encoded already. */
const rich = (fields: Buffer) => {
  const body = Buffer.concat([fields, Buffer.from([0])]);
  const size = Buffer.alloc(4);
  size.writeInt32LE(body.length + 4);
  return Buffer.concat([size, body]);
};
const one = Buffer.alloc(8);
one.writeDoubleLE(1);
const OK = Buffer.concat([Buffer.from("\x01ok\0"), one]);
const flag = (name: string, value: boolean) => Buffer.from(`\x08${name}\0${value ? "\x01" : "\x00"}`);
const int = (name: string, value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return Buffer.concat([Buffer.from(`\x10${name}\0`), bytes]);
};
const text = (name: string, value: string) => {
  const size = Buffer.alloc(4);
  size.writeInt32LE(value.length + 1);
  return Buffer.concat([Buffer.from(`\x02${name}\0`), size, Buffer.from(`${value}\0`)]);
};
const date = Buffer.concat([Buffer.from("\x09localTime\0"), Buffer.alloc(8, 1)]);
const list = Buffer.concat([Buffer.from("\x04hosts\0"), rich(text("0", "a:27017"))]);
const id = Buffer.concat([Buffer.from("\x07electionId\0"), Buffer.alloc(12, 2)]);

const message = (respondsTo: number, document: Buffer) => {
  const head = Buffer.alloc(21);
  head.writeInt32LE(21 + document.length, 0);
  head.writeInt32LE(77, 4);
  head.writeInt32LE(respondsTo, 8);
  head.writeInt32LE(2013, 12);
  return Buffer.concat([head, document]);
};

const PRIMARY = rich(
  Buffer.concat([
    flag("isWritablePrimary", true),
    date,
    list,
    id,
    text("setName", "rs0"),
    int("maxWireVersion", 21),
    OK,
  ]),
);
const SECONDARY = rich(
  Buffer.concat([
    flag("isWritablePrimary", false),
    flag("secondary", true),
    text("setName", "rs0"),
    int("maxWireVersion", 21),
    OK,
  ]),
);
const BUILD = rich(Buffer.concat([text("version", "7.0.5"), OK]));
const refusal = (code: number, errmsg: string) =>
  rich(Buffer.concat([int("ok", 0), int("code", code), text("errmsg", errmsg)]));

protocolSuite("mongodb", {
  protocol: mongodb,
  good: answers(message(1, PRIMARY), message(3, BUILD)),
  expected: {
    facts: { software: "MongoDB 7.0.5" },
    evidence: { role: "primary", version: "7.0.5", replicaSet: "rs0" },
  },
  wrong: [
    "SSH-2.0-OpenSSH_9.2\r\n",
    message(9, PRIMARY),
    { says: message(1, refusal(11600, "interrupted at shutdown")), reason: "service-unavailable" },
    { says: message(1, refusal(13, "unauthorized")), reason: "unexpected-answer" },
  ],
});

describe("mongodb", () => {
  const serveWith = (...replies: Buffer[]) =>
    serve((socket) => answers(...replies)({ socket, write: (data) => socket.write(data), end: () => {} }));

  test("sends isMaster to an old server, and needs no buildInfo", async () => {
    await using listening = await serveWith(
      message(1, refusal(59, "no such command: 'hello'")),
      message(2, rich(Buffer.concat([flag("ismaster", true), int("maxWireVersion", 8), OK]))),
      message(3, refusal(13, "not authorized")),
    );
    expect(await check({ protocol: mongodb, ...listening })).toMatchObject({
      state: "open",
      facts: { software: "MongoDB, wire version 8" },
      evidence: { role: "standalone" },
    });
  });

  test("ok may be a boolean, beside a decimal number", async () => {
    const decimal = Buffer.concat([Buffer.from("\x13load\0"), Buffer.alloc(16, 0x30)]);
    const hello = rich(Buffer.concat([decimal, flag("isWritablePrimary", true), flag("ok", true)]));
    await using listening = await serveWith(message(1, hello), message(3, BUILD));
    expect(await check({ protocol: mongodb, ...listening })).toMatchObject({
      state: "open",
      evidence: { role: "standalone", version: "7.0.5" },
    });
  });

  test("a secondary is not writable", async () => {
    await using listening = await serveWith(message(1, SECONDARY), message(3, BUILD));
    expect(await check({ protocol: mongodb, ...listening, settings: { role: "writable" } })).toMatchObject({
      state: "mismatch",
      reason: "unexpected-answer",
      evidence: { role: "secondary" },
    });
  });
});
