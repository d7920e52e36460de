import { expect, test } from "vitest";
import { sip } from "../../../shared/protocols/sip.ts";
import { check } from "../../support/check.ts";
import { protocolSuite } from "../../support/protocol-suite.ts";
import { refuses } from "../../support/refuses.ts";
import { serve, serveUdp } from "../../support/servers.ts";
import { respond } from "../../support/sip-server.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const expected = {
  facts: { software: "Buoy/1.2" },
  evidence: { status: 200, reason: "OK", server: "Buoy/1.2", allow: "OPTIONS, INVITE" },
};
const swap = (pattern: RegExp, text: string) => (answer: Buffer) =>
  Buffer.from(answer.toString("latin1").replace(pattern, text));

udpProtocolSuite("sip by UDP", {
  protocol: sip,
  good: (question, reply) => reply(respond(question)),
  expected,
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SIP/2.0 OK\r\n\r\n", Buffer.alloc(30, 0xff), "x"],
  foreign: swap(/branch=z9hG4bK..../, "branch=z9hG4bKffff"),
  // The body belongs to the answer, but nothing in it is read.
  enoughBytes: respond(Buffer.from("OPTIONS sip:x SIP/2.0\r\n\r\n")).length,
});

protocolSuite("sip by TCP", {
  protocol: sip,
  settings: { transport: "tcp" },
  good: ({ socket, write }) =>
    void socket.once("data", (question) => write(Buffer.concat([Buffer.from("\r\n\r\n"), respond(question)]))),
  expected,
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SIP/2.0 OK\r\n\r\n", "220 mail.example.com ESMTP\r\n"],
  endless: ["Header: x\r\n", { first: "SIP/2.0 200 OK\r\n", forever: "Header: x\r\n" }, "\r\n"],
});

test.each([/Call-ID: ./, /CSeq: \d/])("an answer without our %s is ignored", async (pattern) => {
  await using server = await serveUdp((question, reply) =>
    reply(swap(pattern, `${pattern.source.slice(0, 4)}x`)(respond(question))),
  );
  expect(await check({ protocol: sip, ...server }, 250)).toMatchObject({ state: "open|filtered" });
});

test.each([
  [401, {}, "up", null],
  [404, {}, "up", null],
  [404, { status: [200, 401] }, "down", "unexpected-answer"],
  [503, {}, "degraded", "service-unavailable"],
  [603, { serverErrors: "down" }, "down", "service-unavailable"],
  [503, { serverErrors: "up" }, "up", null],
  [503, { status: [503] }, "up", null],
  [501, { serverErrors: "down" }, "up", null],
] as const)("status %i under %o is %s", async (status, settings, health, reason) => {
  await using server = await serveUdp((question, reply) => reply(respond(question, status)));
  expect(await check({ protocol: sip, ...server, settings })).toMatchObject({ health, reason });
});

test("short header names and folded lines are read", async () => {
  await using server = await serveUdp((question, reply) => {
    const text = respond(question).toString("latin1");
    reply(text.replace("Via:", "v:").replace("Call-ID:", "i:").replace(": Buoy/1.2", ":\r\n  Buoy/1.2"));
  });
  expect(await check({ protocol: sip, ...server })).toMatchObject({ state: "open", facts: { software: "Buoy/1.2" } });
});

test("by TCP a provisional response is skipped", async () => {
  await using server = await serve((socket) =>
    socket.once("data", (question) => {
      socket.write(respond(question, 100));
      socket.write(respond(question));
    }),
  );
  expect(await check({ protocol: sip, ...server, settings: { transport: "tcp" } })).toMatchObject(expected);
});

test("by UDP a provisional response and a request of the server are skipped", async () => {
  await using server = await serveUdp((question, reply) => {
    reply("OPTIONS sip:us@example.com SIP/2.0\r\n\r\n");
    reply(respond(question, 100));
    reply(respond(question));
  });
  expect(await check({ protocol: sip, ...server, settings: { status: [200] } })).toMatchObject(expected);
});

test("an announced body without end is not waited for", async () => {
  await using server = await serve((socket) =>
    socket.once("data", (question) =>
      socket.write(
        respond(question)
          .toString("latin1")
          .replace(/Content-Length: \d+/, "Content-Length: 999999999"),
      ),
    ),
  );
  expect(await check({ protocol: sip, ...server, settings: { transport: "tcp" } })).toMatchObject({
    state: "mismatch",
    reason: "answer-too-long",
  });
});

refuses(sip, [
  [{ uri: "example.com" }, "uri"],
  [{ uri: "sip:a\r\nX: y" }, "uri"],
  [{ from: "sip:a b" }, "from"],
  [{ status: [99] }, "status[0]"],
  [{ serverErrors: "no" }, "serverErrors"],
  [{ tls: {} }, "tls"],
  [{ transport: "ws" }, "transport"],
]);
