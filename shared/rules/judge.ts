/**
 * Applies the failure and recovery thresholds (hysteresis): how an outcome changes a location's view of a monitor.
 * Pure.
 */
import type { Health, Outcome, View } from "../model.ts";
import { confirm, observe } from "./facts.ts";

/** Unmeasured outcomes (our own fault) in a row before a view becomes `unknown`. */
const UNMEASURED_LIMIT = 3;
/** Where streak counters saturate. */
const LONGEST_STREAK = 127;

/** Recent outcomes of a monitor at one location, as a history block stores them between two ticks. */
export interface History {
  /** Measured outcomes, bit 0 the newest: 1 for up or degraded, 0 for down. */
  readonly bits: number;
  /** How many of the bits are outcomes, 0 to 32. */
  readonly bitCount: number;
  /** Latest measured outcomes in a row that were up, or not up; one of the two is 0. At most `LONGEST_STREAK`. */
  readonly upStreak: number;
  readonly notUpStreak: number;
  /** Latest outcomes in a row with health `unknown`, 0 to 15. */
  readonly unmeasuredStreak: number;
}

export const EMPTY_HISTORY: History = { bits: 0, bitCount: 0, upStreak: 0, notUpStreak: 0, unmeasuredStreak: 0 };

export interface Thresholds {
  readonly failureThreshold: number;
  readonly recoveryThreshold: number;
}

/** Adds an outcome to a history. One with health `unknown` changes only `unmeasuredStreak`. */
export function remember(history: History, health: Health): History {
  if (health === "unknown") return { ...history, unmeasuredStreak: Math.min(15, history.unmeasuredStreak + 1) };
  const isUp = health === "up";
  return {
    bits: ((history.bits << 1) | (health === "down" ? 0 : 1)) >>> 0,
    bitCount: Math.min(32, history.bitCount + 1),
    upStreak: isUp ? Math.min(LONGEST_STREAK, history.upStreak + 1) : 0,
    notUpStreak: isUp ? 0 : Math.min(LONGEST_STREAK, history.notUpStreak + 1),
    unmeasuredStreak: 0,
  };
}

/** Equal bits in a row, counted from the newest outcome. */
function streak({ bits, bitCount }: Pick<History, "bits" | "bitCount">, bit: 0 | 1): number {
  let length = 0;
  while (length < bitCount && ((bits >>> length) & 1) === bit) length++;
  return length;
}

/**
 * The health of a view after an outcome. It becomes worse after `failureThreshold` outcomes in a row that are at
 * least as bad, better after `recoveryThreshold` in a row that are at least as good.
 * @param present the view's health before; null while there is none
 * @param history with this outcome already in it (see `remember`)
 * @returns null while a first view has not met its threshold
 */
export function nextHealth(
  present: Health | null,
  history: History,
  outcome: Pick<Outcome, "health" | "state" | "stalled">,
  { failureThreshold, recoveryThreshold }: Thresholds,
): Health | null {
  const isFirst = present === null || present === "unknown";
  switch (outcome.health) {
    case "unknown": {
      const limit = outcome.state === "unmeasured" ? UNMEASURED_LIMIT : failureThreshold;
      return history.unmeasuredStreak >= limit ? "unknown" : present;
    }
    case "down":
      return streak(history, 0) >= failureThreshold ? "down" : present;
    case "degraded": {
      if (present === "degraded") return present;
      const notDown = streak(history, 1);
      if (present === "down") return notDown >= recoveryThreshold ? "degraded" : present;
      // A target that alternates between up and degraded meets neither threshold: for a first view the newest decides.
      const isSettled = isFirst && notDown >= Math.max(failureThreshold, recoveryThreshold);
      return history.notUpStreak >= failureThreshold || isSettled ? "degraded" : present;
    }
    case "up": {
      // Without a reliable latency, a slow target looks like one that is up.
      if (present === "degraded") return history.upStreak >= recoveryThreshold && !outcome.stalled ? "up" : present;
      if (present === "up") return present;
      return streak(history, 1) >= recoveryThreshold ? "up" : present;
    }
  }
}

/**
 * Returns the changed view after an outcome, or null if there is nothing to write. A view changes with its health,
 * state, reason or facts; `since` moves only with the health.
 */
export function judge(
  view: View | null,
  history: History,
  outcome: Outcome,
  thresholds: Thresholds,
  tick: number,
): View | null {
  const health = nextHealth(view?.health ?? null, history, outcome, thresholds);
  if (health === null) return null;
  const believed = health === outcome.health; // below a threshold the view stays
  if (view && !believed) return null;
  const known = view?.facts ?? null;
  // Kept while nothing answers.
  const facts = outcome.facts ? (outcome.isConfirmed ? confirm : observe)(known, outcome.facts, tick) : known;
  if (
    view &&
    view.health === health &&
    view.state === outcome.state &&
    view.reason === outcome.reason &&
    known === facts
  )
    return null;
  return {
    health,
    state: outcome.state,
    reason: outcome.reason,
    message: outcome.message,
    evidence: outcome.evidence,
    facts,
    address: outcome.address ?? null,
    since: view && view.health === health ? view.since : new Date(tick * 1000).toISOString(),
    tick,
  };
}
