/**
 * Rate limit of each token, so that one caller does not starve the others (IETF draft-ietf-httpapi-ratelimit-headers-10).
 *
 * Each instance of the function counts in memory, and adds to the token's item once in `REPORT_EVERY` calls; the sum of all
 * instances comes with the token, which each request reads anyway. So counting costs one write for 20 calls ($0.03 per
 * million), nothing for quiet tokens, and nothing more for a token over its limit. The price: instances do not see each
 * other's last 19 calls, so ten instances may let 190 calls too many through.
 */
import type { StoredToken, TokenStore } from "../../../shared/store/tokens.ts";
import { Problem } from "./problem.ts";

/** Twenty a second over a minute; a page that opens may ask for all of it at once. */
const PER_MINUTE = 1_200;
const REPORT_EVERY = 20;
const WINDOW_SECONDS = 60;

type Headers = Readonly<Record<string, string>>;

const headersOf = (limit: number, remaining: number, resetSeconds: number): Headers => ({
  "ratelimit-policy": `"token";q=${limit};w=${WINDOW_SECONDS}`,
  ratelimit: `"token";r=${Math.max(0, remaining)};t=${resetSeconds}`,
});

export const createFairShare = (tokens: Pick<TokenStore, "report">, perMinute = PER_MINUTE) => {
  let present = 0;
  /** Calls of the present minute that are not reported yet, by token. */
  let unreported = new Map<string, number>();

  return {
    /**
     * Counts a call.
     * @returns headers of its answer
     * @throws Problem `too-many-requests`
     */
    async admit({ id, name, requests }: StoredToken, now: Date): Promise<Headers> {
      const seconds = Math.floor(now.getTime() / 1000);
      const minute = Math.floor(seconds / WINDOW_SECONDS);
      if (minute !== present) {
        present = minute;
        unreported = new Map();
      }
      const resetSeconds = WINDOW_SECONDS - (seconds % WINDOW_SECONDS);
      const own = (unreported.get(id) ?? 0) + 1;
      const used = (requests.minute === minute ? requests.count : 0) + own;
      const headers = headersOf(perMinute, perMinute - used, resetSeconds);
      if (used > perMinute)
        throw new Problem("too-many-requests", `the token "${name}" may make ${perMinute} calls a minute`, {
          ...headers,
          "retry-after": String(resetSeconds),
        });
      unreported.set(id, own % REPORT_EVERY);
      if (own % REPORT_EVERY === 0) await tokens.report(id, { minute, count: own });
      return headers;
    },
  };
};
export type FairShare = ReturnType<typeof createFairShare>;
