/** A past outcome as history keeps it, whether it was read from a block or a chunk. */
import type { Health, PortState } from "../model.ts";
import type { Reason } from "../reasons.ts";
import type { BlockEntry } from "./block.ts";

export interface PastOutcome {
  readonly tick: number;
  /** Interval of the monitor at the time: the outcome counts for at most this long. */
  readonly intervalSeconds: number;
  readonly state: PortState;
  readonly reason: Reason | null;
  readonly health: Health;
  /** The location's view after this outcome, thresholds applied; null before its first view. */
  readonly view: Health | null;
  /** The location's own network was down: the outcome says nothing about the target. */
  readonly offline: boolean;
  readonly latencyMs: number | null;
  readonly lossPercent: number | null;
}

/** Fields of an outcome in API answers and exports, in the order of the CSV's columns. */
export const RESULT_COLUMNS = [
  "at",
  "location",
  "state",
  "health",
  "reason",
  "latencyMs",
  "lossPercent",
  "view",
  "offline",
  "maintenance",
] as const;

export const pastOutcome = (
  tick: number,
  intervalSeconds: number,
  offline: boolean,
  { state, reason, health, view, latencyMs, lossPercent }: BlockEntry,
): PastOutcome => ({ tick, intervalSeconds, state, reason, health, view, offline, latencyMs, lossPercent });

/** Whether the check took place and its outcome says something about the target. */
export const isMeasured = ({ health, offline }: Pick<PastOutcome, "health" | "offline">) =>
  health !== "unknown" && !offline;

/** A tick at which a paused monitor was passed over: not a check. */
export const isPaused = ({ reason }: Pick<PastOutcome, "reason">) => reason === "paused";

/**
 * Sorts by tick (in place) and drops duplicates: a monitor that moves may have been checked in two shards at one tick.
 */
export function inTickOrder(outcomes: PastOutcome[]): PastOutcome[] {
  outcomes.sort((a, b) => a.tick - b.tick || a.intervalSeconds - b.intervalSeconds);
  return outcomes.filter(({ tick }, i) => tick !== outcomes[i - 1]?.tick);
}
