/** Encodes DNS questions and decodes answers (RFC 1035, section 4; EDNS: RFC 6891). */

import { ProbeFailure } from "../contract/protocol.ts";
import { Cursor } from "./cursor.ts";
import { labelsOf, nameKey, readData, readName, TYPES, type TypeName } from "./dns-records.ts";

export const TYPE_NAMES = Object.keys(TYPES) as [TypeName, ...TypeName[]];
export const CLASSES = { IN: 1, CH: 3, HS: 4 } as const;

/** Response codes; the index is the number in IANA's registry. */
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
  /** UDP payload size to announce by EDNS; null: no EDNS record. */
  readonly ednsBytes: number | null;
}

export interface AnswerRecord {
  readonly type: number;
  /** As dig prints it. */
  readonly value: string;
}
type Owned = AnswerRecord & { readonly owner: string };

export interface Answer {
  readonly rcode: string;
  readonly flags: readonly string[];
  readonly truncated: boolean;
  /** Records of the answer section that belong to the asked name or to a name that its CNAMEs lead to. */
  readonly records: readonly AnswerRecord[];
  readonly counts: { readonly answers: number; readonly authorities: number; readonly additionals: number };
}

/** Encodes a name. The bits of `mixed` decide the case of each letter (0x20 encoding). */
const encodeName = (name: string, mixed?: Buffer): Buffer => {
  let position = 0;
  const bytes = (labelsOf(name) ?? []).flatMap((content) => {
    for (let i = 0; i < content.length && mixed; i += 1, position += 1) {
      const isLetter = /[a-z]/i.test(String.fromCharCode(content[i]!));
      const upper = (mixed[position >> 3]! >> (position & 7)) & 1;
      if (isLetter) content[i] = upper ? content[i]! & ~0x20 : content[i]! | 0x20;
    }
    return [Buffer.of(content.length), content];
  });
  return Buffer.concat([...bytes, Buffer.of(0)]);
};

/** @param mixed 32 random bytes for a random case of the name's letters (0x20 encoding) */
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

/** Offset of the end of the asked name; label by label, because labels may contain zero bytes. */
const nameEnd = (question: Buffer): number => {
  let at = 12;
  while (question[at]) at += question[at]! + 1;
  return at + 1;
};

const classOf = (question: Buffer): number => question.readUInt16BE(nameEnd(question) + 2);

/** CNAMEs that are followed: the answer to an alias contains its CNAME and the target's records (RFC 1034, section 4.3.2). */
const MAX_ALIASES = 16;

const ofAskedName = (records: readonly Owned[], question: Buffer): readonly AnswerRecord[] => {
  const aliases = new Map(
    records.filter(({ type }) => type === TYPES.CNAME).map(({ owner, value }) => [owner, nameKey(value)]),
  );
  const names = new Set<string>();
  let name: string | undefined = nameKey(readName(new Cursor(question, "question", 12)));
  while (name !== undefined && names.size <= MAX_ALIASES) {
    names.add(name);
    name = aliases.get(name);
  }
  return records.filter(({ owner }) => names.has(owner));
};

/**
 * Decodes the answer; `undefined` when the message belongs to another question.
 * @param caseMatters whether the question must be repeated with the same case of letters (0x20 encoding)
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
  // A server that answers with an error need not repeat the question.
  if (questions > 0 || flags % 16 === 0) {
    const asked = question.subarray(12, nameEnd(question) + 4);
    const repeated = cursor.take(asked.length);
    const isSame = caseMatters
      ? repeated.equals(asked)
      : repeated.toString("latin1").toLowerCase() === asked.toString("latin1").toLowerCase();
    if (questions !== 1 || !isSame) return undefined;
  }
  const records: Owned[] = [];
  for (let n = 0; n < answers; n += 1)
    try {
      const owner = nameKey(readName(cursor));
      const type = cursor.u16();
      const ofClass = cursor.u16();
      cursor.take(4);
      const start = cursor.offset + 2;
      cursor.take(cursor.u16());
      const value = readData(type, new Cursor(message.subarray(0, cursor.offset), "DNS answer", start));
      if (ofClass === classOf(question)) records.push({ owner, type, value });
    } catch (error) {
      // A truncated answer may announce more records than it contains.
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
