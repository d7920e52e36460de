/**
 * Detects event-loop stalls of this process (a busy machine, a throttled Lambda, a suspended laptop): a latency or a timeout
 * measured during a stall says something about this process, not about the target.
 */

const BEAT_MS = 10;
/** A timer later than this is a stall. Node's timers are a millisecond or two late on an idle machine. */
const TOLERANCE_MS = 10;
/** A stall of less than this share of a latency does not spoil it. */
const SHARE = 0.1;
/** Stalls are kept for this long, which is longer than any check. */
const MEMORY_MS = 60_000;

export interface StallWatch {
  start(): void;
  stop(): void;
  /** Milliseconds of stall between `startedAt` (`performance.now()`) and now. */
  lateSince(startedAt: number): number;
  /** Whether stalls make a latency measured from `startedAt` (`performance.now()`) until now unreliable. */
  spoils(startedAt: number): boolean;
}

export function createStallWatch(): StallWatch {
  let watchers = 0;
  let lastBeat = 0;
  let timer: NodeJS.Timeout | undefined;
  const stalls: { readonly endedAt: number; readonly lateMs: number }[] = [];
  const beat = () => {
    const now = performance.now();
    const lateMs = now - lastBeat - BEAT_MS;
    lastBeat = now;
    if (lateMs <= TOLERANCE_MS) return;
    while (stalls[0] && stalls[0].endedAt < now - MEMORY_MS) stalls.shift();
    stalls.push({ endedAt: now, lateMs });
  };
  const lateSince = (startedAt: number) => {
    // A stall that has just ended was not recorded by a beat yet.
    const lateNow = performance.now() - lastBeat - BEAT_MS;
    let lateMs = lateNow > TOLERANCE_MS ? lateNow : 0;
    for (let i = stalls.length - 1; i >= 0 && stalls[i]!.endedAt > startedAt; i--) lateMs += stalls[i]!.lateMs;
    return lateMs;
  };
  return {
    lateSince,
    start() {
      if (watchers++ > 0) return;
      lastBeat = performance.now();
      timer = setInterval(beat, BEAT_MS);
    },
    stop() {
      if (--watchers === 0) clearInterval(timer);
    },
    spoils(startedAt) {
      const lateMs = lateSince(startedAt);
      return lateMs > 0 && lateMs > SHARE * (performance.now() - startedAt);
    },
  };
}
