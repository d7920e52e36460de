/** Decides whether an outcome may change a member's view: only such views are read from the table. */
import { HOUR_MS } from "../../shared/durations.ts";
import type { Health, Outcome, View } from "../../shared/model.ts";
import { type History, nextHealth, remember } from "../../shared/rules/judge.ts";
import type { Member } from "../../shared/store/views.ts";
import type { Belief } from "./beliefs.ts";

/** How long a fingerprint is cached. */
const FINGERPRINT_MAX_AGE_MS = HOUR_MS;

/** A member's outcome, with the history and health that follow from it. */
export interface After {
  readonly member: Member;
  readonly outcome: Outcome;
  readonly before: Belief;
  readonly history: History;
  readonly health: Health | null;
}

export const afterOf = (member: Member, outcome: Outcome, before: Belief): After => {
  const history = remember(before.history, outcome.health);
  const health = nextHealth(before.present, history, outcome, member);
  return { member, outcome, before, history, health };
};

/** @param now epoch milliseconds */
export const createViewChanges = (now: () => number) => {
  const fingerprints = new Map<string, { readonly value: string | null; readonly readAt: number }>();
  return {
    mayChange({ member, outcome, before, health }: After): boolean {
      if (health === null) return false;
      if (health !== before.present) return true;
      if (health !== outcome.health) return false; // below a threshold
      if (outcome.state !== before.entry?.state || outcome.reason !== before.entry?.reason) return true;
      if (outcome.fingerprint === undefined) return false;
      const known = fingerprints.get(member.id);
      return !known || known.value !== outcome.fingerprint || now() - known.readAt > FINGERPRINT_MAX_AGE_MS;
    },

    keepFingerprints(seen: Iterable<readonly [id: string, view: View | null | undefined]>): void {
      for (const [id, view] of seen)
        if (view !== undefined) fingerprints.set(id, { value: view?.fingerprint ?? null, readAt: now() });
    },
  };
};
