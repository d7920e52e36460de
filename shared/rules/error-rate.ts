/**
 * High error rate: a target that fails often, but never often enough in a row to be down, is degraded. Counted over the last 32
 * checks of a location, which its blocks keep. Pure.
 */
import type { CheckSettings, Outcome } from "../model.ts";
import { type History, remember } from "./judge.ts";

/** Fewer checks say nothing of a share. */
const FEWEST_CHECKS = 8;

/** Failed outcomes among those that are remembered. */
function failuresIn({ bits, bitCount }: Pick<History, "bits" | "bitCount">): number {
  let failures = 0;
  for (let place = 0; place < bitCount; place++) failures += 1 - ((bits >>> place) & 1);
  return failures;
}

/**
 * @param before what is remembered without this outcome
 * @param wasHigh whether the rate was high until now: it is, down to half of the limit
 * @returns the outcome, degraded where it is good by itself and the rate is high
 */
export function withErrorRate(
  outcome: Outcome,
  before: History,
  errorRate: CheckSettings["errorRate"],
  wasHigh: boolean,
): Outcome {
  if (!errorRate || outcome.health !== "up") return outcome;
  const after = remember(before, outcome.health);
  const failures = failuresIn(after);
  const percent = (100 * failures) / after.bitCount;
  const { percentAbove } = errorRate;
  const isHigh = wasHigh ? percent >= percentAbove / 2 : percent > percentAbove;
  if (!isHigh || after.bitCount < FEWEST_CHECKS) return outcome;
  return {
    ...outcome,
    health: "degraded",
    reason: "failures-frequent",
    message: `${failures} of the last ${after.bitCount} checks failed (${Math.round(percent)} %), at most ${percentAbove} % may`,
  };
}
