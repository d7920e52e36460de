/**
 * Recounts the members of shards. The API increments the counter before it writes a monitor and never decrements it, so
 * the counter is too high for a moment while a monitor is created, and for good after one is deleted or moved. A
 * surplus that two hourly recounts find is corrected, unless the counter has changed meanwhile.
 */
import type { HistoryStore } from "../../shared/store/history.ts";
import type { Shard } from "../../shared/store/planning.ts";
import type { Seated, UpkeepStore } from "../../shared/store/upkeep.ts";

export const createRecount =
  (upkeep: UpkeepStore, history: HistoryStore) =>
  /** @returns who is in the shard */
  async ({ name, members, locations }: Shard): Promise<Seated> => {
    const seated = await upkeep.seated(name);
    const missing = [...seated.locations].filter((location) => !locations.includes(location));
    if (missing.length > 0) await upkeep.addLocations(name, missing);
    const drift = members - seated.members;
    const { drift: seenBefore } = await history.progress(name);
    const isSettled = drift !== 0 && drift === seenBefore;
    const isFixed = isSettled && (await upkeep.setMembers(name, members, seated.members));
    const seen = isFixed ? 0 : drift;
    if (seen !== seenBefore) await history.rememberDrift(name, seen);
    return seated;
  };
