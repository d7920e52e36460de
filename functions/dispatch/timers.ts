/** Queues the timers that are due before the next run but one, each with its delay; what is overdue goes at once. */
import { delaySeconds } from "../../shared/rules/plan.ts";
import type { DueStore, ItemKey } from "../../shared/store/due.ts";

/** Two runs ahead, so that a run that is late or lost delays nothing. */
const AHEAD_SECONDS = 120;

export interface QueuedTimer {
  readonly key: ItemKey;
  readonly delaySeconds: number;
}

export const createTimers =
  (due: DueStore, queue: (timers: readonly QueuedTimer[]) => Promise<void>, now: () => Date) =>
  async (): Promise<void> => {
    for await (const timers of due.before(new Date(now().getTime() + AHEAD_SECONDS * 1000)))
      await queue(
        timers.map(({ pk, sk, dueAt }) => ({
          key: { pk, sk },
          delaySeconds: delaySeconds(Date.parse(dueAt) / 1000, now()),
        })),
      );
  };
