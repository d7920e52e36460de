/**
 * Determines which of a monitor's views can be used: whether the location works, whether the monitor's shard is checked
 * from there, and whether a view from before a silence or stall has been confirmed since.
 */
import type { Block } from "../../shared/history/block.ts";
import type { LocationHealth, Monitor, Timestamp, ViewCondition } from "../../shared/model.ts";
import { isBelievable } from "../../shared/rules/clock-skew.ts";
import { locationCondition } from "../../shared/rules/quorum.ts";
import type { HistoryStore } from "../../shared/store/history.ts";

/** A view that stands alone is stale without a block for so many ticks, and this long. A stall of the shard is noticed only later. */
const STALE_TICKS = 3;
const STALE_SECONDS = 60;

interface Dependencies {
  /** Names of all locations. */
  readonly locations: readonly string[];
  readonly healths: () => Promise<readonly LocationHealth[]>;
  readonly history: Pick<HistoryStore, "latestBlock" | "roster">;
  readonly now: () => Date;
}

/** The moment since which a location that checks the monitor has left a block. */
const staleAfter = ({ intervalSeconds }: Monitor, now: Date): Timestamp =>
  new Date(now.getTime() - Math.max(STALE_TICKS * intervalSeconds, STALE_SECONDS) * 1000).toISOString();

/** For one batch of records: caches the health of locations and the newest blocks. */
export const createConditions = ({ locations, healths, history, now }: Dependencies) => {
  const known = healths().then((all) => new Map(all.map((health) => [health.name, health])));
  known.catch(() => {}); // the callers that await it get the error
  const blocks = new Map<string, Promise<{ block: Block; ids: readonly string[] } | undefined>>();

  const newestBlock = (shard: string, location: string) => {
    const name = `${shard} ${location}`;
    const found =
      blocks.get(name) ??
      history.latestBlock(shard, location, Math.floor(now().getTime() / 1000)).then(async (block) => {
        const ids = block && (await history.roster(block.roster));
        return ids && { block, ids };
      });
    blocks.set(name, found);
    return found;
  };

  /** Whether the newest tick since that moment has seen what the view says: one that sees otherwise replaces it only at its threshold. */
  const isConfirmed = async (monitor: Monitor, location: string, since: Timestamp) => {
    const { id, shard, settingsVersion, views } = monitor;
    const newest = await newestBlock(shard, location);
    const entry = newest?.block.entries[newest.ids.indexOf(id)];
    return (
      newest !== undefined &&
      entry !== undefined &&
      !newest.block.offline &&
      entry.health === views[location]?.health &&
      entry.settingsByte === (settingsVersion & 0xff) &&
      newest.block.tick * 1000 >= Date.parse(since)
    );
  };

  const conditionOf = async (monitor: Monitor, location: string, health: LocationHealth | undefined) => {
    const condition = locationCondition(health, now());
    if (condition !== "working") return condition;
    const stalled = health?.stalled[monitor.shard];
    if (stalled && stalled.backSince === null) return "stalled";
    const back = [health?.backSince, stalled?.backSince].filter((at) => isBelievable(at, now())).toSorted();
    const backSince = back.at(-1);
    const view = monitor.views[location];
    // A view of health `unknown` needs no confirmation, and might never get it, where nothing can be measured.
    const isClaim = view && view.health !== "unknown";
    const isOfBefore = backSince && isClaim && view.tick * 1000 < Date.parse(backSince);
    if (isOfBefore && !(await isConfirmed(monitor, location, backSince))) return "unproven";
    // Nothing else contradicts the view of a part of the locations: it must be of now, also before a stall is noticed.
    const staleSince = staleAfter(monitor, now());
    const isAlone = monitor.alerts.minorityAfterSeconds !== null && monitor.status === "up" && view?.health === "down";
    if (!isAlone || view.tick * 1000 >= Date.parse(staleSince)) return condition;
    return (await isConfirmed(monitor, location, staleSince)) ? condition : "doubtful";
  };

  return async (monitor: Monitor): Promise<Readonly<Record<string, ViewCondition>>> => {
    const all = await known;
    const present = monitor.locations.filter((name) => locations.includes(name));
    const conditions = await Promise.all(present.map((name) => conditionOf(monitor, name, all.get(name))));
    return Object.fromEntries(present.map((name, index) => [name, conditions[index]!]));
  };
};
