/**
 * A shard's monitors, remembered between ticks. Reading 250 of them at every tick would cost more than the blocks do, so
 * they are read again when the shard's item, read at every tick, says that something changed.
 */
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** The number tells of every change of settings; this is for what nobody thought of. */
const MAX_AGE_MS = 600_000;
/**
 * After a change every tick reads anew for so long: the API announces a change before it is stored, and the index follows
 * the table within moments.
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
  /** Whether they were read just now, with what each location believes of them. */
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
