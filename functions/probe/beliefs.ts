/**
 * What this location knows of its monitors before a tick. The views in the table are authoritative; the previous block
 * is a cache of them, read in one item. The block is trusted only if it is of the tick right before, has no doubt about
 * the view, and is not contradicted by the list of members, which is read again every ten minutes. Otherwise the views
 * are read.
 */
import type { Block, BlockEntry } from "../../shared/history/block.ts";
import type { Health, View } from "../../shared/model.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../shared/rules/clock-skew.ts";
import { EMPTY_HISTORY, type History } from "../../shared/rules/judge.ts";
import type { HistoryStore } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** Longest delay of a view's write, because its process was frozen or the network was slow. */
const WRITES_ARRIVE_WITHIN_SECONDS = 120;

/** Number of ticks until a write of a view that was tried can no longer be under way. */
export const fullDoubt = (intervalSeconds: number) =>
  Math.min(255, Math.ceil(WRITES_ARRIVE_WITHIN_SECONDS / intervalSeconds));

/** What is known of a member before its outcome. */
export interface Belief {
  readonly history: History;
  readonly present: Health | null;
  /** The view in the table; undefined if it was not read. */
  readonly view: View | null | undefined;
  /** Its outcome at the previous tick; undefined unless it was measured with the present settings. */
  readonly entry: BlockEntry | undefined;
  /** Ticks for which the view stays in doubt; goes into this tick's block, unless a view is written. */
  readonly doubt: number;
}

/** @param entry the member's, in the block before the tick */
const fromBlock = (entry: BlockEntry | undefined, isRightBefore: boolean, intervalSeconds: number): Belief => ({
  history: entry ?? EMPTY_HISTORY,
  present: entry?.view ?? null,
  view: undefined,
  entry,
  doubt: isRightBefore && entry ? Math.max(0, entry.doubt - 1) : fullDoubt(intervalSeconds),
});

/** Whether the block's health can be trusted. An absent view cannot: a spot check may have stored one meanwhile. */
const isSure = (entry: BlockEntry | undefined) => entry !== undefined && entry.doubt === 0 && entry.view !== null;

interface Dependencies {
  readonly location: string;
  readonly views: Pick<ViewStore, "views">;
  readonly history: Pick<HistoryStore, "roster">;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export const createBeliefs = ({ location, views, history, now }: Dependencies) => {
  /** Whether an entry is of the member's present settings, and not of a deleted monitor that had the same id. */
  const isOf = ({ settingsVersion, settingsChangedAt }: Member, entry: BlockEntry, tick: number) => {
    const changedAtMs = Date.parse(settingsChangedAt);
    const isFuture = changedAtMs > now() + CLOCK_TOLERANCE_SECONDS * 1000; // clock skew: ignored
    return entry.settingsByte === (settingsVersion & 0xff) && (isFuture || tick * 1000 >= changedAtMs - 1000);
  };

  /**
   * @param previous the newest block before the tick
   * @param isBegun whether another run has begun this tick: its views are newer than the block
   * @param isFresh whether the members were read just now: then their `beliefs` are compared with the block
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
