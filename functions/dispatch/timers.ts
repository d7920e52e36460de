/** Has what has a timer touched when it is due: by jobs that wait in a location's queue, two runs ahead. */
import type { PlannedJob } from "../../shared/model.ts";
import { touchJobs } from "../../shared/rules/plan.ts";
import type { DueStore } from "../../shared/store/due.ts";

/** So that a run that is late or lost delays nothing. */
const AHEAD_MS = 120_000;
/** Overdue for so long, the job that should have touched it did not: it is touched here and now. */
const OVERDUE_MS = 90_000;
const TOUCHES_AT_ONCE = 8;
/** More would keep a run from ending before the next one, which touches the rest. */
const TOUCHES_PER_RUN = 400;

interface Dependencies {
  readonly due: DueStore;
  /** Names of the locations whose queues may carry the jobs. */
  readonly locations: readonly string[];
  readonly sendJobs: (jobs: readonly PlannedJob[]) => Promise<unknown>;
  readonly now: () => Date;
}

export const createTimers =
  ({ due, locations, sendJobs, now }: Dependencies) =>
  async (): Promise<void> => {
    let touches = 0;
    for await (const timers of due.before(new Date(now().getTime() + AHEAD_MS))) {
      const overdue = timers.filter(({ dueAt }) => now().getTime() - Date.parse(dueAt) > OVERDUE_MS);
      const forgotten = overdue.slice(0, TOUCHES_PER_RUN - touches);
      touches += forgotten.length;
      const touch = async () => {
        for (let timer = forgotten.shift(); timer; timer = forgotten.shift()) await due.touch(timer, now().getTime());
      };
      const upcoming = timers.map(({ pk, sk, dueAt }) => ({ pk, sk, dueAt }));
      await Promise.all([
        sendJobs(touchJobs(upcoming, locations, now())),
        ...Array.from({ length: TOUCHES_AT_ONCE }, touch),
      ]);
    }
  };
