/** How the times of a check fit into its interval: the rules, and the defaults that follow from them. */

/** Longest timeout in milliseconds: a tick has at most 60 s, writing included. */
export const MAX_TIMEOUT_MS = 57_000;
/** What a tick keeps for writing its results. */
const RESERVED_MS = 1_000;
const MAX_TICK_MS = 60_000;

interface Retries {
  readonly count: number;
  readonly delayMs: number;
}

/** Milliseconds that all attempts of one check have together. */
export const budgetMs = (intervalSeconds: number) => Math.min(intervalSeconds * 1000, MAX_TICK_MS) - RESERVED_MS;

/** Milliseconds that a check takes at most. */
export const attemptsMs = (timeoutMs: number, { count, delayMs }: Retries) => (count + 1) * timeoutMs + count * delayMs;

export const longestTimeoutMs = (intervalSeconds: number) => Math.min(intervalSeconds * 1000 - 3_000, MAX_TIMEOUT_MS);

export const defaultTimeoutMs = (intervalSeconds: number) => (intervalSeconds <= 10 ? 2_000 : 5_000);

export const DEFAULT_RETRY_DELAY_MS = 1_000;

/** Two retries, or as many as fit into the interval. */
export const defaultRetries = (
  intervalSeconds: number,
  timeoutMs: number,
  delayMs = DEFAULT_RETRY_DELAY_MS,
): Retries => {
  const fitting = [2, 1].find((count) => attemptsMs(timeoutMs, { count, delayMs }) <= budgetMs(intervalSeconds));
  return { count: fitting ?? 0, delayMs };
};
