/**
 * Watches the watchers: a location that stops sending heartbeats, or loses its own network, makes its views unusable.
 * When that changes, every monitor checked from there is touched, and the people behind topic `system` are told.
 */
import { randomUUID } from "node:crypto";
import type { LocationCondition, LocationHealth, PendingAlert } from "../../shared/model.ts";
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
}

const SENTENCES: Readonly<Record<LocationCondition, string>> = {
  working: "works again; its views count.",
  silent: `has sent no heartbeat for ${SILENT_AFTER_SECONDS / 60} minutes; its views do not count until it does.`,
  offline: "cannot reach any of its control targets; its views do not count until it can.",
};

export const createLocationWatch = ({ locations, store, planning, views, due, now }: Dependencies) => {
  /** Has every monitor of a location decided again. */
  const touchAll = async (location: string) => {
    for await (const shards of planning.shards())
      for (const shard of shards) {
        if (!shard.locations.includes(location)) continue;
        for (const member of await views.members(shard.name))
          if (member.locations.includes(location)) await due.touch(monitorKey(member.id));
      }
  };

  const look = async (name: string, health: LocationHealth | undefined) => {
    const condition = locationCondition(health, now());
    const before = await store.announced(name);
    if (condition === before) return;
    await touchAll(name); // before the condition is stored: a crash in between touches again
    const outbox: Record<string, PendingAlert> = {};
    if (before !== null || condition !== "working")
      outbox[`system#${randomUUID()}`] = pending(
        {
          kind: "system",
          subject: `Location ${name}: ${condition}`,
          message: `Location ${name} ${SENTENCES[condition]}`,
        },
        ["system"],
        now().toISOString(),
      );
    await store.announce(name, before, condition, outbox, now());
  };

  return async (): Promise<void> => {
    for (const name of locations) await store.ask(name, now(), SILENT_AFTER_SECONDS);
    const healths = new Map((await store.all()).map((health) => [health.name, health]));
    for (const name of locations) await look(name, healths.get(name));
  };
};
