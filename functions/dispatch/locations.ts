/**
 * Watches the health of locations. The views of a location do not count while it sends no heartbeats, cannot reach its
 * control targets, or is no longer configured. When that changes, the operator gets a message on topic `system`, and
 * every monitor checked from there is decided again.
 */
import type { LocationHealth, LocationNews } from "../../shared/model.ts";
import { inParallel } from "../../shared/parallel.ts";
import { locationCondition, SILENT_AFTER_SECONDS } from "../../shared/rules/quorum.ts";
import type { LocationState, LocationStore } from "../../shared/store/locations.ts";
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

interface Dependencies {
  readonly locations: readonly string[];
  readonly store: LocationStore;
  readonly planning: PlanningStore;
  readonly views: ViewStore;
  readonly now: () => Date;
  /** Makes a unique id. */
  readonly newId: () => string;
}

export interface Watched {
  readonly healths: readonly LocationHealth[];
  /** Locations with news that needs follow-up (see aftermath.ts). */
  readonly unfinished: readonly string[];
}

const READS_AT_ONCE = 16;

const SENTENCES: Readonly<Record<LocationNews, string>> = {
  working: "works again; its views count.",
  silent: `has sent no heartbeat for ${SILENT_AFTER_SECONDS / 60} minutes; its views do not count until it does.`,
  offline: "cannot reach any of its control targets; its views do not count until it can.",
  removed: "is not configured any more.",
};

/** Whether a monitor is checked from a location. */
export const isCheckedFrom = (location: string, { locations, deletedAt }: Member) =>
  locations.includes(location) && !deletedAt;

/** Whether the monitors whose status becomes unknown without a location still have to be counted. */
export const needsCount = ({ condition, isCounted }: LocationState) =>
  (condition === "silent" || condition === "offline") && !isCounted;

export const createLocationWatch = ({ locations, store, planning, views, now, newId }: Dependencies) => {
  /** Shards that may have monitors checked from a location. */
  const shardsOf = async (location: string): Promise<string[]> => {
    const names: string[] = [];
    for await (const shards of planning.shards())
      names.push(...shards.filter((shard) => shard.locations.includes(location)).map(({ name }) => name));
    return names;
  };

  const countMonitors = async (location: string, shards: readonly string[]): Promise<number> => {
    let count = 0;
    await inParallel(shards, READS_AT_ONCE, async (shard) => {
      count += (await views.members(shard)).filter((member) => isCheckedFrom(location, member)).length;
    });
    return count;
  };

  /** @returns whether there is follow-up work for present or earlier news of the location */
  const look = async (name: string, health: LocationHealth | undefined): Promise<boolean> => {
    const condition: LocationNews = locations.includes(name) ? locationCondition(health, now()) : "removed";
    const state = await store.state(name);
    if (condition === state.condition) return state.toNudge.length > 0 || needsCount(state);
    // No message for a new location that works, or for a removed one that no monitor names.
    const isFirst = state.condition === null && condition === "working";
    const toNudge = isFirst ? [] : await shardsOf(name);
    const naming = condition === "removed" ? await countMonitors(name, toNudge) : 0;
    const isNews = condition === "removed" ? naming > 0 : !isFirst;
    const left =
      condition === "removed"
        ? ` Monitors that still name it, and are not checked from there: ${naming}. Change their locations.`
        : "";
    const content = {
      kind: "system" as const,
      event: `system.location-${condition}` as const,
      about: `location.${name}`,
      subject: `Location ${name}: ${condition}`,
      message: `Location ${name} ${SENTENCES[condition]}${left}`,
    };
    // If a concurrent write won, the next run looks again.
    await store.announce(
      state,
      { condition, toNudge, ...(isNews && { message: { key: `system#${newId()}`, content } }) },
      now(),
    );
    return true;
  };

  return async (): Promise<Watched> => {
    for (const name of locations) await store.ask(name, now(), SILENT_AFTER_SECONDS);
    const healths = new Map((await store.all()).map((health) => [health.name, health]));
    const unfinished: string[] = [];
    for (const name of new Set([...locations, ...healths.keys()]))
      if (await look(name, healths.get(name))) unfinished.push(name);
    return { healths: [...healths.values()], unfinished };
  };
};
