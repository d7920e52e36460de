/**
 * Follows up on news of a location: nudges its monitors, shard by shard, so that they are decided again; once that has
 * settled, counts those whose status has become unknown, and tells the operator. What a run has no time for, the next
 * one continues.
 */
import { inParallel } from "../../shared/parallel.ts";
import { isPlausible } from "../../shared/rules/clock-skew.ts";
import type { DueStore } from "../../shared/store/due.ts";
import { monitorKey } from "../../shared/store/keys.ts";
import type { LocationState, LocationStore } from "../../shared/store/locations.ts";
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { StandingReader } from "../../shared/store/standing.ts";
import type { ViewStore } from "../../shared/store/views.ts";
import { isCheckedFrom, needsCount } from "./locations.ts";

const NUDGES_AT_ONCE = 16;
/** From the news to the count: by then the quorum's grace period is over, and the decisions are stored. */
const COUNT_AFTER_MS = 360_000;
const NAMES_TOLD = 5;

interface Dependencies {
  readonly store: LocationStore;
  readonly planning: PlanningStore;
  readonly views: ViewStore;
  readonly standing: StandingReader;
  readonly due: DueStore;
  readonly now: () => Date;
  /** Makes a unique id. */
  readonly newId: () => string;
}

export const createAftermath = ({ store, planning, views, standing, due, now, newId }: Dependencies) => {
  const membersOf = async (location: string, shard: string): Promise<string[]> =>
    (await views.members(shard)).filter((member) => isCheckedFrom(location, member)).map(({ id }) => id);

  /** @returns false if time ran out */
  const nudge = async (state: LocationState, hasTime: () => boolean): Promise<boolean> => {
    for (const shard of state.toNudge) {
      await inParallel(await membersOf(state.name, shard), NUDGES_AT_ONCE, async (id) => {
        if (hasTime()) await due.nudge(monitorKey(id), now().getTime());
      });
      if (!hasTime()) return false;
      await store.nudged(state, shard);
    }
    return true;
  };

  const isCountDue = (state: LocationState) => {
    const sinceMs = Date.parse(state.since ?? "");
    return needsCount(state) && (now().getTime() - sinceMs >= COUNT_AFTER_MS || !isPlausible(sinceMs, now()));
  };

  const count = async (state: LocationState, hasTime: () => boolean) => {
    const names: string[] = [];
    let isComplete = true;
    for await (const shards of planning.shards())
      for (const shard of shards.filter(({ locations }) => locations.includes(state.name))) {
        isComplete &&= hasTime();
        if (!isComplete) break;
        for await (const page of standing(await membersOf(state.name, shard.name)))
          names.push(...page.filter(({ status }) => status === "unknown").map(({ name }) => name));
      }
    const message = names.length > 0 && {
      key: `system#${newId()}`,
      content: {
        kind: "system" as const,
        event: "system.monitors-unjudged" as const,
        about: `location.${state.name}`,
        ...unjudged(state, names.toSorted(), isComplete),
      },
    };
    await store.announce(state, { isCounted: true, ...(message && { message }) }, now());
  };

  /** @param names of locations that had news @param hasTime whether this run may go on */
  return async (names: Iterable<string>, hasTime: () => boolean): Promise<void> => {
    for (const name of names) {
      const state = await store.state(name);
      const isDone = await nudge(state, hasTime);
      // Not in the run that nudged: the decisions are stored by the next run.
      if (isDone && state.toNudge.length === 0 && isCountDue(state)) await count(state, hasTime);
    }
  };
};

function unjudged({ name, condition }: LocationState, monitors: readonly string[], isComplete: boolean) {
  const subject = `Location ${name}: monitors that cannot be judged: ${isComplete ? "" : "at least "}${monitors.length}`;
  const some = [...monitors.slice(0, NAMES_TOLD), ...(monitors.length > NAMES_TOLD ? ["…"] : [])].join(", ");
  return { subject, message: `${subject} (${some}). It is ${condition}, and without it their status is unknown.` };
}
