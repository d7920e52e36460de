/** Pacing of DNS queries, so that a tick's names do not leave as one burst of datagrams. */
import type { TimerWheel } from "./timer-wheel.ts";

/**
 * Queries leave in small groups: a socket buffer holds some 270 datagrams, and a thousand at once lose most of theirs, on the way
 * there or back. A thousand names take 0.8 s to ask.
 */
const QUERIES_PER_TURN = 50;
const TURN_MS = 20;

/** @returns waits for a query's turn to leave; the first ones need not */
export function createTurns(wheel: TimerWheel): () => Promise<void> | undefined {
  const leaving: (() => void)[] = [];
  let leftInTurn = 0;
  let turning = false;

  /** Lets the next group leave, and the one after it a turn later: from here, not from a clock, so that a stall makes no burst. */
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
