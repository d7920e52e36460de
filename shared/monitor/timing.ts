/** Rules and defaults for the timeout and retries of a check, which must fit into its interval. */

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

interface AlertTiming {
  readonly intervalSeconds: number;
  readonly failureThreshold: number;
  readonly timeoutMs: number;
  readonly retries: Retries;
  readonly alerts: { readonly afterSeconds: number };
}

/**
 * Longest possible time from the failure of the port to the sending of the alert: the port fails right after a check,
 * each further check that the threshold needs comes an interval later, the last one uses all its attempts, and
 * `afterSeconds` starts after it.
 */
export const timeToAlertSeconds = ({ intervalSeconds, failureThreshold, timeoutMs, retries, alerts }: AlertTiming) =>
  Math.ceil(intervalSeconds * failureThreshold + attemptsMs(timeoutMs, retries) / 1000) +
  alerts.afterSeconds +
  DELIVERY_SECONDS;
