/** One look at one item: what follows from it is stored, then delivered. A record only says that something changed. */
import type { ItemKey, Monitor, Timer, Timestamp, ViewCondition } from "../../shared/model.ts";
import { type Context, decide } from "../../shared/rules/decide.ts";
import { outboxTimer } from "../../shared/rules/outbox.ts";
import type { DecisionStore } from "../../shared/store/decisions.ts";
import { MONITOR_SK, monitorIdOf } from "../../shared/store/keys.ts";
import type { DeliveryReport } from "./deliver.ts";

/** Timers within this time are queued at once; later ones are found by dispatch, which looks as far ahead. */
const QUEUED_AHEAD_MS = 120_000;

interface Dependencies {
  readonly decisions: DecisionStore;
  /** Keeps, for a while, where the outcomes of a monitor lie that is about to be removed. */
  readonly rememberFormer: (monitor: Monitor, now: Date) => Promise<unknown>;
  readonly conditions: (monitor: Monitor) => Promise<Readonly<Record<string, ViewCondition>>>;
  readonly url: Context["url"];
  readonly mail: boolean;
  readonly deliver: (key: ItemKey) => Promise<DeliveryReport>;
  /** Has the item touched when its timer is due. */
  readonly ring: (timer: Timer) => void;
  readonly now: () => Date;
}

export const createStateChange = (dependencies: Dependencies) => {
  const { decisions, rememberFormer, conditions, url, mail, deliver, ring, now } = dependencies;

  const ringAt = (key: ItemKey, dueAt: Timestamp | null) => {
    if (dueAt !== null && Date.parse(dueAt) - now().getTime() <= QUEUED_AHEAD_MS) ring({ ...key, dueAt });
  };

  /** Whoever brought it up since it was read must not have it tell again what has moved. */
  const removeMoved = async (monitor: Monitor): Promise<void> => {
    let left: Monitor | undefined = monitor;
    while (left?.deletedAt === monitor.deletedAt && !(await decisions.remove(left)))
      left = await decisions.monitor(monitor.id);
  };

  /** Stores what follows for a monitor. A lost race needs nothing: the write that won it has a record of its own. */
  const follow = async (key: ItemKey): Promise<void> => {
    const monitor = await decisions.monitor(monitorIdOf(key.pk));
    if (!monitor) return;
    const verdict = decide(monitor, { conditions: await conditions(monitor), url, mail }, now());
    switch (verdict.kind) {
      case "store":
        if (await decisions.save(monitor, verdict.decision)) ringAt(key, verdict.decision.nextEvaluationAt);
        return;
      case "leave":
        await decisions.moveOutbox(monitor, now());
        await rememberFormer(monitor, now());
        await removeMoved(monitor);
        return;
      case "remove":
        await rememberFormer(monitor, now());
        await decisions.remove(monitor);
        return;
    }
  };

  /** An item that has nothing but an outbox: a location's state, or what a deleted monitor left. */
  const keepTimer = async (key: ItemKey): Promise<void> => {
    const item = await decisions.outbox(key);
    if (!item) return;
    const dueAt = outboxTimer(item.pendingAlerts, now());
    const isKept =
      item.lookBy === null &&
      (item.nextEvaluationAt === dueAt ||
        (item.nextEvaluationAt !== null &&
          dueAt !== null &&
          item.nextEvaluationAt < dueAt &&
          item.nextEvaluationAt > now().toISOString()));
    if (isKept) return;
    if (await decisions.keepTimer(key, item, dueAt)) ringAt(key, dueAt);
  };

  return async (key: ItemKey): Promise<DeliveryReport> => {
    await (key.sk === MONITOR_SK ? follow(key) : keepTimer(key));
    return deliver(key);
  };
};
