/** Reads the blocks of one shard and location, each with the ids of the monitors whose outcomes it holds. */
import { openBlock } from "../history/block.ts";
import { type PastOutcome, pastOutcome } from "../history/outcome.ts";
import { CorruptHistory, readable } from "../history/packing.ts";
import type { HistoryStore } from "./history.ts";
import { laneOf } from "./keys.ts";

export interface ShardBlock {
  readonly tick: number;
  /** Hash of the roster. */
  readonly roster: string;
  /** Monitors in the order of the rows. */
  readonly ids: readonly string[];
  /**
   * Undefined if it cannot be decoded, for example because a newer version wrote a reason that this one does not know.
   */
  readonly outcome: (row: number) => PastOutcome | undefined;
}

/** Blocks with `from <= tick < to`, oldest first. Corrupt blocks are left out, and the first of them is reported. */
export async function* shardBlocks(
  history: Pick<HistoryStore, "blocks" | "roster" | "unreadable">,
  shard: string,
  location: string,
  from: number,
  to: number,
): AsyncGenerator<ShardBlock> {
  let isTold = false;
  const tell = (error: CorruptHistory) => {
    if (!isTold) history.unreadable(error);
    isTold = true;
  };
  /** Cache that, unlike the store's, also remembers missing rosters. */
  const rosters = new Map<string, readonly string[] | undefined>();
  for await (const { tick, data } of history.blocks(shard, location, from, to)) {
    const block = readable(() => openBlock(data, { shard, location, tick }), tell);
    if (!block) continue;
    const { roster, offline } = block.header;
    if (!rosters.has(roster)) rosters.set(roster, await history.roster(roster));
    const ids = rosters.get(roster);
    if (ids?.length !== block.count) {
      tell(new CorruptHistory(`block ${shard} ${location} ${tick}: its roster ${roster} is missing`));
      continue;
    }
    const outcome = (row: number) => readable(() => pastOutcome(tick, laneOf(shard), offline, block.entry(row)), tell);
    yield { tick, roster, ids, outcome };
  }
}
