/**
 * What this location knows of its monitors before a tick: the block of the tick before has it at a glance, the views in
 * the table are the truth. A block is believed only where it is the one right before, has no doubt about the view, and
 * is not contradicted by what the list of members says, which is read anew every ten minutes; elsewhere the views are
 * read.
 */
import type { Block, BlockEntry } from "../../shared/history/block.ts";
import type { Health, View } from "../../shared/model.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../shared/rules/clock-skew.ts";
import { EMPTY_HISTORY, type History } from "../../shared/rules/judge.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** A write of a view may arrive so late: its process was frozen, or the network held it up. */
const WRITES_ARRIVE_WITHIN_SECONDS = 120;

/** Ticks after which no write of a view can be under way any more. */
export const fullDoubt = (intervalSeconds: number) =>
  Math.min(255, Math.ceil(WRITES_ARRIVE_WITHIN_SECONDS / intervalSeconds));

/** What is known of a member before its outcome. */
export interface Belief {
  readonly history: History;
  readonly present: Health | null;
  /** As the table has it; undefined where it was not read. */
  readonly view: View | null | undefined;
  /** Its outcome at the tick right before; undefined without one that was measured for these settings. */
  readonly entry: BlockEntry | undefined;
  /** For the block of this tick, unless a view is written. */
  readonly doubt: number;
}

/** @param entry of the block before the tick, where it may speak of the member */
const fromBlock = (entry: BlockEntry | undefined, isRightBefore: boolean, intervalSeconds: number): Belief => ({
  history: entry ?? EMPTY_HISTORY,
  present: entry?.view ?? null,
  view: undefined,
  entry,
  doubt: isRightBefore && entry ? Math.max(0, entry.doubt - 1) : fullDoubt(intervalSeconds),
});

/** Without a view in the block there may be one by now: a spot check fills the empty place. */
const isSure = (entry: BlockEntry | undefined) => entry !== undefined && entry.doubt === 0 && entry.view !== null;

interface Dependencies {
  readonly location: string;
  readonly views: Pick<ViewStore, "views">;
  readonly history: Pick<HistoryStore, "roster">;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export const createBeliefs = ({ location, views, history, now }: Dependencies) => {
  /** Whether a block may speak of a member: not of its earlier settings, nor of a monitor that had its id before. */
  const isOf = ({ settingsVersion, settingsChangedAt }: Member, entry: BlockEntry, tick: number) => {
    const changedAtMs = Date.parse(settingsChangedAt);
    const isFuture = changedAtMs > now() + CLOCK_TOLERANCE_SECONDS * 1000; // a clock was ahead: it tells nothing
    return entry.settingsByte === (settingsVersion & 0xff) && (isFuture || tick * 1000 >= changedAtMs - 1000);
  };

  /**
   * @param previous the newest block before the tick
   * @param isBegun whether another run was at this tick: its views are younger than the block
   * @param isFresh whether members were read just now: what they say this location believes is then compared
   */
  return async (
    shard: string,
    tick: number,
    members: readonly Member[],
    previous: Block | undefined,
    isBegun: boolean,
    isFresh: boolean,
  ): Promise<Map<string, Belief>> => {
    const lane = laneOf(shard);
    const isRightBefore = previous?.tick === tick - lane && !isBegun;
    const ids = previous ? ((await history.roster(previous.roster)) ?? []) : [];
    const entries = new Map(ids.map((id, place) => [id, previous?.entries[place]]));
    const known = new Map<string, Belief>();
    const doubted: string[] = [];
    for (const member of members) {
      const found = entries.get(member.id);
      const entry = found && isOf(member, found, previous!.tick) ? found : undefined;
      const belief = fromBlock(entry, isRightBefore, lane);
      known.set(member.id, previous?.offline ? { ...belief, entry: undefined } : belief);
      const isContradicted = isFresh && member.beliefs[location]?.health !== entry?.view;
      if (!isRightBefore || !isSure(entry) || isContradicted) doubted.push(member.id);
    }
    if (doubted.length === 0) return known;
    const found = await views.views(doubted, location);
    for (const id of doubted) {
      const belief = known.get(id)!;
      const view = found.get(id) ?? null;
      const present = view?.health ?? null;
      const isSurprise = present !== belief.present;
      known.set(id, { ...belief, present, view, doubt: isSurprise ? fullDoubt(lane) : belief.doubt });
    }
    return known;
  };
};
