/** Converts a measurement into the outcome that is stored and reported: judged, escaped and cut to size. */
import type { Measured } from "../contract/measured.ts";
import type { CheckSettings, Outcome, Timings } from "../model.ts";
import { assess } from "../rules/health.ts";
import { escapeText } from "../wire/escape-text.ts";
import { NO_TRAFFIC } from "./attempt.ts";
import { fitEvidence, fitFacts } from "./evidence.ts";

const MAX_MESSAGE_LENGTH = 400;
/** Views, incidents and alerts in one item each hold a message; characters beyond ASCII take up to three bytes. */
export const MAX_MESSAGE_BYTES = 600;

const messageOf = (text: string): string => {
  const escaped = escapeText(text, MAX_MESSAGE_LENGTH);
  if (Buffer.byteLength(escaped) <= MAX_MESSAGE_BYTES) return escaped;
  const cut = Buffer.from(escaped).subarray(0, MAX_MESSAGE_BYTES - 3);
  return `${cut.toString().replace(/\ufffd+$/, "")}…`;
};

export function toOutcome(check: CheckSettings, measured: Measured, attempts: number): Outcome {
  const { health, reason, message } = assess(check, measured);
  const { state, address, timings, traffic, lossPercent, evidence, facts, poll, stalled } = measured;
  return {
    state,
    reason,
    message: messageOf(message),
    health,
    timings: rounded(timings),
    traffic,
    evidence: fitEvidence(evidence),
    attempts,
    address,
    lossPercent,
    facts: facts && fitFacts(facts, poll !== undefined),
    poll,
    stalled,
  };
}

/** Escapes what was added to an outcome later, and cuts it to size. */
export const fitted = (outcome: Outcome): Outcome => ({
  ...outcome,
  message: messageOf(outcome.message),
  evidence: fitEvidence(outcome.evidence),
});

/** Outcome of a check that an internal error ended: `unmeasured`, because it says nothing about the target. */
export function crashedOutcome(error: unknown): Outcome {
  return {
    state: "unmeasured",
    reason: "cut-short",
    message: messageOf(
      `not checked: an error of Harborlight itself (${error instanceof Error ? error.message : String(error)})`,
    ),
    health: "unknown",
    timings: {},
    traffic: NO_TRAFFIC,
    evidence: {},
    attempts: 1,
  };
}

/** Rounds to microseconds, the clock's resolution. */
function rounded(timings: Timings): Timings {
  const whole: Record<string, number> = {};
  for (const stage in timings) whole[stage] = Math.round(timings[stage as keyof Timings]! * 1000) / 1000;
  return whole;
}
