/**
 * Touches items when their timers are due. Upcoming own timers are sent to the queues of two locations, two runs ahead. Overdue
 * ones are touched here: in a queue, a backlog of touches would delay the ticks behind it.
 */
import type { PlannedJob } from "../../shared/jobs.ts";
import { allEnded, inParallel } from "../../shared/parallel.ts";
import { touchJobs } from "../../shared/rules/plan.ts";
import { BUCKETS, type DueStore, type DueTimer } from "../../shared/store/due.ts";

/** Two runs ahead, so that a late or lost run delays no timer. */
const AHEAD_MS = 120_000;
/** From this delay on, the jobs that should have touched the item are taken to be lost. */
const OVERDUE_MS = 30_000;
/** Own timers read from one bucket in a run, limited by memory. The next run reads on. */
const READ_PER_BUCKET = 2_000;
/** Time for touching in a run; the next run does the rest. */
const TOUCHING_MS = 20_000;
const TOUCHES_AT_ONCE = 16;
/** Touches per run, so that a backlog does not flood the stream with records. */
const TOUCHES_PER_RUN = 3_000;

interface Dependencies {
  readonly due: DueStore;
  /** Names of the locations whose queues may carry the jobs. */
  readonly locations: readonly string[];
  readonly sendJobs: (jobs: readonly PlannedJob[]) => Promise<unknown>;
  readonly now: () => Date;
  readonly touchesPerRun?: number;
}

export const createTimers = ({ due, locations, sendJobs, now, touchesPerRun = TOUCHES_PER_RUN }: Dependencies) => {
  const isOverdue = ({ dueAt }: DueTimer) => now().getTime() - Date.parse(dueAt) > OVERDUE_MS;

  return async (): Promise<void> => {
    const endsAt = now().getTime() + TOUCHING_MS;
    let left = touchesPerRun;
    /** @returns false if there was no time for it */
    const touch = async (timer: DueTimer): Promise<boolean> => {
      if (left === 0 || now().getTime() >= endsAt) return false;
      left--;
      await due.touch(timer, now().getTime());
      return true;
    };

    const queueAndTouchOwn = async () => {
      const own: DueTimer[] = [];
      const read = async (bucket: number) => {
        let count = 0;
        for await (const page of due.before(new Date(now().getTime() + AHEAD_MS), [bucket])) {
          own.push(...page);
          count += page.length;
          if (count >= READ_PER_BUCKET) return;
        }
      };
      const reading = allEnded(BUCKETS.own.map(read));
      await Promise.allSettled([reading]); // a bucket that cannot be read does not block the others
      own.sort((a, b) => a.dueAt.localeCompare(b.dueAt));
      const { overdue = [], upcoming = [] } = Object.groupBy(own, (timer) =>
        isOverdue(timer) ? "overdue" : "upcoming",
      );
      await allEnded([
        reading,
        sendJobs(touchJobs(upcoming, locations, now())),
        inParallel(overdue, TOUCHES_AT_ONCE, async (timer) => void (await touch(timer))),
      ]);
    };

    const touchLooks = async (bucket: number) => {
      for await (const page of due.overdueLooks(now(), [bucket])) {
        let hasTime = true;
        await inParallel(page, TOUCHES_AT_ONCE / BUCKETS.look.length, async (timer) => {
          hasTime &&= await touch(timer);
        });
        if (!hasTime) return;
      }
    };

    await allEnded([queueAndTouchOwn(), ...BUCKETS.look.map(touchLooks)]);
  };
};
