/** DNS messages: questions out, answers in (RFC 1035 section 4; RFC 3596 AAAA; RFC 2782 SRV; RFC 8659 CAA; RFC 6891 EDNS). */
import { isIPv6 } from "node:net";
import { Cursor, printable } from "./cursor.ts";
import { ProbeFailure } from "./protocol.ts";

export const TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DS: 43,
  DNSKEY: 48,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  CAA: 257,
} as const;
export type TypeName = keyof typeof TYPES;
export const TYPE_NAMES = Object.keys(TYPES) as [TypeName, ...TypeName[]];
export const CLASSES = { IN: 1, CH: 3, HS: 4 } as const;

/** By number, as the IANA registry has them. */
export const RCODES = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
  "YXDOMAIN",
  "YXRRSET",
  "NXRRSET",
  "NOTAUTH",
  "NOTZONE",
] as const;

export interface Question {
  readonly name: string;
  readonly type: TypeName;
  readonly class: keyof typeof CLASSES;
  readonly recursion: boolean;
  /** UDP payload size to announce; null sends no EDNS record at all. */
  readonly ednsBytes: number | null;
}

export interface AnswerRecord {
  readonly type: number;
  readonly value: string;
}
type Owned = AnswerRecord & { readonly owner: string };

export interface Answer {
  readonly rcode: string;
  readonly flags: readonly string[];
  readonly truncated: boolean;
  /** Of the answer section: those of the asked name, or of one that it is an alias of. */
  readonly records: readonly AnswerRecord[];
  readonly counts: { readonly answers: number; readonly authorities: number; readonly additionals: number };
}

/** A name as the wire has it. `mixed` decides about the case of each letter (0x20 encoding). */
const encodeName = (name: string, mixed?: Buffer): Buffer => {
  const labels = name.split(".").filter((label) => label !== "");
  let position = 0;
  const bytes = labels.flatMap((label) => {
    const content = Buffer.from(label, "latin1");
    for (let i = 0; i < content.length && mixed; i += 1, position += 1) {
      const isLetter = /[a-z]/i.test(String.fromCharCode(content[i]!));
      const upper = (mixed[position >> 3]! >> (position & 7)) & 1;
      if (isLetter) content[i] = upper ? content[i]! & ~0x20 : content[i]! | 0x20;
    }
    return [Buffer.of(content.length), content];
  });
  return Buffer.concat([...bytes, Buffer.of(0)]);
};

