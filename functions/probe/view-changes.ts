/** Decides whether an outcome may change a member's view: only such views are read from the table. */
import { HOUR_MS } from "../../shared/durations.ts";
import type { Health, Outcome, View } from "../../shared/model.ts";
import type { Reason } from "../../shared/reasons.ts";
import { withErrorRate } from "../../shared/rules/error-rate.ts";
import { observe, type Sightings } from "../../shared/rules/facts.ts";
import { type History, nextHealth, remember } from "../../shared/rules/judge.ts";
import type { Member } from "../../shared/store/views.ts";
import { type Belief, fullDoubt } from "./beliefs.ts";

/** How long a view's facts are kept in memory. */
const FACTS_MAX_AGE_MS = HOUR_MS;

/** A member's outcome, with the history and health that follow from it. */
export interface After {
  readonly member: Member;
  readonly outcome: Outcome;
  readonly before: Belief;
  readonly history: History;
  readonly health: Health | null;
}

/**
 * Whether the view has been degraded for a reason until now. A failed check hides the reason of the one before it, and leaves the view
 * degraded only where it has to be followed by others.
 */
export const wasDegradedBy = (reason: Reason, { present, entry }: Belief) =>
  present === "degraded" && (entry?.reason === reason || entry?.health === "down");

/** What a good check would see: another one is tried again. What is found of many checks is no result of a single one. */
export const expectedHealth = ({ errorRate, unusual }: Member, before: Belief): Health | null =>
  (errorRate && wasDegradedBy("failures-frequent", before)) || (unusual && wasDegradedBy("unusual", before))
    ? "up"
    : before.present;

export const afterOf = (member: Member, seen: Outcome, before: Belief): After => {
  const outcome = withErrorRate(seen, before.history, member.errorRate, wasDegradedBy("failures-frequent", before));
  const history = remember(before.history, outcome.health);
  const health = nextHealth(before.present, history, outcome, member);
  return { member, outcome, before, history, health };
};

/** The tick whose outcomes are judged. */
interface Tick {
  /** Epoch seconds. */
  readonly tick: number;
  readonly intervalSeconds: number;
}

interface KnownFacts {
  readonly facts: Sightings | null;
  /** Epoch milliseconds. */
  readonly readAt: number;
  /** The last tick before which this process knew of every write to the view. */
  readonly tick: number;
}

/** @param now epoch milliseconds */
export const createViewChanges = (now: () => number) => {
  const known = new Map<string, KnownFacts>();

  /**
   * Facts of a member's view, or undefined if they have to be read. Another process may run the ticks between, and write
   * the view: blocks then say for a while that views have to be read, so facts in memory hold unless that was missed.
   */
  const factsOf = ({ member: { id }, before }: After, { tick, intervalSeconds }: Tick): KnownFacts | undefined => {
    if (before.view !== undefined) return { facts: before.view?.facts ?? null, readAt: now(), tick };
    const last = known.get(id);
    if (!last || now() - last.readAt > FACTS_MAX_AGE_MS) return undefined;
    if (tick - last.tick > fullDoubt(intervalSeconds) * intervalSeconds) return undefined;
    return { ...last, tick };
  };

  return {
    mayChange(after: After, at: Tick): boolean {
      const { member, outcome, before, health } = after;
      if (health === null) return false;
      if (health !== before.present) return true;
      if (health !== outcome.health) return false; // below a threshold
      if (outcome.state !== before.entry?.state || outcome.reason !== before.entry?.reason) return true;
      if (outcome.facts === undefined) return false;
      // A sweep that somebody asked for may have changed the view meanwhile.
      if (outcome.isConfirmed) return true;
      const last = factsOf(after, at);
      if (!last) return true;
      known.set(member.id, last);
      return observe(last.facts, outcome.facts, Math.floor(now() / 1000)) !== last.facts;
    },

    /** @param tick at which the views were read or written */
    keepFacts(seen: Iterable<readonly [id: string, view: View | null | undefined]>, tick: number): void {
      for (const [id, view] of seen)
        if (view !== undefined) known.set(id, { facts: view?.facts ?? null, readAt: now(), tick });
        else known.delete(id);
    },
  };
};
