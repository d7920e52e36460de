/**
 * Concurrency limit for TLS handshakes: each costs this process a millisecond or two of CPU, so answers that arrive
 * together queue up, and the measured latencies would be those of the queue instead of the targets. Up to eight run at
 * once; after an event-loop stall (a small Lambda gets 1.4 ms of CPU in every 20) fewer do, down to one, with a pause
 * before the next that lets the next share of CPU come.
 */
import type { StallWatch } from "./stalls.ts";
import type { TimerWheel } from "./timer-wheel.ts";

const MOST_IN_FLIGHT = 8;
const FIRST_IN_FLIGHT = 2;
/** A handshake that takes longer waits for its peer, not for our CPU, and no longer counts: silent peers block no others. */
const BUSY_MS = 100;
/** One and a half times the period in which Lambda grants CPU, so that the next handshake begins with a fresh share. */
const REST_MS = 30;
/** CPU counts as scarce for this long after a stall. */
const SCARCE_MS = 1_000;
/** With less time than this for each waiting handshake all start without waiting: the timers have no finer resolution. */
const LEAST_SHARE_MS = 20;
/** Share of the waiting handshakes' remaining time that pauses, and waiting for a running handshake, may use up. */
const PATIENCE = 0.2;

export interface Handshakes {
  /**
   * Calls back when this attempt may start, perhaps at once.
   * @param latestAt `performance.now()` by which it must have started; near it the limit no longer holds it back
   * @param begin receives a function to call when the attempt is over
   */
  start(latestAt: number, first: boolean, begin: (over: () => void) => void): void;
}

interface Waiting {
  readonly latestAt: number;
  readonly begin: (over: () => void) => void;
}

export function createHandshakes({ wheel, stalls }: { wheel: TimerWheel; stalls: StallWatch }): Handshakes {
  const firsts: Waiting[] = [];
  const others: Waiting[] = [];
  let window = FIRST_IN_FLIGHT;
  let busy = 0;
  let lastCutAt = Number.NEGATIVE_INFINITY;
  let scarceUntil = Number.NEGATIVE_INFINITY;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let isScheduled = false;

  /** Milliseconds that each waiting handshake may take from the remaining time. */
  const shareOf = ({ latestAt }: Waiting) =>
    Math.max(0, (PATIENCE * (latestAt - performance.now())) / (firsts.length + others.length));

  /** Adapts the window as TCP does: halves it after a stall, once per stall however many handshakes it hit, else grows it. */
  const learn = (startedAt: number) => {
    const lateMs = stalls.lateSince(startedAt);
    if (lateMs === 0) window = Math.min(MOST_IN_FLIGHT, window + 1 / window);
    else if (startedAt > lastCutAt) {
      lastCutAt = performance.now();
      scarceUntil = lastCutAt + SCARCE_MS;
      window = Math.max(1, window / 2);
    }
    // A pause helps only when handshakes run one at a time.
    if (window < 2 && performance.now() < scarceUntil) restsUntil = performance.now() + REST_MS;
  };

  const run = ({ begin }: Waiting, busyMs: number) => {
    const startedAt = performance.now();
    busy += 1;
    let isBusy = true;
    const settle = () => {
      if (!isBusy) return;
      isBusy = false;
      timer.cancel();
      busy -= 1;
      learn(startedAt);
      wake();
    };
    const timer = wheel.after(busyMs, settle);
    begin(settle);
  };

  const turn = () => {
    isScheduled = false;
    const next = firsts[0] ?? others[0];
    if (!next) return;
    const shareMs = shareOf(next);
    if (shareMs >= LEAST_SHARE_MS) {
      if (busy >= Math.floor(window)) return;
      const restMs = Math.min(restsUntil - performance.now(), shareMs);
      if (restMs >= 1) return wake(restMs);
    }
    if (firsts.shift() === undefined) others.shift();
    run(next, Math.min(BUSY_MS, Math.floor(window) * shareMs));
    wake();
  };
  const wake = (afterMs = 0) => {
    if (isScheduled) return;
    isScheduled = true;
    if (afterMs > 0) setTimeout(turn, afterMs);
    else setImmediate(turn);
  };

  return {
    start(latestAt, first, begin) {
      (first ? firsts : others).push({ latestAt, begin });
      wake();
    },
  };
}
