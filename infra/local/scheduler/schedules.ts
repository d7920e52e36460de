import { Cron } from "croner";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../shared/durations.ts";
import { steadyNow } from "./clock.ts";

export interface ScheduleSettings {
  readonly name: string;
  /** `rate(5 minutes)` or `cron(7 * * * ? *)`, as EventBridge Scheduler writes them. */
  readonly expression: string;
  readonly timeZone: string;
}

const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/;
const CRON = /^cron\((.+)\)$/;
const UNIT_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };
/** Longest timer: the system clock may be changed, and timers stand still while the machine sleeps, so look this often. */
const MAX_WAIT_MS = 60_000;

export interface Schedule {
  /** The schedule's clock in epoch milliseconds: the wall clock for cron, the steady clock for rates. */
  readonly now: () => number;
  /** @returns when it is due next after the given moment, or null when it never is again. */
  readonly next: (afterMs: number) => number | null;
}

/** @throws when the expression is neither a rate nor a cron expression */
export const parseSchedule = ({ name, expression, timeZone }: ScheduleSettings): Schedule => {
  const [, count, unit] = RATE.exec(expression) ?? [];
  if (count !== undefined) {
    const periodMs = Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
    return { now: steadyNow, next: (afterMs) => afterMs + periodMs };
  }
  const [, fields] = CRON.exec(expression) ?? [];
  if (fields === undefined) throw new Error(`schedule ${name}: ${expression} is neither rate(…) nor cron(…)`);
  // AWS counts Sunday as 1 and has no seconds.
  const cron = new Cron(`0 ${fields}`, { alternativeWeekdays: true, timezone: timeZone, paused: true });
  return { now: () => Date.now(), next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? null };
};

/**
 * Calls `fire` whenever the schedule is due. Times missed while the machine slept or when its clock was set forward are
 * made up for by one run; a clock that is set back postpones nothing beyond the next time of day.
 * @returns a function that stops the schedule
 */
export const startSchedule = ({ now, next }: Schedule, fire: () => void): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const waitFor = (dueMs: number | null): void => {
    if (dueMs === null) return;
    timer = setTimeout(() => waitFor(look(dueMs)), Math.min(MAX_WAIT_MS, Math.max(0, dueMs - now())));
  };
  /** @returns when it is due next */
  const look = (dueMs: number): number | null => {
    const nowMs = now();
    if (nowMs < dueMs) return Math.min(dueMs, next(nowMs) ?? dueMs);
    fire();
    // Counted from the due time, not from now: a late timer must not shift all later ones.
    const following = next(dueMs);
    return following !== null && following < nowMs ? next(nowMs) : following;
  };
  waitFor(next(now()));
  return () => clearTimeout(timer);
};
