import { expect, test } from "vitest";
import { dns } from "../../../shared/protocols/dns.ts";
import { TYPES, type TypeName } from "../../../shared/wire/dns-records.ts";
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
  let end = 12;
  while (question[end]) end += question[end]! + 1;
  end += 5;
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

/** A name on the wire. */
const wire = (name: string) =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.from(String.fromCharCode(label.length) + label)),
    Buffer.of(0),
  ]);
const bytes = (...parts: readonly (string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part.replaceAll(" ", ""), "hex") : part)));
const HASH = "d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971";

/** Data of each type beside dig's text of it (BIND 9.18's `+short`), other texts that mean the same, and some that do not. */
const TEXTS: Readonly<Record<TypeName, readonly [data: Buffer, dig: string, same: string[], other: string[]][]>> = {
  A: [[bytes("c0000207"), "192.0.2.7", [], ["192.0.2.70", "192.0.2.7 192.0.2.8"]]],
  AAAA: [[bytes("20010db8", Buffer.alloc(11), "07"), "2001:db8::7", ["2001:0DB8:0::7"], ["2001:db8::8"]]],
  NS: [
    [wire("NS1.eXample.com"), "NS1.eXample.com.", ["ns1.example.COM"], ["ns1.example.net", "ns1.example.com x"]],
    [bytes("03 61 2e 62 00"), "a\\.b.", ["A\\.b", "a\\046b"], ["a.b"]],
    [bytes("03 61 20 ff 00"), "a\\032\\255.", [], ["a."]],
  ],
  CNAME: [[wire("edge.test"), "edge.test.", ["EDGE.test"], ["edge"]]],
  PTR: [[wire("host.test"), "host.test.", ["HOST.test"], ["host"]]],
  SOA: [
    [
      bytes(wire("ns.test"), wire("admin.test"), "78a3f2e6 00001c20 00000e10 00127500 00000e10"),
      "ns.test. admin.test. 2024010470 7200 3600 1209600 3600",
      ["NS.test admin.test 2024010470 7200 3600 1209600 3600"],
      ["ns.test. admin.test. 2024010471 7200 3600 1209600 3600"],
    ],
  ],
  MX: [[bytes("000a", wire("mail.test")), "10 mail.test.", ["10 MAIL.test"], ["20 mail.test.", "10 mail.test. x"]]],
  TXT: [
    [
      bytes("10", Buffer.from("v=spf1 -all. Aa="), "01 62"),
      '"v=spf1 -all. Aa=" "b"',
      ["v=spf1 -all. Aa=b", '"v=spf1 -all. Aa=b"'],
      ["v=spf1 -all. aa=b", '"v=spf1 -all. AA=" "b"'],
    ],
    [bytes("02 c3bc"), '"\\195\\188"', ["ü"], ["u"]],
    [bytes("06 22 61 5c 62 00 20"), '"\\"a\\\\b\\000 "', [], ['"a\\b']],
    [bytes("00"), '""', [], ["x"]],
    [bytes("06 76 3d 31 2e 30 2e"), '"v=1.0."', ["v=1.0."], ["v=1.0"]],
  ],
  SRV: [
    [bytes("0001 0002 1388", wire("sip.test")), "1 2 5000 sip.test.", ["1 2 5000 SIP.test"], ["1 2 5001 sip.test."]],
  ],
  NAPTR: [
    [
      bytes("0064 000a 01 55 07", Buffer.from("E2U+sip"), "16", Buffer.from("!^.*$!sip:Info@a.test!"), "00"),
      '100 10 "U" "E2U+sip" "!^.*$!sip:Info@a.test!" .',
      ['100 10 u "e2u+SIP" "!^.*$!sip:Info@a.test!" .'],
      ['100 10 "U" "E2U+sip" "!^.*$!sip:info@a.test!" .'],
    ],
  ],
  DS: [
    [
      bytes("ec45 05 02", HASH),
      `60485 5 2 ${HASH.slice(0, 56).toUpperCase()} ${HASH.slice(56).toUpperCase()}`,
      [`60485 5 2 ${HASH}`],
      [`60485 5 1 ${HASH}`],
    ],
  ],
  DNSKEY: [
    [
      bytes("0101 03 08 0301 0001", HASH),
      "257 3 8 AwEAAdKr3iQNfNPua0soxU3wNLl5g6HRbopBDkVhyxBmGOlx",
      ["257 3 8 AwEAAdKr3iQNfNPua0soxU3wNLl5g6HRbopBDkVh yxBmGOlx"],
      ["257 3 8 awEAAdKr3iQNfNPua0soxU3wNLl5g6HRbopBDkVhyxBmGOlx"],
    ],
  ],
  TLSA: [
    [
      bytes("03 01 01", HASH),
      `3 1 1 ${HASH.slice(0, 56).toUpperCase()} ${HASH.slice(56).toUpperCase()}`,
      [`3 1 1 ${HASH}`],
      [`3 1 2 ${HASH}`, `3 1 1 ${HASH}00`],
    ],
  ],
  SVCB: [[bytes("0000", wire("svc.test")), "0 svc.test.", ["0 SVC.test"], ["1 svc.test."]]],
  HTTPS: [
    [
      bytes(
        "0001 00",
        "0000 0004 0001 0004",
        "0001 0006 02 6832 02 6833",
        "0002 0000",
        "0003 0002 01bb",
        "0004 0008 c0000207 c0000208",
        "0005 0003 010203",
        "0006 0010 20010db8",
        Buffer.alloc(11),
        "07",
        "0007 0004 2f717b7d",
        "029b 0002 6122",
      ),
      '1 . mandatory=alpn,ipv4hint alpn="h2,h3" no-default-alpn port=443 ipv4hint=192.0.2.7,192.0.2.8 ech=AQID ipv6hint=2001:db8::7 dohpath="/q{}" key667="a\\""',
      [
        '1 . alpn=h2,h3 mandatory=alpn,ipv4hint no-default-alpn port=443 ipv4hint=192.0.2.7,192.0.2.8 ech=AQID ipv6hint=2001:DB8:0::7 dohpath=/q{} key667="a\\""',
      ],
      ["1 .", '1 . alpn="h2"'],
    ],
  ],
  CAA: [
    [
      bytes("00 05", Buffer.from("issueletsencrypt.org; a=B")),
      '0 issue "letsencrypt.org; a=B"',
      ['0 ISSUE "letsencrypt.org; a=B"', "0 issue letsencrypt.org; a=B"],
      ['0 issue "letsencrypt.org; a=b"'],
    ],
  ],
};
const texts = Object.entries(TEXTS).flatMap(([type, all]) => all.map((one) => [type as TypeName, ...one] as const));
test.each(texts)("%s compares as dig prints it: %#", async (type, data, dig, same, other) => {
  await using server = await serveUdp((question, reply) => reply(respond(question, [record(TYPES[type], data)])));
  const ask = (answer: string) =>
    check({
      protocol: dns,
      ...server,
      settings: { name: "www.example.test", type, answers: [answer], match: "exact", packets: { count: 1 } },
    });
  for (const answer of [dig, ...same]) expect(await ask(answer), answer).toMatchObject({ health: "up" });
  for (const answer of other) expect(await ask(answer), answer).toMatchObject({ reason: "unexpected-answer" });
});

