/** One look at one item: what follows from it is stored, then delivered. A record only says that something changed. */
import type { ItemKey, Monitor, Timer, Timestamp, ViewCondition } from "../../shared/model.ts";
import { type Context, decide } from "../../shared/rules/decide.ts";
import { isTimerKept, nextEvaluation, nextTouch } from "../../shared/rules/timer.ts";
import { type DecisionStore, isOver } from "../../shared/store/decisions.ts";
import { MONITOR_SK, monitorIdOf } from "../../shared/store/keys.ts";
import type { Decided, DeliveryReport } from "./deliver.ts";

/** Timers within this time are queued at once; later ones are found by dispatch, which looks as far ahead. */
const QUEUED_AHEAD_MS = 120_000;

interface Dependencies {
  readonly decisions: DecisionStore;
  /** Keeps, for a while, where the outcomes of a monitor lie that is about to be removed. */
  readonly rememberFormer: (monitor: Monitor, now: Date) => Promise<unknown>;
  readonly conditions: (monitor: Monitor) => Promise<Readonly<Record<string, ViewCondition>>>;
  readonly url: Context["url"];
  readonly channels: Context["channels"];
  readonly deliver: (key: ItemKey, decided: Decided | null) => Promise<DeliveryReport>;
  /** Has the item touched when its timer is due. */
  readonly ring: (timer: Timer) => void;
  readonly now: () => Date;
}

export const createStateChange = (dependencies: Dependencies) => {
  const { decisions, rememberFormer, conditions, url, channels, deliver, ring, now } = dependencies;

  const ringAt = (key: ItemKey, dueAt: Timestamp | null) => {
    if (dueAt !== null && Date.parse(dueAt) - now().getTime() <= QUEUED_AHEAD_MS) ring({ ...key, dueAt });
  };

  /** Whoever brought it up since it was read must not have it tell again what has moved. */
  const removeMoved = async (monitor: Monitor): Promise<void> => {
    let left: Monitor | undefined = monitor;
    while (left?.deletedAt === monitor.deletedAt && !(await decisions.remove(left)))
      left = await decisions.monitor(monitor.id);
  };

  /**
   * Stores what follows for a monitor. A lost race needs nothing: the write that won it has a record of its own.
   * @returns how the monitor was decided, unless it changed meanwhile
   */
  const follow = async (key: ItemKey): Promise<Decided | null> => {
    const monitor = await decisions.monitor(monitorIdOf(key.pk));
    if (!monitor) return null;
    const { revision } = monitor;
    const verdict = decide(monitor, { conditions: await conditions(monitor), url, channels }, now());
    switch (verdict.kind) {
      case "nothing":
        return { revision, ownTimerAt: verdict.ownTimerAt };
      case "store": {
        const { decision, ownTimerAt } = verdict;
        if (!(await decisions.save(monitor, decision, now()))) return null;
        ringAt(key, nextTouch(ownTimerAt, decision.pendingAlerts, now()));
        return { revision: revision + 1, ownTimerAt };
      }
      case "leave":
        await decisions.moveOutbox(monitor, now());
        await rememberFormer(monitor, now());
        await removeMoved(monitor);
        return null;
      case "remove":
        await rememberFormer(monitor, now());
        await decisions.remove(monitor);
        return null;
    }
  };

  /** An item that has nothing but an outbox: a location's state, or what a deleted monitor left. */
  const keepTimer = async (key: ItemKey): Promise<Decided | null> => {
    const item = await decisions.outbox(key);
    if (!item) return null;
    const { revision } = item;
    const dueAt = nextEvaluation(null, item.pendingAlerts, now());
    const isKept = item.lookBy === null && isTimerKept(item.nextEvaluationAt, dueAt, now());
    if (isKept && !isOver(key, item)) return { revision, ownTimerAt: null };
    if (!(await decisions.keepTimer(key, item, dueAt))) return null;
    ringAt(key, nextTouch(null, item.pendingAlerts, now()));
    return { revision: revision + 1, ownTimerAt: null };
  };

  return async (key: ItemKey): Promise<DeliveryReport> => {
    const decided = await (key.sk === MONITOR_SK ? follow(key) : keepTimer(key));
    const report = await deliver(key, decided);
    ringAt(key, report.retryAt);
    return report;
  };
};
