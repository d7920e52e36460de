/**
 * Notices when this process itself stood still (a busy neighbour, a throttled Lambda, a closed laptop): a latency taken
 * meanwhile measures us, not the target, and so does a silence.
 */

const BEAT_MS = 10;
/** Later than this is a stall. Node's timers are a millisecond or two off on an idle machine. */
const TOLERANCE_MS = 10;
/** A stall of less than this share of a latency does not spoil it. */
const SHARE = 0.1;
/** Longer than any check. */
const MEMORY_MS = 60_000;

export interface StallWatch {
  start(): void;
  stop(): void;
  /** Milliseconds that the process stood still from `startedAt` (`performance.now()`) until now. */
  lateSince(startedAt: number): number;
  /** Whether the process stood still for long enough to spoil a latency that was taken from `startedAt` (`performance.now()`) until now. */
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
    // What stalls right now has had no beat yet.
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
