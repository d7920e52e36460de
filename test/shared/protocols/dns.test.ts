import { expect, test } from "vitest";
import { dns } from "../../../shared/protocols/dns.ts";
import { check } from "../../support/check.ts";
import { protocolSuite } from "../../support/protocol-suite.ts";
import { refuses } from "../../support/refuses.ts";
import { serve, serveUdp } from "../../support/servers.ts";
import { udpProtocolSuite } from "../../support/udp-suite.ts";

const A = 1;
const AAAA = 28;
/** A record of the asked name: a pointer to the question. */
const record = (type: number, data: Buffer) => {
  const head = Buffer.from("c00c000000010000003c0000", "hex");
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
};
const address = (text: string) => record(A, Buffer.from(text.split(".").map(Number)));
const LONG = "k".repeat(250);
/** "evil.test" or the like, in full. */
const of = (name: string, answer: Buffer) =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.from(String.fromCharCode(label.length) + label)),
    Buffer.of(0),
    answer.subarray(2),
  ]);
const respond = (question: Buffer, records: readonly Buffer[] = [], { rcode = 0, truncated = false } = {}) => {
  const head = Buffer.from(question.subarray(0, 12));
  head[2] = 0x84 | (truncated ? 2 : 0) | (head[2]! & 1);
  head[3] = 0x80 | rcode;
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(0, 10);
  const end = question.indexOf(0, 12) + 5;
  return Buffer.concat([head, question.subarray(12, end), ...records]);
};
const settings = { name: "www.example.test", type: "A", answers: ["192.0.2.7"] };
const expected = { evidence: { rcode: "NOERROR", answers: ["192.0.2.7"], flags: "aa rd ra" } };
const overTcp = (message: Buffer) => Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);

udpProtocolSuite("dns by UDP", {
  protocol: dns,
  settings,
  good: (question, reply) => reply(respond(question, [address("192.0.2.7")])),
  expected,
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", Buffer.alloc(12), Buffer.alloc(40), "x", ""],
  foreign: (answer) => Buffer.concat([Buffer.of(answer[0]! ^ 0x40), answer.subarray(1)]),
});

protocolSuite("dns by TCP", {
  protocol: dns,
  settings: { ...settings, transport: "tcp" },
  good: ({ socket, write }) =>
    void socket.once("data", (data) => write(overTcp(respond(data.subarray(2), [address("192.0.2.7")])))),
  expected,
  wrong: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", Buffer.alloc(20)],
});

protocolSuite("dns by TLS", {
  protocol: dns,
  settings: { ...settings, transport: "tcp", tls: {} },
  secure: true,
  good: ({ socket, write }) =>
    void socket.once("data", (data) => write(overTcp(respond(data.subarray(2), [address("192.0.2.7")])))),
  expected,
  wrong: [],
});

const two = [address("192.0.2.7"), address("192.0.2.8")];
test.each([
  [two, { answers: ["192.0.2.8"] }, "up"],
  [two, { answers: ["192.0.2.8"], match: "exact" }, "down"],
  [two, { answers: ["192.0.2.8", "192.0.2.7"], match: "exact" }, "up"],
  [two, { answers: ["192.0.2.9", "192.0.2.7"] }, "down"],
  [two, { answers: ["192.0.2.9", "192.0.2.7"], match: "any" }, "up"],
  [[], { answers: ["192.0.2.9"] }, "down"],
  [
    [record(AAAA, Buffer.from("20010db8000000000000000000000007", "hex"))],
    { type: "AAAA", answers: ["2001:0DB8:0::7"] },
    "up",
  ],
  [[record(15, Buffer.from("000a046d61696cc010", "hex"))], { type: "MX", answers: ["10 MAIL.example.test."] }, "up"],
  [[record(16, Buffer.from("0568656c6c6f0321203a", "hex"))], { type: "TXT", answers: ["hello! :"] }, "up"],
  [[record(2, Buffer.from("c010", "hex"))], { type: "NS", answers: ["example.test"] }, "up"],
  [[record(33, Buffer.from("000100021388c00c", "hex"))], { type: "SRV", answers: ["1 2 5000 www.example.test"] }, "up"],
  [[record(257, Buffer.from("000569737375656361", "hex"))], { type: "CAA", answers: ['0 issue "ca"'] }, "up"],
  // Of another name or class it is no answer to ours; behind an alias it is, in whatever order.
  [[of("evil.test", address("192.0.2.7"))], { answers: ["192.0.2.7"] }, "down"],
  [[Buffer.concat([address("192.0.2.7")]).fill(3, 5, 6)], { answers: ["192.0.2.7"] }, "down"],
  [
    [of("Edge.test", address("192.0.2.7")), record(5, Buffer.from("0465646765047465737400", "hex"))],
    { answers: ["192.0.2.7"] },
    "up",
  ],
  [
    [record(16, Buffer.from(`\xfa${LONG}\xfa${LONG}`, "latin1"))],
    { type: "TXT", answers: [LONG + LONG], match: "exact" },
    "up",
  ],
] as const)("records %# are %s", async (records, more, health) => {
  await using server = await serveUdp((question, reply) => reply(respond(question, records)));
  const outcome = await check({ protocol: dns, ...server, settings: { name: "www.example.test", type: "A", ...more } });
  expect(outcome).toMatchObject({ health, ...(health === "down" && { reason: "unexpected-answer" }) });
});

