/** Turns the result of an attempt into a health: compares it with what the monitor expects. Pure. */
import type { Measured } from "../contract/measured.ts";
import type { CheckSettings, Health } from "../model.ts";
import type { Reason } from "../reasons.ts";

export interface Assessment {
  readonly health: Health;
  readonly reason: Reason | null;
  readonly message: string;
}

/** Settings that decide what counts as healthy. */
export type Expectation = Pick<CheckSettings, "expectedState" | "degradedAboveMs">;

export function assess(check: Expectation, measured: Measured): Assessment {
  const { state, reason, message } = measured;
  if (state === "unmeasured") return { health: "unknown", reason, message };
  return check.expectedState === "closed" ? assessClosed(measured) : assessOpen(check, measured);
}

/**
 * For monitors that expect a closed port: closed and filtered are up, anything that accepts or answers is down. A name
 * that does not resolve proves nothing about the port, and is down too.
 */
function assessClosed({ state, reason, message }: Measured): Assessment {
  if (state === "closed" || state === "filtered")
    return { health: "up", reason: null, message: `${message}, as expected` };
  if (state === "open|filtered")
    return {
      health: "unknown",
      reason: "silent",
      message: `${message}; silence does not prove that the port is closed`,
    };
  if (state === "unresolved") return { health: "down", reason, message };
  return { health: "down", reason: "unexpectedly-open", message: `expected a closed port, but: ${message}` };
}

function assessOpen(check: Expectation, measured: Measured): Assessment {
  const { state, reason, message } = measured;
  if (state === "open|filtered") return assessSilence(measured);
  if (state !== "open") return { health: "down", reason, message };
  const loss = assessLoss(measured);
  if (loss?.health === "down") return loss;
  if (measured.degraded) return { health: "degraded", ...measured.degraded };
  if (loss) return loss;
  const { latencyMs } = measured.timings;
  if (
    check.degradedAboveMs !== null &&
    latencyMs !== undefined &&
    latencyMs > check.degradedAboveMs &&
    !measured.stalled
  )
    return {
      health: "degraded",
      reason: "slow",
      message: `took ${latencyMs.toFixed(1)} ms, at most ${check.degradedAboveMs} ms expected; ${message}`,
    };
  return { health: "up", reason: null, message };
}

function assessSilence({ silence, reason, message }: Measured): Assessment {
  if (silence === "up") return { health: "up", reason: "silent", message: `${message}; silence counts as up` };
  if (silence === "unknown")
    return { health: "unknown", reason: "silent", message: `${message}; silence proves nothing here` };
  return { health: "down", reason, message };
}

function assessLoss({ lossPercent, lossLimits, message }: Measured): Assessment | undefined {
  if (!lossPercent || !lossLimits) return undefined;
  const { degradedAbove, downAbove } = lossLimits;
  if (downAbove !== null && lossPercent > downAbove)
    return {
      health: "down",
      reason: "packet-loss",
      message: `lost ${lossPercent} % of the datagrams, at most ${downAbove} % expected; ${message}`,
    };
  if (degradedAbove !== null && lossPercent > degradedAbove)
    return {
      health: "degraded",
      reason: "packet-loss",
      message: `lost ${lossPercent} % of the datagrams, at most ${degradedAbove} % expected; ${message}`,
    };
  return undefined;
}
