/**
 * DNS: open when the server answers our question: id, name, type and class match (RFC 1035, section 4; RFC 7766 for TCP,
 * RFC 7858 for TLS). The settings `rcode` and `answers` say which answer is right; without them every answer but SERVFAIL
 * proves a working server, because a healthy one answers REFUSED or NXDOMAIN to strangers.
 * The default question, `. NS`, is answered or refused by every kind of server, and its answer fits into 512 bytes.
 */
import { domainToASCII } from "node:url";
import { z } from "zod";
import type { Connection } from "../contract/connection.ts";
import { type Finding, ProbeFailure, type Protocol } from "../contract/protocol.ts";
import { printable } from "../wire/cursor.ts";
import { type Answer, CLASSES, decodeAnswer, encodeQuestion, RCODES, TYPE_NAMES } from "../wire/dns-message.ts";
import { dataKey, labelsOf, plainText, TYPES } from "../wire/dns-records.ts";
import { parseSettings } from "../wire/settings.ts";
import { tcpProbe, udpOrTcp, udpProbe } from "../wire/udp.ts";

/** Longest name as text: every octet written as a backslash and three digits. */
const MAX_NAME_LENGTH = 1010;

/** Names are written as for dig: any octets (RFC 2181, section 11), special ones escaped; non-ASCII letters are converted by IDNA. */
const asciiName = (name: string): string => (/^[\x21-\x7e]*$/.test(name) ? name : domainToASCII(name));

const settings = udpOrTcp({
  name: z
    .string()
    .max(MAX_NAME_LENGTH)
    .refine(
      (name) => labelsOf(asciiName(name)) !== undefined,
      "must be a domain name: labels of 1 to 63 octets, 255 in all, non-ASCII octets as \\DDD; or `.`",
    )
    .default(".")
    .describe("Name to ask for."),
  type: z.enum(TYPE_NAMES).default("NS").describe("Type of the records to ask for."),
  class: z
    .enum(Object.keys(CLASSES) as [keyof typeof CLASSES])
    .default("IN")
    .describe("Class of the records."),
  recursion: z.boolean().default(true).describe("Whether to ask for recursion (flag RD)."),
  rcode: z
    .array(z.enum(RCODES))
    .min(1)
    .optional()
    .describe("Expected response codes. Default: any but SERVFAIL; NOERROR when `answers` are expected."),
  answers: z
    .array(z.string().min(1).max(2048))
    .min(1)
    .max(20)
    .optional()
    .describe("Expected records of the asked type, as dig prints them: `192.0.2.7`, `10 mail.example.com`."),
  match: z
    .enum(["all", "any", "exact"])
    .default("all")
    .describe("`all`: each of `answers` is there; `any`: at least one; `exact`: these and no others."),
  mixedCase: z
    .boolean()
    .default(false)
    .describe("Randomises the case of the name's letters and expects the same case in the answer (0x20)."),
  ednsBytes: z.int().min(512).max(4096).nullable().default(null).describe("UDP size to announce; null: no EDNS."),
});
type Settings = z.infer<typeof settings>;

const judge = (answer: Answer, wanted: Settings): Finding => {
  const values = answer.records.filter(({ type }) => type === TYPES[wanted.type]).map(({ value }) => value);
  const short = (value: string): string => printable(plainText(wanted.type, value), 255);
  const evidence = {
    rcode: answer.rcode,
    flags: answer.flags.join(" "),
    answers: values.slice(0, 8).map(short),
    answerCount: answer.counts.answers,
    authorityCount: answer.counts.authorities,
    ...(answer.truncated && { truncated: true }),
  };
  const question = `${wanted.name} ${wanted.type}`;
  const allowed = wanted.rcode ?? (wanted.answers ? ["NOERROR"] : undefined);
  if (answer.rcode === "SERVFAIL" && !allowed?.includes("SERVFAIL"))
    throw new ProbeFailure("service-unavailable", `the DNS server answers SERVFAIL to ${question}`, { evidence });
  if (allowed && !(allowed as string[]).includes(answer.rcode))
    throw new ProbeFailure(
      "unexpected-answer",
      `expected ${allowed.join(" or ")} for ${question}, got ${answer.rcode}`,
      {
        evidence,
      },
    );
  if (wanted.answers) {
    const got = new Set(values.map((value) => dataKey(wanted.type, value)));
    const expected = wanted.answers.map((value) => dataKey(wanted.type, value.trim()));
    const isMet =
      wanted.match === "any"
        ? expected.some((value) => got.has(value))
        : expected.every((value) => got.has(value)) && (wanted.match === "all" || got.size === new Set(expected).size);
    if (!isMet)
      throw new ProbeFailure(
        "unexpected-answer",
        `expected ${wanted.match === "any" ? "any of " : ""}${wanted.answers.join(", ")} for ${question}, got ${
          values.slice(0, 8).map(short).join(", ") || "no such record"
        }${answer.truncated ? " (truncated: the full answer is available by TCP)" : ""}`,
        { evidence },
      );
  }
  return {
    evidence,
    message: `${answer.rcode} for ${question}${values.length ? `: ${values.slice(0, 3).map(short).join(", ")}` : ""}${
      answer.truncated ? " (truncated)" : ""
    }`,
    // Class CHAOS has the names by which software describes itself, such as version.bind.
    ...(wanted.class === "CH" &&
      values.length && { facts: { "dns.identity": values.map(short).toSorted().join(", ") } }),
  };
};

const prepareTalk = (wanted: Settings, ask: (random: (bytes: number) => Buffer) => Buffer) => {
  return async (connection: Connection, { random }: { random: (bytes: number) => Buffer }) => {
    const question = ask(random);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(question.length);
    connection.write(Buffer.concat([length, question]));
    const announced = (await connection.read(2)).readUInt16BE();
    if (announced < 12)
      throw new ProbeFailure("wrong-protocol", `expected a DNS answer, got one announced with ${announced} bytes`);
    // Checks the header before waiting for the announced length: another protocol's first two bytes may announce anything.
    const head = await connection.read(12);
    decodeHead(head, question);
    const answer = decodeAnswer(
      Buffer.concat([head, await connection.read(announced - 12)]),
      question,
      wanted.mixedCase,
    );
    if (!answer) throw new ProbeFailure("unexpected-answer", "the DNS answer belongs to another question");
    return judge(answer, wanted);
  };
};

/** @throws ProbeFailure when these are not the first bytes of an answer */
const decodeHead = (head: Buffer, question: Buffer): void => {
  const empty = Buffer.from(head);
  empty.fill(0, 4);
  empty[3] = 1;
  decodeAnswer(empty, question, false);
};

export const dns: Protocol = {
  title: "DNS",
  summary: "Open when the server answers our question and the answer is the expected one.",
  reference: "RFC 1035, section 4; RFC 7766 (TCP); RFC 7858 (TLS)",
  transports: ["udp", "tcp"],
  defaultPort: 53,
  settings,
  example: { settings: { name: "example.com", type: "A" } },
  prepare(input) {
    const wanted = parseSettings(settings, input);
    const ask = (random: (bytes: number) => Buffer) =>
      encodeQuestion({ ...wanted, name: asciiName(wanted.name) }, random(2), wanted.mixedCase ? random(32) : undefined);
    if (wanted.transport === "tcp") return tcpProbe(wanted, prepareTalk(wanted, ask));
    return udpProbe(wanted, {
      ask: (_n, random) => ask(random),
      read(message, question) {
        const answer = decodeAnswer(message, question, wanted.mixedCase);
        return answer && judge(answer, wanted);
      },
    });
  },
};
