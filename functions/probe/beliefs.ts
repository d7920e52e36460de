/**
 * What this location knows of its monitors before a tick. The views in the table are authoritative; the previous block
 * is a cache of them, read in one item. The block is trusted only if it is of the tick right before, has no doubt about
 * the view, and is not contradicted by the list of members, which is read again every ten minutes. Otherwise the views
 * are read.
 */
import type { BlockEntry, BlockPlace } from "../../shared/history/block.ts";
import type { Health } from "../../shared/model.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../shared/rules/clock-skew.ts";
import { EMPTY_HISTORY, type History } from "../../shared/rules/judge.ts";
import type { HistoryStore, TickState } from "../../shared/store/history.ts";
import { laneOf } from "../../shared/store/keys.ts";
import type { Member, StoredView, ViewStore } from "../../shared/store/views.ts";

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
  readonly view: StoredView | null | undefined;
  /** Its outcome at the previous tick; undefined unless it was measured with the present settings. */
  readonly entry: BlockEntry | undefined;
  /** Ticks for which the view stays in doubt; goes into this tick's block, unless a view is written. */
  readonly doubt: number;
  /** Whether this run has put up a fence, which its own view replaces. */
  readonly isFenced: boolean;
}

/** @param entry the member's, in the block before the tick */
const fromBlock = (entry: BlockEntry | undefined, isRightBefore: boolean, intervalSeconds: number): Belief => ({
  history: entry ?? EMPTY_HISTORY,
  present: entry?.view ?? null,
  view: undefined,
  entry,
  doubt: isRightBefore && entry ? Math.max(0, entry.doubt - 1) : fullDoubt(intervalSeconds),
  isFenced: false,
});

/** What is known of all members, by id. */
export interface Known {
  readonly beliefs: ReadonlyMap<string, Belief>;
  /** Why late writes could not be fenced off, if so; the tick must then end without a block. */
  readonly unfenced: unknown;
  /** Ids of the monitors that this run has put up a fence for. */
  readonly fenced: ReadonlySet<string>;
}

/** Whether the block's health can be trusted. An absent view cannot: a spot check may have stored one meanwhile. */
const isSure = (entry: BlockEntry | undefined) => entry !== undefined && entry.doubt === 0 && entry.view !== null;

/** What is known of a tick before it is run. */
interface Circumstances extends Pick<TickState, "previous" | "isBegun" | "isUnfinished"> {
  /** Ids of the monitors that this run has put up a fence for already. */
  readonly fenced?: ReadonlySet<string>;
  /** Whether members were read just now: what they say this location believes is then compared. */
  readonly isFresh: boolean;
}

interface Dependencies {
  readonly location: string;
  readonly views: Pick<ViewStore, "views" | "fence">;
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

  /** Members whose view may still be written late: by a run that never ended, or by a write whose result is unknown. */
  const uncertain = (known: ReadonlyMap<string, Belief>, { isBegun, isUnfinished }: Circumstances, lane: number) =>
    [...known.keys()].filter((id) => {
      const entry = known.get(id)!.entry;
      return isBegun || isUnfinished || (entry?.view === null && entry.doubt === fullDoubt(lane));
    });

  const putUpFences = async (
    ids: readonly string[],
    tick: number,
  ): Promise<{ ids: ReadonlySet<string>; error?: unknown }> => {
    try {
      return { ids: await views.fence(ids, location, tick) };
    } catch (error) {
      return { ids: new Set(ids), error }; // some are up, or will be; this run's own views must pass those
    }
  };

  return async (
    { shard, tick }: Omit<BlockPlace, "location">,
    members: readonly Member[],
    circumstances: Circumstances,
  ): Promise<Known> => {
    const { previous, isBegun, isFresh } = circumstances;
    const lane = laneOf(shard);
    const isRightBefore = previous?.tick === tick - lane && !isBegun;
    const ids = previous ? ((await history.roster(previous.roster)) ?? []) : [];
    const entries = new Map(ids.map((id, place) => [id, previous?.entries[place]]));
    const known = new Map<string, Belief>();
    const doubted: string[] = [];
    for (const member of members) {
      const found = entries.get(member.id);
      const entry = found && isOf(member, found, previous!.tick) ? found : undefined;
      known.set(member.id, fromBlock(entry, isRightBefore, lane));
      const isContradicted = isFresh && member.beliefs[location]?.health !== entry?.view;
      if (!isRightBefore || !isSure(entry) || isContradicted) doubted.push(member.id);
    }
    const fences = await putUpFences(uncertain(known, circumstances, lane), tick);
    const fenced = new Set([...(circumstances.fenced ?? []), ...fences.ids]);
    const found = doubted.length > 0 ? await views.views(doubted, location) : new Map<string, StoredView>();
    for (const id of doubted) {
      const belief = known.get(id)!;
      const view = found.get(id) ?? null;
      const present = view?.health ?? null;
      const isSurprise = present !== belief.present;
      known.set(id, { ...belief, present, view, doubt: isSurprise ? fullDoubt(lane) : belief.doubt });
    }
    for (const [id, belief] of known)
      known.set(id, { ...belief, isFenced: fenced.has(id), ...(previous?.offline && { entry: undefined }) });
    return { beliefs: known, unfenced: fences.error, fenced };
  };
};
