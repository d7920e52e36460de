/**
 * Finds when monitors were last checked, and their latency, in the newest block of each shard and location: a page of
 * monitors of one shard costs one read per location.
 */
import type { Monitor, Timestamp } from "../model.ts";
import type { HistoryStore } from "./history.ts";

/** Concurrent reads of blocks. */
const AT_ONCE = 16;

/** The newest outcome of a monitor from any location. */
export interface Newest {
  readonly at: Timestamp;
  readonly latencyMs: number | null;
  readonly lossPercent: number | null;
}

interface Seen {
  readonly tick: number;
  readonly latencyMs: number | null;
  readonly lossPercent: number | null;
}

type Checked = Pick<Monitor, "id" | "shard" | "locations" | "settingsVersion" | "settingsChangedAt" | "paused"> &
  Partial<Pick<Monitor, "views">>;

export const newestOf = async (
  monitors: readonly Checked[],
  history: HistoryStore,
  now: Date,
): Promise<Map<string, Newest>> => {
  const seen = new Map<string, Seen>();
  const note = (id: string, one: Seen) => {
    const known = seen.get(id);
    if (!known || known.tick < one.tick) seen.set(id, one);
  };
  // A spot check writes only a view. Not for paused monitors, whose view tells when it last changed, not the last
  // check.
  for (const { id, views = {}, paused } of monitors)
    for (const { tick } of paused ? [] : Object.values(views)) note(id, { tick, latencyMs: null, lossPercent: null });

  const places = Map.groupBy(
    monitors.flatMap((monitor) => monitor.locations.map((location) => ({ monitor, location }))),
    ({ monitor, location }) => `${monitor.shard} ${location}`,
  );
  const read = async (members: readonly { readonly monitor: Checked; readonly location: string }[]) => {
    const [first] = members;
    if (!first) return;
    const { monitor, location } = first;
    const block = await history.latestBlock(monitor.shard, location, Math.floor(now.getTime() / 1000));
    const roster = block && (await history.roster(block.roster));
    if (!block || !roster) return;
    const rows = new Map(roster.map((id, row) => [id, row]));
    for (const { monitor: member } of members) {
      const entry = block.entries[rows.get(member.id) ?? -1];
      // Only entries of the present settings, and not of a deleted monitor that had the same key.
      const isPresent =
        entry?.settingsByte === (member.settingsVersion & 0xff) &&
        entry.reason !== "paused" &&
        block.tick * 1000 >= Date.parse(member.settingsChangedAt) - 1000;
      const { latencyMs, lossPercent } = entry ?? { latencyMs: null, lossPercent: null };
      if (entry && isPresent) note(member.id, { tick: block.tick, latencyMs, lossPercent });
    }
  };
  const waiting = [...places.values()];
  while (waiting.length > 0) await Promise.all(waiting.splice(0, AT_ONCE).map(read));
  return new Map(
    [...seen].map(([id, { tick, ...figures }]) => [id, { at: new Date(tick * 1000).toISOString(), ...figures }]),
  );
};
