/** Converts a measurement into the outcome that is stored and reported: judged, escaped and cut to size. */
import type { Measured } from "../contract/measured.ts";
import type { CheckSettings, Outcome, Timings } from "../model.ts";
import { assess } from "../rules/health.ts";
import { escapeText } from "../wire/escape-text.ts";
import { NO_TRAFFIC } from "./attempt.ts";
import { fitEvidence } from "./evidence.ts";

const MAX_MESSAGE_LENGTH = 400;

export function toOutcome(check: CheckSettings, measured: Measured, attempts: number): Outcome {
  const { health, reason, message } = assess(check, measured);
  const { state, address, timings, traffic, lossPercent, evidence, fingerprint, stalled } = measured;
  return {
    state,
    reason,
    message: escapeText(message, MAX_MESSAGE_LENGTH),
    health,
    timings: rounded(timings),
    traffic,
    evidence: fitEvidence(evidence),
    attempts,
    address,
    lossPercent,
    fingerprint: fingerprint === undefined ? undefined : escapeText(fingerprint, 200),
    stalled,
  };
}

/** Outcome of a check that an internal error ended: `unmeasured`, because it says nothing about the target. */
export function crashedOutcome(error: unknown): Outcome {
  return {
    state: "unmeasured",
    reason: "cut-short",
    message: escapeText(
      `not checked: an error of Harborlight itself (${error instanceof Error ? error.message : String(error)})`,
      MAX_MESSAGE_LENGTH,
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
