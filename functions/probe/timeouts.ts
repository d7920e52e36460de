/**
 * Chooses the timeout of each check in a tick: shorter for targets known to be silent, because waiting costs Lambda
 * time.
 */
import type { CheckRequest } from "../../shared/engine/run.ts";
import type { Outcome } from "../../shared/model.ts";
import { checkAt } from "../../shared/monitor/settings.ts";
import type { Reason } from "../../shared/reasons.ts";
import type { Member } from "../../shared/store/views.ts";
import type { Belief } from "./beliefs.ts";

/**
 * Timeout of a target known to be silent, unless its last answer took longer than a second. Every ten minutes it gets
 * its full timeout, so that a target which has become slow is not taken for dead for longer. Lanes from
 * `SLOW_LANE_SECONDS` on always use the full timeout: there it costs next to nothing.
 */
const DEAD_TIMEOUT_MS = 2_000;
const FULL_TIMEOUT_EVERY_SECONDS = 600;
const SLOW_LANE_SECONDS = 300;
const SLOW_MS = 1_000;
/** Reasons of outcomes that waited until the timeout: silence over TCP, over UDP, and in mid-answer. */
const SILENCE: ReadonlySet<Reason | null> = new Set<Reason | null>(["timeout", "no-answer", "incomplete-answer"]);

export const createTimeouts = (location: string) => {
  /** Ids of targets whose newest answer took long, as seen by this process. */
  const slow = new Set<string>();
  return {
    rememberSlowness(id: string, { state, timings }: Outcome): void {
      if (state !== "open") return;
      if ((timings.latencyMs ?? 0) > SLOW_MS) slow.add(id);
      else slow.delete(id);
    },

    requestFor(member: Member, before: Belief | undefined, tick: number): CheckRequest {
      const { intervalSeconds } = member;
      const isSilent = before?.present === "down" && SILENCE.has(before.entry?.reason ?? null);
      const ticks = intervalSeconds >= SLOW_LANE_SECONDS ? 1 : Math.floor(FULL_TIMEOUT_EVERY_SECONDS / intervalSeconds);
      const isFull = slow.has(member.id) || Math.floor(tick / intervalSeconds) % ticks === 0;
      return {
        id: member.id,
        check: checkAt(location, member),
        first: isSilent,
        ...(isSilent && !isFull && { effectiveTimeoutMs: Math.min(member.timeoutMs, DEAD_TIMEOUT_MS) }),
      };
    },
  };
};
