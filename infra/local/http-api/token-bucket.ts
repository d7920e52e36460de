import { steadyNow } from "../scheduler/clock.ts";

/** API Gateway's throttle: a bucket of `burst` requests that fills by `ratePerSecond`. */
export const createTokenBucket = (ratePerSecond: number, burst: number, now: () => number = steadyNow) => {
  let tokens = burst;
  let filledAtMs = now();
  /** @returns whether one more request may pass. */
  return (): boolean => {
    const atMs = now();
    tokens = Math.min(burst, tokens + ((atMs - filledAtMs) / 1_000) * ratePerSecond);
    filledAtMs = atMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
};
