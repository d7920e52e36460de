/**
 * Decodes DNS record data to the text that dig prints, and compares such texts, each field by the rule of its type: names
 * without regard to case (RFC 4343), the text of a TXT record exactly (RFC 1035, section 3.3.14).
 */
import { isIPv6 } from "node:net";
import { ProbeFailure } from "../contract/protocol.ts";
import { Cursor } from "./cursor.ts";

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

const ANSWER = "DNS answer";
/** Longest encoded name and label (RFC 1035, section 2.3.4). */
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;

/** Escapes bytes as in master files (RFC 1035, section 5.1). @param special characters that get a backslash */
const escaped = (bytes: Buffer, special: RegExp): string =>
  bytes
    .toString("latin1")
    .replace(special, "\\$&")
    .replace(/[^\x20-\x7e]/g, (character) => `\\${String(character.charCodeAt(0)).padStart(3, "0")}`);

/** Reverses `escaped`: one character per byte; non-ASCII letters become their UTF-8 bytes. */
const unescaped = (text: string): string =>
  Buffer.from(text)
    .toString("latin1")
    .replace(/\\(?:(\d{3})|(.))/gs, (_, code?: string, character = "") =>
      code === undefined ? character : String.fromCharCode(Number(code) & 255),
    );

/**
 * Splits a written name into labels, which may contain any octet; dots and special characters are escaped by a backslash.
 * @returns undefined when it is not a valid name
 */
export const labelsOf = (name: string): Buffer[] | undefined => {
  if (name === ".") return [];
  const labels = name.match(/(?:\\\d{3}|\\[^\d]|[^\\.])+(?:\.|$)/gsy);
  if (!labels || labels.join("").length !== name.length) return undefined;
  const bytes = labels.map((label) => Buffer.from(unescaped(label.replace(/\.$/, "")), "latin1"));
  const isLegal = bytes.every(({ length }) => length > 0 && length <= MAX_LABEL_BYTES);
  return isLegal && bytes.reduce((sum, { length }) => sum + length + 1, 1) <= MAX_NAME_BYTES ? bytes : undefined;
};

const nameOf = (labels: readonly Buffer[]): string =>
  labels.map((label) => escaped(label, /["().;@$\\]/g).replaceAll(" ", "\\032")).join(".") || ".";

/** Reads the name at the cursor, without the final dot; compression pointers may only point backwards, which excludes loops. */
export const readName = (cursor: Cursor): string => {
  const labels: Buffer[] = [];
  let at = cursor;
  let lowest = cursor.offset;
  let length = 1;
  for (;;) {
    const size = at.u8();
    if (size === 0) return nameOf(labels);
    if (size >= 0xc0) {
      const to = ((size & 0x3f) << 8) | at.u8();
      if (to >= lowest) throw new ProbeFailure("wrong-protocol", "the DNS answer has a name that points at itself");
      lowest = to;
      at = new Cursor(cursor.bytes, ANSWER, to);
      continue;
    }
    length += size + 1;
    if (size > MAX_LABEL_BYTES || length > MAX_NAME_BYTES)
      throw new ProbeFailure("wrong-protocol", "the DNS answer has an impossible name");
    labels.push(at.take(size));
  }
};

/** Normalises a name for comparison: one way of escaping, lower case. Text that is no valid name is only escaped. */
export const nameKey = (text: string): string => nameOf(labelsOf(text) ?? [Buffer.from(text)]).toLowerCase();

const ipv6Key = (text: string): string =>
  isIPv6(text) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text.toLowerCase();

const readIpv6 = (cursor: Cursor): string => ipv6Key(cursor.take(16).toString("hex").match(/..../g)!.join(":"));
const readIpv4 = (cursor: Cursor): string => [...cursor.take(4)].join(".");

const quoted = (bytes: Buffer): string => `"${escaped(bytes, /["\\]/g)}"`;
/** A token's bytes without quotes, which may surround it or only its value (`key="value"`). */
const unquoted = (token: string): string => unescaped(token.replace(/"((?:[^"\\]|\\.)*)"/gs, "$1"));
const isQuoted = (token: string): boolean => /^"(?:[^"\\]|\\.)*"$/s.test(token);
/** Splits at white space outside quotes. */
const tokensOf = (text: string): string[] => text.match(/(?:"(?:[^"\\]|\\.)*"|\\.|[^\s"\\])+/gs) ?? [];

const readString = (cursor: Cursor): Buffer => cursor.take(cursor.u8());
const readAll = <T>(cursor: Cursor, read: (cursor: Cursor) => T): T[] => {
  const all: T[] = [];
  while (cursor.left > 0) all.push(read(cursor));
  return all;
};

/** One field of record data. */
interface Field {
  /** Decodes the field to dig's text. */
  readonly read: (cursor: Cursor) => string;
  /** Comparison key: equal for texts of the same meaning. The last field of a type gets all remaining words. */
  readonly key: (...words: readonly string[]) => string;
}

/** Key of a field that is one word; several words are kept unchanged, so that they equal no valid value. */
const oneWord =
  (key: (word: string) => string) =>
  (...words: readonly string[]): string =>
    words.length === 1 ? key(words[0]!) : words.join(" ");
