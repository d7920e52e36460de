import { createSocket } from "node:dgram";
import { expect, test } from "vitest";
import { tftp } from "../../../shared/protocols/tftp.ts";
import { check } from "../../support/check.ts";
import { refuses } from "../../support/refuses.ts";
import { serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const error = (code: number, text: string) => Buffer.from(`\0\x05\0${String.fromCharCode(code)}${text}\0`, "latin1");
const data = (block: number, text: string) => Buffer.from(`\0\x03\0${String.fromCharCode(block)}${text}`, "latin1");

udpProtocolSuite("tftp", {
  protocol: tftp,
  good: (question, reply) => question.subarray(0, 2).toString("hex") === "0001" && reply(error(1, "File not found")),
  expected: { evidence: { answer: "error", code: 1, message: "File not found" } },
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(40), Buffer.alloc(600, 3), ""],
});

/** A server as it should be: each answer comes from a port of its own. @param address to answer from */
const serveFromNewPort = (answer: Buffer, address = "127.0.0.1") =>
  serveUdp((_question, _reply, from) => {
    const transfer = createSocket("udp4");
    transfer.bind(0, address, () => transfer.send(answer, from.port, from.address, () => transfer.close()));
  });

test("answers from another port are accepted", async () => {
  await using server = await serveFromNewPort(data(1, "soundings"));
  expect(await check({ protocol: tftp, ...server, settings: { expect: "file" } })).toMatchObject({
    state: "open",
    health: "up",
    evidence: { answer: "data", bytes: 9 },
  });
  expect(server.received[0]!.toString("latin1")).toBe("\0\x01harborlight-check\0octet\0");
});

test("answers from another address are ignored", async () => {
  await using server = await serveFromNewPort(data(1, "soundings"), "127.0.0.2");
  expect(await check({ protocol: tftp, ...server }, 250)).toMatchObject({ state: "open|filtered" });
});

test.each([
  [error(1, "File not found"), "missing", "up"],
  [error(0, "No such file"), "missing", "up"],
  [error(2, "Access violation"), "any", "up"],
  [error(2, "Access violation"), "missing", "down"],
  [error(1, "File not found"), "file", "down"],
  [data(1, ""), "file", "up"],
  [data(1, "here"), "missing", "down"],
  // Nobody asked for options.
  [Buffer.from("\0\x06blksize\x001432\0", "latin1"), "any", "down"],
  [Buffer.from("0006ffff", "hex"), "any", "down"],
] as const)("answer %# expecting %s is %s", async (answer, wanted, health) => {
  await using server = await serveFromNewPort(answer);
  expect(await check({ protocol: tftp, ...server, settings: { expect: wanted } })).toMatchObject({ health });
});

refuses(tftp, [
  [{ file: "a\0b" }, "file"],
  [{ mode: "mail" }, "mode"],
  [{ expect: "directory" }, "expect"],
  [{ blockSize: 8 }, "blockSize"],
]);
