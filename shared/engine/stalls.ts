/**
 * Notices when this process itself stood still (a busy neighbour, a throttled Lambda, garbage collection): a latency taken
 * meanwhile measures us, not the target.
 */

const BEAT_MS = 10;
/** Later than this is a stall. Node's timers are a millisecond or two off on an idle machine. */
const TOLERANCE_MS = 10;

export interface StallWatch {
  start(): void;
  stop(): void;
  /** Whether the process stood still at some moment since (`performance.now()`). */
  stalledSince(startedAt: number): boolean;
}

export function createStallWatch(): StallWatch {
  let watchers = 0;
  let lastBeat = 0;
  let lastStallEnd = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const note = (now: number) => {
    if (now - lastBeat > BEAT_MS + TOLERANCE_MS) lastStallEnd = now;
  };
  const beat = () => {
    const now = performance.now();
    note(now);
    lastBeat = now;
  };
  return {
    start() {
      if (watchers++ > 0) return;
      lastBeat = performance.now();
      timer = setInterval(beat, BEAT_MS);
    },
    stop() {
      if (--watchers === 0) clearInterval(timer);
    },
    stalledSince(startedAt) {
      note(performance.now());
      return lastStallEnd >= startedAt;
    },
  };
}
