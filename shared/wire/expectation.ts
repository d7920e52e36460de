/** Settings and matching of what raw TCP and UDP monitors send and expect, byte for byte: no line end or encoding is added. */
import { z } from "zod";
import { ProbeFailure } from "../contract/protocol.ts";
import { escapeText } from "./escape-text.ts";
import { compilePattern, MAX_MATCHED_LENGTH, patternSetting } from "./pattern.ts";

const MAX_SENT_BYTES = 4_096;

const text = z.string().max(MAX_SENT_BYTES).describe("Sent as UTF-8; \\r\\n only where you write it.");
const hex = z
  .string()
  .max(2 * MAX_SENT_BYTES)
  .regex(/^(\s*[0-9a-fA-F]{2})*\s*$/, "must be pairs of hexadecimal digits")
  .describe("Pairs of hexadecimal digits.");
const base64 = z
  .base64({ error: "must be base64 with padding" })
  .max(2 * MAX_SENT_BYTES)
  .describe("Base64 with padding.");
/** One object with three properties, because few generators of clients can tell three kinds of objects apart. */
const encoded = z
  .strictObject({ text: text.optional(), hex: hex.optional(), base64: base64.optional() })
  .refine((data) => Object.values(data).filter((value) => value !== undefined).length === 1)
  .meta({
    title: "EncodedBytes",
    description: "Bytes as exactly one of `text`, `hex` and `base64`.",
    minProperties: 1,
    maxProperties: 1,
  });

/** Bytes written as text, hexadecimal or base64; a plain string is text. */
export const bytesSetting = z.union([text, encoded], {
  error: ({ input }) =>
    `${input === undefined ? "is required:" : "must be"} a text, or one of {"text": …}, {"hex": …}, {"base64": …}`,
});

export const toBytes = (data: z.output<typeof bytesSetting>): Buffer => {
  if (typeof data === "string") return Buffer.from(data);
  const { text, hex, base64 = "" } = data;
  if (text !== undefined) return Buffer.from(text);
  return hex === undefined ? Buffer.from(base64, "base64") : Buffer.from(hex.replaceAll(/\s/g, ""), "hex");
};

const KINDS = ["contains", "equals", "regex"] as const;

export const expectSetting = z
  .strictObject({
    contains: bytesSetting.optional().describe("These bytes somewhere in the answer."),
    equals: bytesSetting.optional().describe("Exactly these bytes, and the answer begins with them."),
    regex: patternSetting.optional().describe("Found in the answer as UTF-8; linear time, ^ and $ at line ends."),
    maxBytes: z
      .int()
      .min(1)
      .max(65_536)
      .default(MAX_MATCHED_LENGTH)
      .describe("An answer this long that does not match is wrong."),
  })
  .superRefine((expectation, context) => {
    const named = KINDS.filter((kind) => expectation[kind] !== undefined);
    if (named.length !== 1)
      context.addIssue({
        code: "custom",
        message: `must have exactly one of contains, equals and regex, got ${named.join(" and ") || "none"}`,
      });
    if (expectation.regex !== undefined && expectation.maxBytes > MAX_MATCHED_LENGTH)
      context.addIssue({
        code: "custom",
        path: ["maxBytes"],
        message: `must be at most ${MAX_MATCHED_LENGTH} with regex`,
      });
    const fixed = expectation.contains ?? expectation.equals;
    const length = fixed === undefined ? 1 : toBytes(fixed).length;
    if (length === 0) context.addIssue({ code: "custom", message: "must expect at least one byte" });
    if (length > expectation.maxBytes)
      context.addIssue({
        code: "custom",
        path: ["maxBytes"],
        message: `must be at least ${length}, the length of what is expected`,
      });
  })
  .meta({
    title: "Expectation",
    description: "What the answer must be: exactly one of `contains`, `equals` and `regex`.",
  });

/** Compares one answer with what the user expects, while its bytes arrive. */
export interface AnswerMatcher {
  /** For people: `an answer containing "PONG"`. A function, because it is needed only for errors. */
  wanted(): string;
  readonly maxBytes: number;
  /**
   * Matches all bytes received so far.
   * @returns the length up to the end of the match; `undefined` when further bytes could still make it match
   * @throws ProbeFailure when no further bytes can make it match
   */
  match(received: Buffer): number | undefined;
}

/** @returns a factory: each answer needs a new matcher, because a regex matcher counts what it has scanned */
export function prepareMatcher({
  contains,
  equals,
  regex,
  maxBytes,
}: z.output<typeof expectSetting>): () => AnswerMatcher {
  if (regex !== undefined) {
    const pattern = compilePattern(regex);
    return () => matching(pattern, maxBytes);
  }
  const expectation =
    contains === undefined ? equalTo(toBytes(equals ?? ""), maxBytes) : containing(toBytes(contains), maxBytes);
  return () => expectation;
}

const containing = (bytes: Buffer, maxBytes: number): AnswerMatcher => ({
  wanted: () => `an answer containing ${show(bytes)}`,
  maxBytes,
  match(received) {
    const at = received.indexOf(bytes);
    return at < 0 ? undefined : at + bytes.length;
  },
});

const equalTo = (bytes: Buffer, maxBytes: number): AnswerMatcher => ({
  wanted: () => `the answer ${show(bytes)}`,
  maxBytes,
  match(received) {
    const compared = Math.min(received.length, bytes.length);
    if (bytes.compare(received, 0, compared, 0, compared) !== 0) throw unexpected(this.wanted(), received);
    return compared === bytes.length ? compared : undefined;
  },
});

/**
 * Limits the CPU time of an answer that comes in small pieces: after scanning this many characters times pattern length,
 * it is scanned again only once it has grown by half.
 */
const RESCAN_BUDGET = 1_000_000;

function matching(pattern: RegExp, maxBytes: number): AnswerMatcher {
  let scanned = 0;
  let lastLength = 0;
  return {
    wanted: () => `an answer matching /${escapeText(pattern.source)}/`,
    maxBytes,
    match(received) {
      if (scanned > RESCAN_BUDGET && received.length < Math.min(1.5 * lastLength, maxBytes)) return undefined;
      const answer = received.toString("utf8").slice(0, MAX_MATCHED_LENGTH);
      scanned += answer.length * pattern.source.length;
      lastLength = received.length;
      const found = pattern.exec(answer);
      return found ? Buffer.byteLength(answer.slice(0, found.index + found[0].length)) : undefined;
    },
  };
}

export const unexpected = (wanted: string, received: Buffer) =>
  new ProbeFailure("unexpected-answer", `expected ${wanted}, got ${show(received)}`, {
    evidence: { received: describeBytes(received) },
  });

/** Shows bytes as text if they are printable, else as hexadecimal. */
export function describeBytes(bytes: Buffer, max = 120): string {
  const start = bytes.subarray(0, max);
  const isText = start.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
  if (isText) return escapeText(start.toString("utf8").trimEnd(), max);
  return `hex ${bytes.subarray(0, max / 2).toString("hex")}${bytes.length > max / 2 ? "…" : ""}`;
}

const show = (bytes: Buffer) => {
  const described = describeBytes(bytes, 80);
  return described.startsWith("hex ") ? described : JSON.stringify(described);
};
