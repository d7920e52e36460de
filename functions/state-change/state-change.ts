/** One look at one item: what follows from it is stored, then delivered. A record only says that something changed. */
import type { ItemKey, LocationCondition, Timer } from "../../shared/model.ts";
import { type Context, decide } from "../../shared/rules/decide.ts";
import type { DecisionStore } from "../../shared/store/decisions.ts";
import { MONITOR_SK, monitorIdOf } from "../../shared/store/keys.ts";
import type { DeliveryReport } from "./deliver.ts";

/** Timers within this time are queued at once; later ones are found by dispatch, which looks as far ahead. */
const QUEUED_AHEAD_MS = 120_000;

interface Dependencies {
  readonly decisions: DecisionStore;
  readonly conditions: () => Promise<Readonly<Record<string, LocationCondition>>>;
  readonly url: Context["url"];
  readonly mail: boolean;
  readonly deliver: (key: ItemKey, decidedNext: string | null) => Promise<DeliveryReport>;
  /** Has the item touched after a while. */
  readonly ring: (timer: Timer) => void;
  readonly now: () => Date;
}

export const createStateChange = ({ decisions, conditions, url, mail, deliver, ring, now }: Dependencies) => {
  const report = async (key: ItemKey, decidedNext: string | null, isNew: boolean): Promise<DeliveryReport> => {
    const delivery = await deliver(key, decidedNext);
    const next = [decidedNext, delivery.nextAttemptAt].filter((at) => at !== null).toSorted()[0];
    if (next && (isNew || delivery.attempted)) {
      if (Date.parse(next) - now().getTime() <= QUEUED_AHEAD_MS) ring({ ...key, dueAt: next });
    }
    return delivery;
  };

  return async (key: ItemKey): Promise<DeliveryReport> => {
    if (key.sk !== MONITOR_SK) return report(key, null, false); // a location's state has an outbox, and nothing to decide
    const monitor = await decisions.monitor(monitorIdOf(key.pk));
    if (!monitor) return { delivered: 0, undeliverable: 0, nextAttemptAt: null, attempted: false };
    const context = { conditions: await conditions(), url, mail };
    const verdict = decide(monitor, context, now());
    if (verdict.kind === "remove") await decisions.remove(monitor);
    // A lost race needs nothing: the write that won it has a record of its own.
    const stored = verdict.kind === "store" && (await decisions.save(monitor, verdict.decision));
    return report(key, verdict.kind === "remove" ? null : verdict.ownTimerAt, stored);
  };
};
