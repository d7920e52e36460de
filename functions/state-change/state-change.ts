/** Processes one changed item: reads it, stores the decision that follows, and delivers its outbox. */
import type { Timer } from "../../shared/jobs.ts";
import type { ItemKey, Monitor, Timestamp, ViewCondition } from "../../shared/model.ts";
import { type Context, decide } from "../../shared/rules/decide.ts";
import { isTimerKept, nextEvaluation, nextTouch } from "../../shared/rules/timer.ts";
import { type DecisionStore, isOver } from "../../shared/store/decisions.ts";
import { MONITOR_SK, monitorIdOf } from "../../shared/store/keys.ts";
import type { Alerting } from "./alerting.ts";
import type { Decided, DeliveryReport } from "./deliver.ts";
import type { DependencyRules } from "./dependencies.ts";

interface Given {
  readonly decisions: DecisionStore;
  /** Keeps what finds the history of a monitor that is about to be deleted. */
  readonly rememberFormer: (monitor: Monitor, now: Date) => Promise<unknown>;
  readonly conditions: (monitor: Monitor) => Promise<Readonly<Record<string, ViewCondition>>>;
  readonly url: Context["url"];
  readonly channels: Context["channels"];
  /** Policies and maintenance windows, read anew for each batch. */
  readonly alerting: Alerting;
  readonly dependencies: DependencyRules;
  readonly deliver: (key: ItemKey, decided: Decided | null) => Promise<DeliveryReport>;
  /** Queues a job that touches the item when its timer is due. */
  readonly queueTimer: (timer: Timer) => void;
  readonly now: () => Date;
}

export const createStateChange = (given: Given) => {
  const { decisions, rememberFormer, conditions, url, channels, alerting, dependencies, deliver, queueTimer, now } =
    given;

  const queueIfAny = (key: ItemKey, dueAt: Timestamp | null) => {
    if (dueAt !== null) queueTimer({ ...key, dueAt });
  };

  /**
   * Deletes a monitor whose outbox was moved; retried after concurrent changes, or its outbox would be delivered twice.
   */
  const removeMoved = async (monitor: Monitor): Promise<void> => {
    let left: Monitor | undefined = monitor;
    while (left?.deletedAt === monitor.deletedAt && !(await decisions.remove(left)))
      left = await decisions.monitor(monitor.id);
  };

  /**
   * Decides about a monitor and stores the decision. After a lost race nothing is done: the winning write has a stream
   * record of its own.
   * @returns null if the monitor is gone or has changed meanwhile
   */
  const decideMonitor = async (key: ItemKey): Promise<Decided | null> => {
    const monitor = await decisions.monitor(monitorIdOf(key.pk));
    if (!monitor) return null;
    const { revision } = monitor;
    const known = await dependencies.of(monitor);
    const verdict = decide(
      monitor,
      { conditions: await conditions(monitor), url, channels, ...(await alerting()), dependencies: known },
      now(),
    );
    switch (verdict.kind) {
      case "nothing":
        return { revision, ownTimerAt: verdict.ownTimerAt };
      case "store": {
        const { ownTimerAt } = verdict;
        const decision = await dependencies.nameHeld(monitor, verdict.decision);
        // Before the decision is stored: a child that is not noted would not be touched by its parent's recovery.
        await dependencies.noteHeld(monitor, decision.incident, now());
        if (!(await decisions.save(monitor, decision, now()))) return null;
        await dependencies.release(monitor, decision, now());
        queueIfAny(key, nextTouch(ownTimerAt, decision.pendingAlerts, now()));
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

  /** Sets the timer of an item that is only an outbox: a location's state, or the outbox of a deleted monitor. */
  const keepTimer = async (key: ItemKey): Promise<Decided | null> => {
    const item = await decisions.outbox(key);
    if (!item) return null;
    const { revision } = item;
    const dueAt = nextEvaluation(null, item.pendingAlerts, now());
    const isKept = item.lookBy === null && isTimerKept(item.nextEvaluationAt, dueAt, now());
    if (isKept && !isOver(key, item)) return { revision, ownTimerAt: null };
    if (!(await decisions.keepTimer(key, item, dueAt))) return null;
    queueIfAny(key, nextTouch(null, item.pendingAlerts, now()));
    return { revision: revision + 1, ownTimerAt: null };
  };

  return async (key: ItemKey): Promise<void> => {
    const decided = await (key.sk === MONITOR_SK ? decideMonitor(key) : keepTimer(key));
    const report = await deliver(key, decided);
    queueIfAny(key, report.retryAt);
  };
};
