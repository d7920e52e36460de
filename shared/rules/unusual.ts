/**
 * Unusual measures: a target that is up, but far from what it is at this hour of the week, is degraded. Says so in numbers. Pure.
 */
import { hourOfWeek, type MeasureName, type Unusual } from "../measures/usual.ts";
import type { Health, Outcome } from "../model.ts";

/** A measure that is unusual now. */
export interface UnusualMeasure extends Unusual {
  readonly measure: MeasureName;
  /** Of this interface; absent for a measure of the whole check. */
  readonly of?: string | undefined;
}
/** The evidence names so many at most. */
const MOST_NAMED = 8;

const WEEKDAYS = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];

/** The lower end of a range that is so much smaller than the upper is called 0. */
const NEXT_TO_NOTHING = 100;

/** An hour of the UTC week: `Fridays at 14:00 UTC`. */
const hourName = (second: number) => {
  const hour = hourOfWeek(second);
  return `${WEEKDAYS[Math.floor(hour / 24)]} at ${String(hour % 24).padStart(2, "0")}:00 UTC`;
};

/** Two digits, or more where it is a whole number of them. */
const rounded = (value: number) =>
  value >= 10 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(2)));

interface Words {
  readonly says: string;
  /** Units, the largest first, with how many of the measure they are. */
  readonly units: readonly (readonly [name: string, size: number])[];
}
const BYTES: Words["units"] = [
  ["GB/s", 1e9],
  ["MB/s", 1e6],
  ["KB/s", 1e3],
  ["B/s", 1],
];
const PACKETS: Words["units"] = [["packets a second", 1]];
const WORDS: Readonly<Record<MeasureName, Words>> = {
  latency: { says: "takes", units: [["ms", 1]] },
  loss: { says: "loses", units: [["% of the datagrams", 1]] },
  inBytes: { says: "receives", units: BYTES },
  outBytes: { says: "sends", units: BYTES },
  inPackets: { says: "receives", units: PACKETS },
  outPackets: { says: "sends", units: PACKETS },
};

/** Of an outcome, or of what history keeps of it. */
export interface Measurable {
  readonly health: Health;
  readonly latencyMs?: number | null;
  readonly timings?: { readonly latencyMs?: number | undefined };
  readonly stalled?: boolean | undefined;
  readonly lossPercent?: number | null | undefined;
}

/** What a check measured; null where it did not, or where it failed. */
export function valueIn({ health, stalled, timings, latencyMs, lossPercent }: Measurable, measure: MeasureName) {
  if (health !== "up" && health !== "degraded") return null;
  if (measure === "latency") return stalled ? null : (timings?.latencyMs ?? latencyMs ?? null);
  return measure === "loss" ? (lossPercent ?? null) : null;
}

/** `takes 840 ms; on Fridays at 14:00 UTC it was 20 to 31 ms`. @param at epoch seconds */
function inWords({ measure, of, mean, low, high }: UnusualMeasure, at: number): string {
  const { says, units } = WORDS[measure];
  const unitOf = (value: number) => units.find(([, size]) => value >= size) ?? units.at(-1)!;
  const least = low < high / NEXT_TO_NOTHING ? 0 : low;
  const [[isUnit, isSize], [wasUnit, wasSize]] = [unitOf(mean), unitOf(high)];
  return `${of === undefined ? "" : `${of} `}${says} ${rounded(mean / isSize)} ${isUnit}; on ${hourName(at)} it was ${rounded(least / wasSize)} to ${rounded(high / wasSize)} ${wasUnit}`;
}

/** @param at epoch seconds. @returns the outcome, degraded where it is good by itself and something is unusual */
export function withUnusual(outcome: Outcome, found: readonly UnusualMeasure[], at: number): Outcome {
  const [worst, ...others] = found.toSorted((a, b) => b.spreads - a.spreads);
  if (!worst || outcome.health !== "up") return outcome;
  const more = others.length === 0 ? "" : `; ${others.length} more unusual, see the evidence`;
  const named = [worst, ...others].map(({ measure, of }) => (of === undefined ? measure : `${of} ${measure}`));
  return {
    ...outcome,
    health: "degraded",
    reason: "unusual",
    message: `${inWords(worst, at)}${more}`,
    evidence: { unusual: named.slice(0, MOST_NAMED), ...outcome.evidence },
  };
}
