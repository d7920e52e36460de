/** Rate limiter for DNS queries, so that a tick's names are not sent as one burst of datagrams. */
import type { TimerWheel } from "./timer-wheel.ts";

/**
 * Queries are sent in small groups: a socket buffer holds some 270 datagrams, and of a thousand queries at once most were
 * lost, on the way there or back. Asking for a thousand names takes 0.8 s.
 */
const QUERIES_PER_TURN = 50;
const TURN_MS = 20;

/** @returns a function that waits for a query's turn; it returns undefined when the query may be sent at once */
export function createTurns(wheel: TimerWheel): () => Promise<void> | undefined {
  const leaving: (() => void)[] = [];
  let leftInTurn = 0;
  let turning = false;

  /** Sends the next group and schedules the one after it, a turn from now and not by the clock: a stall causes no burst. */
  const leave = () => {
    leftInTurn = QUERIES_PER_TURN;
    while (leaving.length > 0 && leftInTurn > 0) {
      leftInTurn -= 1;
      leaving.shift()?.();
    }
    turning = leaving.length > 0 || leftInTurn < QUERIES_PER_TURN;
    if (turning) wheel.after(TURN_MS, leave);
  };
  return () => {
    if (!turning) {
      turning = true;
      leftInTurn = QUERIES_PER_TURN;
      wheel.after(TURN_MS, leave);
    }
    if (leftInTurn > 0 && leaving.length === 0) {
      leftInTurn -= 1;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    leaving.push(resolve);
    return promise;
  };
}
