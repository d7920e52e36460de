/** DNS cache by name and address family. It also holds running queries, so that concurrent checks of one name share a query. */
import type { Family } from "../model.ts";
import type { Answer } from "./name-answers.ts";

/** Minimum TTL, shorter than the shortest interval: one query per name and tick even where the TTL is 0. */
const SHORTEST_CACHE_MS = 5_000;
/** Maximum TTL: a moved service is noticed within minutes even where its TTL is a day. */
const LONGEST_CACHE_MS = 300_000;
/** TTL of failures (negative caching): the default delay of retries, so that a retry asks again. */
const FAILURE_CACHE_MS = 500;

interface CacheEntry {
  readonly answer: Promise<Answer>;
  /** `performance.now()`; infinite while the query runs. */
  expiresAt: number;
}

export type Ask = (name: string, family: Family) => Promise<Answer>;

/** Wraps `ask` with a cache. */
export function cached(ask: Ask): Ask {
  const cache = new Map<string, CacheEntry>();
  return (name, family) => {
    const key = `${family} ${name.toLowerCase()}`;
    const known = cache.get(key);
    if (known && performance.now() < known.expiresAt) return known.answer;
    const entry: CacheEntry = { answer: ask(name, family), expiresAt: Number.POSITIVE_INFINITY };
    if (cache.size >= 10_000) cache.clear();
    cache.set(key, entry);
    void entry.answer.then((answer) => {
      const keepMs =
        answer.kind === "found"
          ? Math.min(Math.max(answer.ttlMs, SHORTEST_CACHE_MS), LONGEST_CACHE_MS)
          : FAILURE_CACHE_MS;
      entry.expiresAt = performance.now() + keepMs;
    });
    return entry.answer;
  };
}
