/**
 * A shard's monitors, remembered between ticks. Reading 250 of them every ten seconds would cost more than all the
 * rest, so they are read again when the shard's item says that something changed, and once a minute in any case.
 */
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** Settings are never older than this. */
const MAX_AGE_MS = 60_000;
/** The index follows the table within moments; what was read sooner after a change may still lack it. */
const INDEX_LAG_MS = 5_000;

interface Remembered {
  readonly members: readonly Member[];
  readonly revision: number;
  readonly loadedAt: number;
  /** When the revision was first seen. */
  readonly changedAt: number;
}

export const createMembers = (views: ViewStore, planning: PlanningStore, now: () => number) => {
  const remembered = new Map<string, Remembered>();
  return async (shard: string): Promise<readonly Member[]> => {
    const revision = await planning.settingsRevision(shard);
    const known = remembered.get(shard);
    const at = now();
    if (
      known?.revision === revision &&
      at - known.loadedAt < MAX_AGE_MS &&
      known.loadedAt - known.changedAt >= INDEX_LAG_MS
    )
      return known.members;
    const members = await views.members(shard);
    const changedAt = known?.revision === revision ? known.changedAt : at;
    remembered.set(shard, { members, revision, loadedAt: at, changedAt });
    return members;
  };
};