test.each([
  [0, {}, "up", null],
  [3, {}, "up", null],
  [5, {}, "up", null],
  [1, {}, "up", null],
  [2, {}, "down", "service-unavailable"],
  [2, { rcode: ["SERVFAIL"] }, "up", null],
  [3, { rcode: ["NOERROR"] }, "down", "unexpected-answer"],
  [3, { answers: ["192.0.2.7"] }, "down", "unexpected-answer"],
] as const)("rcode %i under %o is %s", async (rcode, more, health, reason) => {
  await using server = await serveUdp((question, reply) => reply(respond(question, [], { rcode })));
  expect(await check({ protocol: dns, ...server, settings: { type: "A", ...more } })).toMatchObject({ health, reason });
});

test("an answer that is cut short may end in the middle of a record", async () => {
  await using server = await serveUdp((question, reply) =>
    reply(respond(question, two, { truncated: true }).subarray(0, -3)),
  );
  const outcome = await check({ protocol: dns, ...server, settings: { name: "www.example.test", type: "A" } });
  expect(outcome).toMatchObject({ state: "open", evidence: { truncated: true, answers: ["192.0.2.7"] } });
});

test("the case of the letters comes back, or the answer is somebody else's", async () => {
  const mixed = { name: "www.a-long-enough-name.example.test", mixedCase: true };
  await using keeping = await serveUdp((question, reply) => reply(respond(question)));
  expect(await check({ protocol: dns, ...keeping, settings: mixed })).toMatchObject({ state: "open" });
  expect(keeping.received[0]!.toString("latin1")).toMatch(/[A-Z].*[a-z]|[a-z].*[A-Z]/);
  await using lowering = await serveUdp((question, reply) =>
    reply(
      Buffer.from(
        respond(question)
          .toString("latin1")
          .replace(/[A-Z]/g, (c) => c.toLowerCase()),
        "latin1",
      ),
    ),
  );
  expect(await check({ protocol: dns, ...lowering, settings: mixed }, 250)).toMatchObject({ state: "open|filtered" });
});

test("a cut answer is noted, and explains what is missing", async () => {
  await using server = await serveUdp((question, reply) => reply(respond(question, [], { truncated: true })));
  expect(await check({ protocol: dns, ...server, settings: { type: "A" } })).toMatchObject({
    state: "open",
    evidence: { truncated: true },
  });
  const { message } = await check({ protocol: dns, ...server, settings });
  expect(message).toContain("by TCP");
});

test("names that point at themselves are refused", async () => {
  await using server = await serveUdp((question, reply) => {
    const at = question.length;
    const loop = Buffer.from(`c0${at.toString(16).padStart(2, "0")}00010001000000000004c0000201`, "hex");
    reply(respond(question, [loop]));
  });
  expect(await check({ protocol: dns, ...server, settings })).toMatchObject({ reason: "wrong-protocol" });
});

test("EDNS is announced only when asked for", async () => {
  await using server = await serveUdp((question, reply) => reply(respond(question)));
  await check({ protocol: dns, ...server });
  await check({ protocol: dns, ...server, settings: { ednsBytes: 1232 } });
  expect(server.received.at(0)!.length).toBe(17);
  expect(server.received.at(-1)!.subarray(17).toString("hex")).toBe("00002904d000000000 0000".replace(" ", ""));
});

test("by TCP an answer to another question is not ours", async () => {
  await using server = await serve((socket) =>
    socket.once("data", (data) => {
      const answer = respond(data.subarray(2));
      answer[13]! ^= 3;
      socket.write(overTcp(answer));
    }),
  );
  const outcome = await check({ protocol: dns, ...server, settings: { transport: "tcp", name: "example.test" } });
  expect(outcome).toMatchObject({ state: "mismatch", reason: "unexpected-answer" });
});

refuses(dns, [
  [{ name: "exa mple" }, "name"],
  [{ type: "ANY" }, "type"],
  [{ class: "XX" }, "class"],
  [{ rcode: ["OK"] }, "rcode[0]"],
  [{ answers: [] }, "answers"],
  [{ match: "some" }, "match"],
  [{ ednsBytes: 100 }, "ednsBytes"],
  [{ tls: {} }, "tls"],
  [{ transport: "tcp", silence: "up" }, "silence"],
  [{ resolver: "1" }, "resolver"],
]);
