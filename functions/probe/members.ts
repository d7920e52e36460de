/**
 * Caches a shard's monitors between ticks, because reading 250 of them at every tick would cost more than writing
 * blocks. The cache is invalidated by `settingsRevision` of the shard's item, which is read at every tick.
 */
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** Longest age of the cache, as a safety net: `settingsRevision` should reveal every change. */
const MAX_AGE_MS = 600_000;
/**
 * How long every tick reads the members after a change: the API increments the revision before it stores the change,
 * and the index is eventually consistent.
 */
const UNSETTLED_MS = 30_000;

interface Remembered {
  readonly members: readonly Member[];
  readonly revision: number;
  readonly loadedAt: number;
  /** When the revision was first seen. */
  readonly changedAt: number;
}

export interface LoadedMembers {
  readonly members: readonly Member[];
  /** Whether they were read just now, so that their `beliefs` are current. */
  readonly isFresh: boolean;
}

export const createMembers = (views: ViewStore, planning: PlanningStore, now: () => number) => {
  const remembered = new Map<string, Remembered>();
  return async (shard: string): Promise<LoadedMembers> => {
    const revision = await planning.settingsRevision(shard);
    const known = remembered.get(shard);
    const at = now();
    if (
      known?.revision === revision &&
      at - known.loadedAt < MAX_AGE_MS &&
      known.loadedAt - known.changedAt >= UNSETTLED_MS
    )
      return { members: known.members, isFresh: false };
    const members = await views.members(shard);
    const changedAt = known?.revision === revision ? known.changedAt : at;
    remembered.set(shard, { members, revision, loadedAt: at, changedAt });
    return { members, isFresh: true };
  };
};
