/**
 * Rate limiter for attempts. One starts per event-loop turn, so that its answer is read before the next one starts (the
 * latency of a local target is then 0.03 ms; with two per turn 0.07, with all at once 27); at most four per 100 ms start
 * to one address, so that checks do not look like an attack; and never more sockets are open than file descriptors allow.
 *
 * Sockets close several at a time, in a turn in which nothing starts: Node finishes a close between the next start and
 * its answer, so closing one by one adds some 2 us to every latency.
 */
import type { TimerWheel } from "./timer-wheel.ts";

const STARTS_PER_WINDOW = 4;
const WINDOW_MS = 100;
const CLOSES_PER_TURN = 8;

export interface Pacing {
  /**
   * Calls back when an attempt at this address may start. It takes up one of `maxSockets`; `release` returns it.
   * @param first priority over all without it, except those that already wait for the same address
   */
  start(address: string, first: boolean, begin: () => void): void;
  /** @param close closes the socket; called within a few turns. Omitted if the socket is closed already */
  release(close?: () => void): void;
}

/** Attempts at one address: when recent ones started (`performance.now()`), how many are queued to start, and which must wait. */
interface Lane {
  readonly recent: number[];
  queued: number;
  readonly waiting: Start[];
}

interface Start {
  readonly first: boolean;
  readonly begin: () => void;
}

export function createPacing({ wheel, maxSockets }: { wheel: TimerWheel; maxSockets: number }): Pacing {
  const firsts: (() => void)[] = [];
  const ready: (() => void)[] = [];
  let head = 0;
  const lanes = new Map<string, Lane>();
  const closing: (() => void)[] = [];
  let open = 0;
  let turning = false;

  const canStart = () => (firsts.length > 0 || head < ready.length) && open < maxSockets;
  const turn = () => {
    turning = false;
    if (closing.length < CLOSES_PER_TURN && canStart()) {
      const begin = firsts.shift() ?? ready[head++]!;
      open += 1;
      begin();
    } else {
      open -= closing.length;
      for (const close of closing.splice(0)) close();
    }
    if (head === ready.length) {
      ready.length = 0;
      head = 0;
    }
    wake();
  };
  const wake = () => {
    if (turning || !(closing.length > 0 || canStart())) return;
    turning = true;
    setImmediate(turn);
  };
  const enqueue = (first: boolean, begin: () => void) => {
    (first ? firsts : ready).push(begin);
    wake();
  };
  /** Queues the address's next attempts, as many as its window allows. */
  const admit = (address: string, lane: Lane) => {
    const now = performance.now();
    while (lane.recent.length > 0 && now - lane.recent[0]! >= WINDOW_MS) lane.recent.shift();
    while (lane.waiting.length > 0 && lane.recent.length + lane.queued < STARTS_PER_WINDOW) {
      const { first, begin } = lane.waiting.shift()!;
      lane.queued += 1;
      enqueue(first, () => {
        lane.queued -= 1;
        lane.recent.push(performance.now());
        wheel.after(WINDOW_MS, () => admit(address, lane));
        begin();
      });
    }
    if (lane.recent.length + lane.queued === 0) lanes.delete(address);
  };

  return {
    start(address, first, begin) {
      if (isLoopback(address)) return enqueue(first, begin);
      const lane = lanes.get(address) ?? { recent: [], queued: 0, waiting: [] };
      lanes.set(address, lane);
      lane.waiting.push({ first, begin });
      admit(address, lane);
    },
    release(close) {
      if (close) closing.push(close);
      else open -= 1;
      wake();
    },
  };
}

const isLoopback = (address: string) =>
  address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
