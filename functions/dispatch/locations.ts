/**
 * Watches the watchers: a location that stops sending heartbeats, loses its own network or is configured no more makes its
 * views unusable. When that changes, every monitor checked from there is touched, and the people behind topic `system`
 * are told.
 */
import type { LocationHealth, LocationNews, PendingAlert } from "../../shared/model.ts";
import { pending } from "../../shared/rules/outbox.ts";
import { locationCondition, SILENT_AFTER_SECONDS } from "../../shared/rules/quorum.ts";
import type { DueStore } from "../../shared/store/due.ts";
import { monitorKey } from "../../shared/store/keys.ts";
import type { LocationStore } from "../../shared/store/locations.ts";
import type { PlanningStore } from "../../shared/store/planning.ts";
import type { ViewStore } from "../../shared/store/views.ts";

interface Dependencies {
  readonly locations: readonly string[];
  readonly store: LocationStore;
  readonly planning: PlanningStore;
  readonly views: ViewStore;
  readonly due: DueStore;
  readonly now: () => Date;
  /** A name that nobody used before. */
  readonly newId: () => string;
}

const SENTENCES: Readonly<Record<LocationNews, string>> = {
  working: "works again; its views count.",
  silent: `has sent no heartbeat for ${SILENT_AFTER_SECONDS / 60} minutes; its views do not count until it does.`,
  offline: "cannot reach any of its control targets; its views do not count until it can.",
  removed: "is not configured any more.",
};

export const createLocationWatch = ({ locations, store, planning, views, due, now, newId }: Dependencies) => {
  /** Has every monitor of a location decided again. @returns how many there are */
  const touchAll = async (location: string): Promise<number> => {
    let touched = 0;
    for await (const shards of planning.shards())
      for (const shard of shards) {
        if (!shard.locations.includes(location)) continue;
        for (const { id, locations: own, deletedAt } of await views.members(shard.name)) {
          if (!own.includes(location) || deletedAt) continue;
          await due.nudge(monitorKey(id), now().getTime());
          touched++;
        }
      }
    return touched;
  };

  const look = async (name: string, health: LocationHealth | undefined) => {
    const condition: LocationNews = locations.includes(name) ? locationCondition(health, now()) : "removed";
    const before = await store.announced(name);
    if (condition === before) return;
    const monitors = await touchAll(name); // before the condition is stored: a crash in between touches again
    const outbox: Record<string, PendingAlert> = {};
    const left =
      condition === "removed"
        ? ` Monitors that still name it, and are not checked from there: ${monitors}. Change their locations.`
        : "";
    // That something works, or that nobody misses it, is no news.
    if (condition === "removed" ? monitors > 0 : before !== null || condition !== "working")
      outbox[`system#${newId()}`] = pending(
        {
          kind: "system",
          subject: `Location ${name}: ${condition}`,
          message: `Location ${name} ${SENTENCES[condition]}${left}`,
        },
        ["system"],
        now().toISOString(),
      );
    await store.announce(name, before, condition, outbox, now());
  };

  return async (): Promise<void> => {
    for (const name of locations) await store.ask(name, now(), SILENT_AFTER_SECONDS);
    const healths = new Map((await store.all()).map((health) => [health.name, health]));
    for (const name of new Set([...locations, ...healths.keys()])) await look(name, healths.get(name));
  };
};
