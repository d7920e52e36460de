/**
 * Limits failed logins by source address. Counted in the table, because each instance of the function sees only some of
 * them; a source that is refused is remembered in memory, so that it costs no further reads or writes in that minute. A
 * source therefore costs some ten writes a minute, and all of them no more than the gateway lets through to the login.
 */
import { sourceOf } from "../../../shared/source-address.ts";
import type { SessionStore } from "../../../shared/store/sessions.ts";
import { Problem } from "./problem.ts";

const FAILURES_PER_MINUTE = 10;

type Failures = Pick<SessionStore, "failures" | "countFailure">;

export const createLoginGuard = (store: Failures) => {
  let present = 0;
  let refused = new Set<string>();

  const refuse = (source: string, now: Date): never => {
    refused.add(source);
    throw new Problem("too-many-requests", `${FAILURES_PER_MINUTE} logins from this address failed within a minute`, {
      "retry-after": String(60 - now.getUTCSeconds()),
    });
  };

  return {
    /** @throws Problem `too-many-requests` */
    async admit(ip: string, now: Date): Promise<void> {
      const minute = Math.floor(now.getTime() / 60_000);
      if (minute !== present) {
        present = minute;
        refused = new Set();
      }
      const source = sourceOf(ip);
      if (refused.has(source) || (await store.failures(source, now)) >= FAILURES_PER_MINUTE) refuse(source, now);
    },

    async failed(ip: string, now: Date): Promise<void> {
      await store.countFailure(sourceOf(ip), now);
    },
  };
};
export type LoginGuard = ReturnType<typeof createLoginGuard>;
