/**
 * When TLS handshakes start: by how many are in flight, because each costs this process a millisecond or two of its own.
 * What is answered together waits for each other, and the latencies tell of the queue instead of the targets. A machine
 * that keeps up has eight in flight; where the process stands still meanwhile (a small Lambda gets 1.4 ms of CPU in
 * every 20) there are fewer, down to one, with a rest before the next that lets the next share of CPU come.
 */
import type { StallWatch } from "./stalls.ts";
import type { TimerWheel } from "./timer-wheel.ts";

const MOST_IN_FLIGHT = 8;
const FIRST_IN_FLIGHT = 2;
/** Past it a handshake waits for its peer and not for us, and makes room: silent peers hold up nobody. */
const BUSY_MS = 100;
/** One and a half of the periods in which a Lambda's share of CPU comes, so that it is there when the next one begins. */
const REST_MS = 30;
/** A stall is remembered for so long. */
const SCARCE_MS = 1_000;
/** With less for each of those that wait, nobody waits: timers are no finer. */
const LEAST_SHARE_MS = 20;
/** Of the time that is left to all that wait, the part that a rest may take, and the part that a handshake may hold up others. */
const PATIENCE = 0.2;

export interface Handshakes {
  /**
   * Calls back when this attempt may start, perhaps at once.
   * @param latestAt `performance.now()` by which it has to have started: near to it nobody waits any more
   * @param begin with what is to be called when the attempt is over
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

  /** Milliseconds for each of those that wait. */
  const shareOf = ({ latestAt }: Waiting) =>
    Math.max(0, (PATIENCE * (latestAt - performance.now())) / (firsts.length + others.length));

  /** Fewer at a time after a stall, more after none; one stall is one reason, however many it hit. */
  const learn = (startedAt: number) => {
    const lateMs = stalls.lateSince(startedAt);
    if (lateMs === 0) window = Math.min(MOST_IN_FLIGHT, window + 1 / window);
    else if (startedAt > lastCutAt) {
      lastCutAt = performance.now();
      scarceUntil = lastCutAt + SCARCE_MS;
      window = Math.max(1, window / 2);
    }
    // With more than one at a time a rest between them would mean nothing.
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