/** @param mixed 32 random bytes, when the letters' case is to be drawn by lot */
export const encodeQuestion = (question: Question, id: Buffer, mixed?: Buffer): Buffer => {
  const head = Buffer.alloc(12);
  id.copy(head, 0, 0, 2);
  head[2] = question.recursion ? 1 : 0;
  head.writeUInt16BE(1, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(TYPES[question.type], 0);
  tail.writeUInt16BE(CLASSES[question.class], 2);
  const parts = [head, encodeName(question.name, mixed), tail];
  if (question.ednsBytes !== null) {
    head.writeUInt16BE(1, 10);
    const opt = Buffer.alloc(11);
    opt.writeUInt16BE(41, 1);
    opt.writeUInt16BE(question.ednsBytes, 3);
    parts.push(opt);
  }
  return Buffer.concat(parts);
};

/** The name at the cursor; pointers may only lead backwards, so a loop cannot be. */
const readName = (cursor: Cursor): string => {
  const labels: string[] = [];
  let at = cursor;
  let lowest = cursor.offset;
  let length = 0;
  for (;;) {
    const size = at.u8();
    if (size === 0) return labels.length ? labels.join(".") : ".";
    if (size >= 0xc0) {
      const to = ((size & 0x3f) << 8) | at.u8();
      if (to >= lowest) throw new ProbeFailure("wrong-protocol", "the DNS answer has a name that points at itself");
      lowest = to;
      at = new Cursor(cursor.bytes, "DNS answer", to);
      continue;
    }
    length += size + 1;
    if (size > 63 || length > 254) throw new ProbeFailure("wrong-protocol", "the DNS answer has an impossible name");
    labels.push(printable(at.take(size).toString("latin1"), 63));
  }
};

const ipv6 = (bytes: Buffer): string => {
  const long = bytes.toString("hex").match(/..../g)!.join(":");
  const short = new URL(`http://[${long}]`).hostname.slice(1, -1);
  return isIPv6(short) ? short : long;
};

const readValue = (type: number, data: Cursor, whole: Cursor): string => {
  /** Names inside record data may point anywhere before, so they are read from the whole message. */
  const start = whole.offset - data.bytes.length;
  const nameAt = (offset: number): [string, Cursor] => {
    const at = new Cursor(whole.bytes, "DNS answer", start + offset);
    return [readName(at), at];
  };
  switch (type) {
    case TYPES.A:
      return [...data.take(4)].join(".");
    case TYPES.AAAA:
      return ipv6(data.take(16));
    case TYPES.NS:
    case TYPES.CNAME:
    case TYPES.PTR:
      return nameAt(0)[0];
    case TYPES.MX:
      return `${data.u16()} ${nameAt(2)[0]}`;
    case TYPES.SRV:
      return `${data.u16()} ${data.u16()} ${data.u16()} ${nameAt(6)[0]}`;
    case TYPES.SOA: {
      const [primary, afterPrimary] = nameAt(0);
      const mailbox = readName(afterPrimary);
      return `${primary} ${mailbox} ${Array.from({ length: 5 }, () => afterPrimary.u32()).join(" ")}`;
    }
    case TYPES.TXT: {
      const texts: string[] = [];
      while (data.left > 0) texts.push(data.take(data.u8()).toString("utf8"));
      return printable(texts.join(""), 2048);
    }
    case TYPES.CAA: {
      const flags = data.u8();
      const tag = data.take(data.u8()).toString("latin1");
      return printable(`${flags} ${tag} "${data.take(data.left).toString("latin1")}"`, 255);
    }
    default:
      return data.take(data.left).toString("hex").slice(0, 255);
  }
};

const classOf = (question: Buffer): number => question.readUInt16BE(question.indexOf(0, 12) + 3);

/** RFC 1034, section 4.3.2: an alias is answered with the alias and what its target has. */
const MAX_ALIASES = 16;

const ofAskedName = (records: readonly Owned[], question: Buffer): readonly AnswerRecord[] => {
  const aliases = new Map(records.filter(({ type }) => type === TYPES.CNAME).map(({ owner, value }) => [owner, value]));
  const names = new Set<string>();
  let name: string | undefined = readName(new Cursor(question, "question", 12)).toLowerCase();
  while (name !== undefined && names.size <= MAX_ALIASES) {
    names.add(name);
    name = aliases.get(name)?.toLowerCase();
  }
  return records.filter(({ owner }) => names.has(owner));
};

/**
 * What the message answers, or `undefined` when it belongs to another question.
 * @throws ProbeFailure `wrong-protocol` when it is no DNS answer, `incomplete-answer` when it ends too early
 */
export const decodeAnswer = (message: Buffer, question: Buffer, caseMatters: boolean): Answer | undefined => {
  if (message.length < 12 || !(message[2]! & 0x80) || (message[2]! & 0x78) !== (question[2]! & 0x78))
    throw new ProbeFailure("wrong-protocol", "expected a DNS answer, got something else", {
      evidence: { firstBytes: message.subarray(0, 12).toString("hex") },
    });
  if (message.readUInt16BE(0) !== question.readUInt16BE(0)) return undefined;
  const flags = message.readUInt16BE(2);
  const rcode = RCODES[flags & 15] ?? `RCODE${flags & 15}`;
  const truncated = Boolean(flags & 0x0200);
  const cursor = new Cursor(message, "DNS answer", 4);
  const [questions, answers, authorities, additionals] = [cursor.u16(), cursor.u16(), cursor.u16(), cursor.u16()];
  // A server that could not or would not read the question need not repeat it.
  if (questions > 0 || flags % 16 === 0) {
    const asked = question.subarray(12, question.indexOf(0, 12) + 5);
    const repeated = cursor.take(asked.length);
    const isSame = caseMatters
      ? repeated.equals(asked)
      : repeated.toString("latin1").toLowerCase() === asked.toString("latin1").toLowerCase();
    if (questions !== 1 || !isSame) return undefined;
  }
  const records: Owned[] = [];
  for (let n = 0; n < answers; n += 1)
    try {
      const owner = readName(cursor).toLowerCase();
      const type = cursor.u16();
      const ofClass = cursor.u16();
      cursor.take(4);
      const data = cursor.part(cursor.u16());
      const value = readValue(type, data, cursor);
      if (ofClass === classOf(question)) records.push({ owner, type, value });
    } catch (error) {
      // A truncated answer may say that there is more than it carries.
      if (truncated && error instanceof ProbeFailure && error.reason === "incomplete-answer") break;
      throw error;
    }
  const named = [
    [0x0400, "aa"],
    [0x0200, "tc"],
    [0x0100, "rd"],
    [0x0080, "ra"],
    [0x0020, "ad"],
  ] as const;
  return {
    rcode,
    truncated,
    flags: named.filter(([bit]) => flags & bit).map(([, name]) => name),
    records: ofAskedName(records, question),
    counts: { answers, authorities, additionals },
  };
};
