import { Cron } from "croner";

export interface ScheduleSettings {
  readonly name: string;
  /** `rate(5 minutes)` or `cron(7 * * * ? *)`, as EventBridge Scheduler writes them. */
  readonly expression: string;
  readonly timeZone: string;
}

const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/;
const CRON = /^cron\((.+)\)$/;
const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** `setTimeout` overflows beyond 24.8 days. */
const MAX_WAIT_MS = 2_147_483_647;

/** @returns when the schedule is due next after the given moment, or null when it never is again. */
export type NextRun = (after: Date) => Date | null;

/** @throws when the expression is none that is known here. */
export const parseSchedule = ({ name, expression, timeZone }: ScheduleSettings): NextRun => {
  const [, count, unit] = RATE.exec(expression) ?? [];
  if (count !== undefined) {
    const periodMs = Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
    return (after) => new Date(after.getTime() + periodMs);
  }
  const [, fields] = CRON.exec(expression) ?? [];
  if (fields === undefined) throw new Error(`schedule ${name}: ${expression} is neither rate(…) nor cron(…)`);
  // AWS counts Sunday as 1 and has no seconds.
  const cron = new Cron(`0 ${fields}`, { alternativeWeekdays: true, timezone: timeZone, paused: true });
  return (after) => cron.nextRun(after);
};

/**
 * Runs `fire` whenever the schedule is due. Times missed
 * while the machine slept are made up for by one run.
 * @returns what ends it.
 */
export const startSchedule = (nextRun: NextRun, fire: () => void): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const waitFor = (due: Date | null): void => {
    if (due === null) return;
    const leftMs = due.getTime() - Date.now();
    timer = setTimeout(
      () => {
        if (Date.now() < due.getTime()) return waitFor(due);
        fire();
        // From when it was due, not from now: a late timer does not shift all that follow.
        const next = nextRun(due);
        waitFor(next !== null && next.getTime() < Date.now() ? nextRun(new Date()) : next);
      },
      Math.min(MAX_WAIT_MS, Math.max(0, leftMs)),
    );
  };
  waitFor(nextRun(new Date()));
  return () => clearTimeout(timer);
};
