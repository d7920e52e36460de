/** What strangers sent, made fit to store and to show: printable, and at most so many bytes of JSON. */
import type { Evidence } from "../model.ts";

export const MAX_EVIDENCE_BYTES = 1024;

const ASCII = /^[\x20-\x7e]*$/;

/** Text of a stranger as one printable line: control characters as `\xNN`, cut with an ellipsis. @param max characters, default 200 */
export function printable(text: string | Uint8Array, max = 200): string {
  if (typeof text === "string" && text.length <= max && ASCII.test(text)) return text;
  const raw =
    typeof text === "string"
      ? text.slice(0, max + 1).toWellFormed()
      : Buffer.from(text.buffer, text.byteOffset, Math.min(text.length, max + 1)).toString("latin1");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  const escaped = raw.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, visible);
  return escaped.length > max || raw.length > max ? `${escaped.slice(0, max - 1)}…` : escaped;
}

const visible = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** The same facts, printable and within the limit: long texts are shortened first, then the last facts go. */
export function fitEvidence(evidence: Evidence, maxBytes = MAX_EVIDENCE_BYTES): Evidence {
  if (Object.keys(evidence).length === 0) return evidence;
  for (const longest of [300, 120, 60, 30]) {
    const fitted = shorten(evidence, longest, 0) as Evidence;
    if (size(fitted) <= maxBytes) return fitted;
  }
  const kept = { ...(shorten(evidence, 30, 0) as Record<string, unknown>) };
  const keys = Object.keys(kept);
  while (size({ ...kept, cut: true }) > maxBytes) delete kept[keys.pop() ?? ""];
  return { ...kept, cut: true };
}

const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

function shorten(value: unknown, longest: number, depth: number): unknown {
  if (typeof value === "string") return printable(value, longest);
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "object" || depth > 5) return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, longest / 2)).toString("hex");
  if (Array.isArray(value))
    return value.slice(0, Math.max(4, longest / 6)).map((item) => shorten(item, longest, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [printable(key, 60), shorten(item, longest, depth + 1)]),
  );
}
