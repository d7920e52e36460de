/**
 * A day of a realistic fleet, for measuring what history costs. Deterministic by seed.
 *
 * The model, per monitor: a base latency log-uniform from 0.5 to 250 ms (same rack to other continent) and a jitter
 * of its own, log-uniform from 1 % (idle network) to 20 % (busy server), applied as a gamma-like tail above the base as
 * queues make it, because nothing arrives earlier than the path allows; a swing of 5 % over the day; 1 % of outcomes three
 * to ten times slower (collections, retransmissions); one change of route a week (base times 0.7 to 1.5). Once
 * in ten days the target refuses or is silent for one to five minutes. `silentShare` of the targets never answer. One monitor
 * in ten is UDP with three datagrams, of which 0.2 % are lost.
 */
import type { Health, PortState } from "../../shared/model.ts";
import type { Reason } from "../../shared/reasons.ts";

export interface NoisyOutcome {
  readonly state: PortState;
  readonly reason: Reason | null;
  readonly health: Health;
  readonly latencyMs: number | null;
  readonly lossPercent: number | null;
}

/** Uniform numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One monitor's outcomes, tick by tick. */
export function noisyTarget(seed: number, { silentShare = 0.01, intervalSeconds = 60 } = {}) {
  const random = randomFrom(seed * 2_654_435_761);
  const logUniform = (low: number, high: number) => low * (high / low) ** random();
  const isSilent = random() < silentShare;
  const isUdp = random() < 0.1;
  let base = logUniform(0.5, 250);
  const jitter = logUniform(0.01, 0.2);
  let failingUntil = 0;
  let reason: Reason = "timeout";

  return (tick: number): NoisyOutcome => {
    if (isSilent)
      return failure(isUdp ? "open|filtered" : "filtered", isUdp ? "no-answer" : "timeout", isUdp ? 100 : null);
    if (tick >= failingUntil && random() < intervalSeconds / 864_000) {
      failingUntil = tick + 60 * (1 + Math.floor(random() * 5));
      reason = random() < 0.5 ? "connection-refused" : "timeout";
    }
    if (tick < failingUntil) return failure(reason === "timeout" ? "filtered" : "closed", reason, isUdp ? 100 : null);
    if (random() < intervalSeconds / 604_800) base *= logUniform(0.7, 1.5);
    const swing = 1 + 0.05 * Math.sin((tick / 86_400) * 2 * Math.PI);
    // The sum of two exponentials: never below the path's own time, most often a little above it.
    const queueing = -jitter * Math.log((1 - random()) * (1 - random())) * 0.7;
    const spike = random() < 0.01 ? logUniform(3, 10) : 1;
    const lost = isUdp ? [0, 1, 2].filter(() => random() < 0.002).length : 0;
    return {
      state: "open",
      reason: null,
      health: "up",
      latencyMs: base * swing * (1 + queueing) * spike,
      lossPercent: isUdp ? (lost * 100) / 3 : null,
    };
  };
}

const failure = (state: PortState, reason: Reason, lossPercent: number | null): NoisyOutcome => ({
  state,
  reason,
  health: "down",
  latencyMs: null,
  lossPercent,
});
