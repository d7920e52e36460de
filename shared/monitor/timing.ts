/** Rules and defaults for the timeout and retries of a check, which must fit into its interval, and what follows from them. */

/** Longest timeout in milliseconds: a tick has at most 60 s, writing included. */
export const MAX_TIMEOUT_MS = 57_000;
/** Time that a tick reserves for writing its results. */
const RESERVED_MS = 1_000;
const MAX_TICK_MS = 60_000;

interface Retries {
  readonly count: number;
  readonly delayMs: number;
}

/** Milliseconds available to all attempts of one check together. */
export const budgetMs = (intervalSeconds: number) => Math.min(intervalSeconds * 1000, MAX_TICK_MS) - RESERVED_MS;

/** Milliseconds that a check takes at most. */
export const attemptsMs = (timeoutMs: number, { count, delayMs }: Retries) => (count + 1) * timeoutMs + count * delayMs;

/** An hour between sweeps, which take minutes and many connections. */
export const defaultIntervalSeconds = (isSwept: boolean) => (isSwept ? 3_600 : 60);

export const longestTimeoutMs = (intervalSeconds: number) => Math.min(intervalSeconds * 1000 - 3_000, MAX_TIMEOUT_MS);

export const defaultTimeoutMs = (intervalSeconds: number) => (intervalSeconds <= 10 ? 2_000 : 5_000);

export const DEFAULT_RETRY_DELAY_MS = 1_000;

/** Two retries, or fewer if they do not fit into the interval. */
export const defaultRetries = (
  intervalSeconds: number,
  timeoutMs: number,
  delayMs = DEFAULT_RETRY_DELAY_MS,
): Retries => {
  const fitting = [2, 1].find((count) => attemptsMs(timeoutMs, { count, delayMs }) <= budgetMs(intervalSeconds));
  return { count: fitting ?? 0, delayMs };
};

/** From the last attempt to the sending of the alert: lag of the job, stream and publishing. */
const DELIVERY_SECONDS = 3;
/** Deciding and storing the alert of a parent, before its children are told of. */
const HOLD_SLACK_SECONDS = 10;
/** The longest that a child waits for one parent's alert. */
export const LONGEST_HOLD_SECONDS = 300;

interface CheckTiming {
  readonly intervalSeconds: number;
  readonly timeoutMs: number;
  readonly retries: Retries;
}
interface AlertTiming extends CheckTiming {
  readonly failureThreshold: number;
  readonly alerts: {
    readonly afterSeconds: number;
    readonly emails?: readonly string[];
    readonly steps?: readonly { readonly afterSeconds: number }[];
  };
}

/** How long trouble must have lasted until somebody is told by the monitor's own settings. */
const firstAfterSeconds = ({ afterSeconds, emails = [], steps: [step] = [] }: AlertTiming["alerts"]) =>
  !step ? afterSeconds : emails.length > 0 ? Math.min(afterSeconds, step.afterSeconds) : step.afterSeconds;

/**
 * Seconds from a change of the port until a location has seen it often enough: the port changes right after a check, each further
 * check that the threshold needs comes an interval later, and the last one uses all its attempts.
 */
const noticedSeconds = ({ intervalSeconds, timeoutMs, retries }: CheckTiming, threshold: number) =>
  Math.ceil(intervalSeconds * threshold + attemptsMs(timeoutMs, retries) / 1000);

/**
 * Longest possible time from the failure of the port to the sending of the alert.
 * @param heldSeconds how long it waits for the alerts of what it depends on; the time until the first step passes meanwhile
 */
export const timeToAlertSeconds = (monitor: AlertTiming, heldSeconds = 0) =>
  noticedSeconds(monitor, monitor.failureThreshold) +
  Math.max(firstAfterSeconds(monitor.alerts), heldSeconds) +
  DELIVERY_SECONDS;

/** Seconds that a child waits for the alert of this parent. */
export const holdSeconds = (parent: AlertTiming) =>
  noticedSeconds(parent, parent.failureThreshold) + firstAfterSeconds(parent.alerts) + HOLD_SLACK_SECONDS;

/** Seconds that a child is given to be seen up again after its parent's recovery. */
export const recheckSeconds = (child: CheckTiming & { readonly recoveryThreshold: number }) =>
  Math.min(noticedSeconds(child, child.recoveryThreshold) + HOLD_SLACK_SECONDS, LONGEST_HOLD_SECONDS);
