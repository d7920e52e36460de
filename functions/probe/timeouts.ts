/** How long a tick waits for each target: waiting for the dead is what costs money. */
import type { CheckRequest } from "../../shared/engine/run.ts";
import type { Outcome } from "../../shared/model.ts";
import type { Reason } from "../../shared/reasons.ts";
import type { Member } from "../../shared/store/views.ts";
import type { Belief } from "./beliefs.ts";

/**
 * A target known to be silent gets this, unless it took longer than a second to answer before, and its full timeout every
 * ten minutes, so that nobody who has become slow is taken for dead for longer. On slow lanes it costs next to nothing.
 */
const DEAD_TIMEOUT_MS = 2_000;
const FULL_TIMEOUT_EVERY_SECONDS = 600;
const SLOW_LANE_SECONDS = 300;
const SLOW_MS = 1_000;
/** Silence by TCP, by UDP and in mid-answer: all were waited for to the end. */
const SILENCE: ReadonlySet<Reason | null> = new Set<Reason | null>(["timeout", "no-answer", "incomplete-answer"]);

export const createTimeouts = () => {
  /** Ids of those whose newest answer took long, as far as this process has seen it. */
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
        check: member,
        first: isSilent,
        ...(isSilent && !isFull && { effectiveTimeoutMs: Math.min(member.timeoutMs, DEAD_TIMEOUT_MS) }),
      };
    },
  };
};
