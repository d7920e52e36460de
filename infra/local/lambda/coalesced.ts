export interface Coalesced {
  readonly trigger: () => void;
  /** Resolves when no run is under way. */
  readonly settled: () => Promise<void>;
}

/** Coalesces triggers: runs the work when triggered, never twice at once; a trigger during a run causes one more run. */
export const coalesced = (work: () => Promise<void>): Coalesced => {
  let isTriggered = false;
  let isRunning = false;
  let last = Promise.resolve();
  const run = async (): Promise<void> => {
    try {
      while (isTriggered) {
        isTriggered = false;
        await work();
      }
    } finally {
      isRunning = false;
    }
  };
  return {
    trigger: () => {
      isTriggered = true;
      if (isRunning) return;
      isRunning = true;
      last = run();
    },
    settled: () => last,
  };
};
