/** Sanitises evidence, which contains text from untrusted servers: printable characters only, bounded size as JSON. */
import type { Evidence, Facts } from "../model.ts";
import { FACT_KEY } from "../rules/fact-names.ts";
import { escapeText } from "../wire/escape-text.ts";

export const MAX_EVIDENCE_BYTES = 1024;

/** Escapes the evidence and fits it into `maxBytes` of JSON: shortens long texts first, then drops the last facts and sets `cut`. */
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

const FEW_FACTS = { count: 40, bytes: MAX_EVIDENCE_BYTES };
const MANY_FACTS = { count: 200, bytes: 6 * 1024 };
const MAX_FACT_CHARACTERS = 200;

/**
 * Escapes facts, and drops the last ones that do not fit into 40, or into 1 KB of JSON; undefined if there are none.
 * @param isMany whether there is room for those of a device with many interfaces
 */
export function fitFacts(facts: Facts, isMany = false): Facts | undefined {
  const fitted: Record<string, string> = {};
  const room = isMany ? MANY_FACTS : FEW_FACTS;
  let bytes = 2;
  for (const [key, value] of Object.entries(facts).slice(0, room.count)) {
    const short = escapeText(value, MAX_FACT_CHARACTERS);
    bytes += size(key) + size(short) + 2;
    if (bytes > room.bytes) break;
    if (FACT_KEY.test(key)) fitted[key] = short;
  }
  return Object.keys(fitted).length > 0 ? fitted : undefined;
}

const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

function shorten(value: unknown, longest: number, depth: number): unknown {
  if (typeof value === "string") return escapeText(value, longest);
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "object" || depth > 5) return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, longest / 2)).toString("hex");
  if (Array.isArray(value))
    return value.slice(0, Math.max(4, longest / 6)).map((item) => shorten(item, longest, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [escapeText(key, 60), shorten(item, longest, depth + 1)]),
  );
}
