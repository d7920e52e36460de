/**
 * What decisions know and do about dependencies: they read the parents of a monitor that is in trouble, note under the parents
 * whose alerts they hold back, and touch those once a parent is down no more.
 */
import type { Incident, Monitor } from "../../shared/model.ts";
import { holdSeconds, LONGEST_HOLD_SECONDS, recheckSeconds } from "../../shared/monitor/timing.ts";
import { inParallel } from "../../shared/parallel.ts";
import { mayTellChange } from "../../shared/rules/changes.ts";
import type { Decision } from "../../shared/rules/decide.ts";
import {
  alertNamingHeld,
  type Dependencies,
  type Dependent,
  MOST_HELD_NAMES,
  withHeld,
} from "../../shared/rules/dependencies.ts";
import type { DependencyStore } from "../../shared/store/dependencies.ts";
import type { DueStore } from "../../shared/store/due.ts";
import { monitorKey } from "../../shared/store/keys.ts";

const TOUCHES_AT_ONCE = 16;

/** A parent may have become slower since a child named it; it holds the child no longer for that. */
const dependentOf = (monitor: Monitor): Dependent => ({
  monitor,
  holdSeconds: Math.min(holdSeconds(monitor), LONGEST_HOLD_SECONDS),
  recheckSeconds: recheckSeconds(monitor),
});

const hasNews = (monitor: Monitor) =>
  monitor.incident !== null ||
  Object.values(monitor.views).some(({ health }) => health !== "up") ||
  mayTellChange(monitor);

export const createDependencyRules = (store: DependencyStore, { nudge }: Pick<DueStore, "nudge">) => ({
  /** What a decision has to know; undefined, and nothing read, where there is neither trouble nor a change to tell, or it depends on nothing. */
  async of(monitor: Monitor): Promise<Dependencies | undefined> {
    if (monitor.dependsOn.length === 0 || !hasNews(monitor)) return undefined;
    const found = await store.ancestorsOf(monitor);
    return {
      child: dependentOf(monitor),
      ancestors: new Map([...found].map(([id, one]) => [id, dependentOf(one)])),
    };
  },

  /** Notes under its parents that alerts about a monitor are held back, if that is new. */
  async noteHeld(monitor: Monitor, incident: Incident | null, now: Date): Promise<void> {
    const before = monitor.incident?.heldBy ?? [];
    const isKnown = (one: { readonly monitorId: string; readonly startedAt: string }) =>
      before.some(({ monitorId, startedAt }) => monitorId === one.monitorId && startedAt === one.startedAt);
    await store.noteHeld(
      monitor,
      (incident?.heldBy ?? []).filter((one) => !isKnown(one)),
      now,
    );
  },

  /** Puts the children that a monitor's incident held back into the reminders and the recovery that a decision tells. */
  async nameHeld({ id, pendingAlerts: before }: Monitor, decision: Decision): Promise<Decision> {
    const alert = alertNamingHeld(before, decision.pendingAlerts);
    if (!alert) return decision;
    let count = 0;
    const names: string[] = [];
    for await (const page of store.heldBy({ monitorId: id, startedAt: alert.startedAt })) {
      count += page.length;
      names.push(...page.slice(0, MOST_HELD_NAMES).map(({ name }) => name));
    }
    if (count === 0) return decision;
    return { ...decision, pendingAlerts: withHeld(before, decision.pendingAlerts, count, names) };
  },

  /** Has the children that a monitor's incident held back decided again, once it is down no more. */
  async release(
    { id, status, incident }: Monitor,
    decision: Pick<Decision, "status" | "incident">,
    now: Date,
  ): Promise<void> {
    if (!incident?.downSince) return;
    const isOver = decision.incident?.id !== incident.id;
    const isDownNoMore = decision.status !== "down" && decision.status !== status;
    if (!isOver && !isDownNoMore) return;
    for await (const page of store.heldBy({ monitorId: id, startedAt: incident.startedAt }))
      await inParallel(page, TOUCHES_AT_ONCE, async ({ monitorId }) => {
        await nudge(monitorKey(monitorId), now.getTime());
      });
  },
});
export type DependencyRules = ReturnType<typeof createDependencyRules>;