const LONGEST = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;
test.each([
  // Classless delegation, RFC 2317.
  ["0/25.2.0.192.in-addr.arpa", wire("0/25.2.0.192.in-addr.arpa")],
  ["a\\.b.test.", bytes("03612e62", wire("test"))],
  ["\\000\\255+=!.test", bytes("0500ff2b3d21", wire("test"))],
  ["*._tcp.test", wire("*._tcp.test")],
  ["bücher.test", wire("xn--bcher-kva.test")],
  [LONGEST, wire(LONGEST)],
])("the valid name %s is sent", async (name, asked) => {
  await using server = await serveUdp((question, reply) => reply(respond(question)));
  expect(await check({ protocol: dns, ...server, settings: { name, packets: { count: 1 } } })).toMatchObject({
    state: "open",
  });
  expect(server.received[0]!.subarray(12, -4)).toEqual(asked);
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

test("a truncated answer may end within a record", async () => {
  await using server = await serveUdp((question, reply) =>
    reply(respond(question, two, { truncated: true }).subarray(0, -3)),
  );
  const outcome = await check({ protocol: dns, ...server, settings: { name: "www.example.test", type: "A" } });
  expect(outcome).toMatchObject({ state: "open", evidence: { truncated: true, answers: ["192.0.2.7"] } });
});

test("an answer without the mixed case of the question is ignored", async () => {
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

test("a truncated answer is reported, and explains missing records", async () => {
  await using server = await serveUdp((question, reply) => reply(respond(question, [], { truncated: true })));
  expect(await check({ protocol: dns, ...server, settings: { type: "A" } })).toMatchObject({
    state: "open",
    evidence: { truncated: true },
  });
  const { message } = await check({ protocol: dns, ...server, settings });
  expect(message).toContain("by TCP");
});

test("compression pointer loops are refused", async () => {
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

test("by TCP an answer to another question fails", async () => {
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
  [{ name: "a..b" }, "name"],
  [{ name: ".a" }, "name"],
  [{ name: "a".repeat(64) }, "name"],
  [{ name: `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(62)}` }, "name"],
  [{ name: "a\\" }, "name"],
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
