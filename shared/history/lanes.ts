/** Run-length codes outcomes of one location into stretches in which the port answered alike. Pure. */
import type { Health, PortState } from "../model.ts";
import type { Reason } from "../reasons.ts";
import { isMeasured, type PastOutcome } from "./outcome.ts";
import type { Range } from "./steps.ts";

/** Epoch seconds, `from <= t < to`. */
export interface PortStretch extends Range {
  readonly state: PortState;
  /** `unknown` if the location's own network was down: the outcomes say nothing about the target. */
  readonly health: Health;
  readonly reason: Reason | null;
}

/**
 * An outcome holds until the next one, at most for one interval. After that, time has no stretch: there is no data.
 * @param outcomes oldest first, at most one per tick
 */
export function* portStretches(outcomes: readonly PastOutcome[], { from, to }: Range): Generator<PortStretch> {
  let open: PortStretch | undefined;
  for (const [i, outcome] of outcomes.entries()) {
    const next = outcomes[i + 1]?.tick ?? Number.POSITIVE_INFINITY;
    const start = Math.max(outcome.tick, from);
    const end = Math.min(outcome.tick + outcome.intervalSeconds, next, to);
    if (start >= end) continue;
    const { state, reason } = outcome;
    const health = isMeasured(outcome) ? outcome.health : "unknown";
    if (open?.to === start && open.state === state && open.health === health && open.reason === reason)
      open = { ...open, to: end };
    else {
      if (open) yield open;
      open = { from: start, to: end, state, health, reason };
    }
  }
  if (open) yield open;
}