const numberKey = oneWord((word) => (/^\d{1,10}$/.test(word) ? String(Number(word)) : word));
const u8: Field = { read: (cursor) => String(cursor.u8()), key: numberKey };
const u16: Field = { read: (cursor) => String(cursor.u16()), key: numberKey };
const u32: Field = { read: (cursor) => String(cursor.u32()), key: numberKey };
const ipv4: Field = { read: readIpv4, key: oneWord((word) => word) };
const ipv6: Field = { read: readIpv6, key: oneWord(ipv6Key) };
const name: Field = { read: readName, key: oneWord(nameKey) };
const string: Field = { read: (cursor) => quoted(readString(cursor)), key: oneWord(unquoted) };
/** Flags and services of NAPTR, tags of CAA: letters in either case (RFC 3403, section 4.1; RFC 8659, section 4.1). */
const keyword: Field = { read: string.read, key: oneWord((word) => unquoted(word).toLowerCase()) };
const tag: Field = { read: (cursor) => escaped(readString(cursor), /["\\]/g), key: keyword.key };
/** All remaining bytes, in quotes. */
const value: Field = { read: (cursor) => quoted(cursor.take(cursor.left)), key: string.key };
/** Words are joined, because dig splits long values by spaces. */
const hex: Field = {
  read: (cursor) => cursor.take(cursor.left).toString("hex").toUpperCase(),
  key: (...words) => words.join("").toUpperCase(),
};
const base64: Field = {
  read: (cursor) => cursor.take(cursor.left).toString("base64"),
  key: (...words) => words.join(""),
};

/** By number (RFC 9460, section 14.3.2; dohpath: RFC 9461; ohttp: RFC 9540). */
const PARAMETERS = [
  "mandatory",
  "alpn",
  "no-default-alpn",
  "port",
  "ipv4hint",
  "ech",
  "ipv6hint",
  "dohpath",
  "ohttp",
] as const;
const parameterName = (key: number): string => PARAMETERS[key] ?? `key${key}`;

const readParameterValue = (key: number, data: Cursor): string => {
  switch (PARAMETERS[key]) {
    case "mandatory":
      return readAll(data, (cursor) => parameterName(cursor.u16())).join();
    case "alpn": {
      const protocols = readAll(data, (cursor) => escaped(readString(cursor), /[\\,]/g));
      return `"${escaped(Buffer.from(protocols.join()), /["\\]/g)}"`;
    }
    case "port":
      return String(data.u16());
    case "ipv4hint":
      return readAll(data, readIpv4).join();
    case "ipv6hint":
      return readAll(data, readIpv6).join();
    case "ech":
      return data.take(data.left).toString("base64");
    default:
      return data.left > 0 ? quoted(data.take(data.left)) : "";
  }
};

/** The parameters of SVCB and HTTPS, which may be written in any order. */
const parameters: Field = {
  read: (cursor) =>
    readAll(cursor, () => {
      const key = cursor.u16();
      const text = readParameterValue(key, cursor.part(cursor.u16()));
      return text ? `${parameterName(key)}=${text}` : parameterName(key);
    }).join(" "),
  key: (...words) =>
    words
      .map((word) => {
        const [, key = "", text = ""] = /^([^=]*)=?(.*)$/s.exec(word) ?? [];
        const plain = unquoted(text);
        return `${key.toLowerCase()}=${key.toLowerCase() === "ipv6hint" ? plain.split(",").map(ipv6Key).join() : plain}`;
      })
      .toSorted()
      .join(" "),
};

const FIELDS: Readonly<Record<Exclude<TypeName, "TXT">, readonly Field[]>> = {
  A: [ipv4],
  NS: [name],
  CNAME: [name],
  SOA: [name, name, u32, u32, u32, u32, u32],
  PTR: [name],
  MX: [u16, name],
  AAAA: [ipv6],
  SRV: [u16, u16, u16, name],
  NAPTR: [u16, u16, keyword, keyword, string, name],
  DS: [u16, u8, u8, hex],
  DNSKEY: [u16, u8, u8, base64],
  TLSA: [u8, u8, u8, hex],
  SVCB: [u16, name, parameters],
  HTTPS: [u16, name, parameters],
  CAA: [u8, tag, value],
};
const NAMES = new Map<number, TypeName>(Object.entries(TYPES).map(([type, number]) => [number, type as TypeName]));

/**
 * Decodes record data.
 * @param cursor at the data, over the message up to the data's end, because names may point to anything before it
 * @returns dig's text without the final dot of names; other types than `TYPES` in the notation of RFC 3597
 */
export const readData = (number: number, cursor: Cursor): string => {
  const type = NAMES.get(number);
  if (type === undefined) return `\\# ${cursor.left} ${cursor.take(cursor.left).toString("hex").toUpperCase()}`.trim();
  if (type === "TXT") return readAll(cursor, string.read).join(" ");
  return FIELDS[type]
    .map(({ read }) => read(cursor))
    .join(" ")
    .trim();
};

/**
 * Comparison key: equal for texts of the same record data, as written by dig, by `readData` or by people.
 * The strings of a TXT record are joined to one text (RFC 7208, section 3.3), which may be written without quotes.
 */
export const dataKey = (type: TypeName, text: string): string => {
  const words = tokensOf(text);
  if (type === "TXT")
    return words.every(isQuoted) ? words.map(unquoted).join("") : Buffer.from(text).toString("latin1");
  const fields = FIELDS[type];
  return fields
    .map(({ key }, at) => (at === fields.length - 1 ? key(...words.slice(at)) : key(words[at] ?? "")))
    .join(" ");
};

/** The text for people: a TXT record without quotes. */
export const plainText = (type: TypeName, text: string): string =>
  type === "TXT" ? Buffer.from(tokensOf(text).map(unquoted).join(""), "latin1").toString("utf8") : text;
