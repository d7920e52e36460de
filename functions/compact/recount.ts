/**
 * Recounts the members of shards. The API counts a seat before it writes the monitor, and frees none, so the count
 * runs ahead of the index for a moment and of the truth for ever. What two hourly recounts find too many in the same
 * way is no placement in flight; it is taken off, unless a seat was taken meanwhile.
 */
import type { HistoryStore } from "../../shared/store/history.ts";
import type { Shard } from "../../shared/store/planning.ts";
import type { UpkeepStore } from "../../shared/store/upkeep.ts";

export const createRecount =
  (upkeep: UpkeepStore, history: HistoryStore) =>
  async ({ name, members, locations }: Shard): Promise<void> => {
    const seated = await upkeep.seated(name);
    const missing = [...seated.locations].filter((location) => !locations.includes(location));
    if (missing.length > 0) await upkeep.addLocations(name, missing);
    const drift = members - seated.members;
    const { drift: seenBefore } = await history.progress(name);
    const isSettled = drift !== 0 && drift === seenBefore;
    const isFixed = isSettled && (await upkeep.setMembers(name, members, seated.members));
    const seen = isFixed ? 0 : drift;
    if (seen !== seenBefore) await history.rememberDrift(name, seen);
  };
