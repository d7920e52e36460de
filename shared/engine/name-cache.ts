/** Cache of name servers' answers, by name and family. Queries that still run are in it, so that one name is asked for once. */
import type { Family } from "../model.ts";
import type { Answer } from "./name-answers.ts";

/** One query per name and tick, whatever its TTL: less than the shortest interval. */
const SHORTEST_CACHE_MS = 5_000;
/** A moved service is noticed within minutes even where its TTL says a day. */
const LONGEST_CACHE_MS = 300_000;
/** A retry has to ask again. */
const FAILURE_CACHE_MS = 500;

interface CacheEntry {
  readonly answer: Promise<Answer>;
  /** `performance.now()`; infinite while the query runs. */
  expiresAt: number;
}

export type Ask = (name: string, family: Family) => Promise<Answer>;

/** @returns `ask`, which is called only for what the cache does not have */
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
