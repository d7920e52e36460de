export interface Poked {
  readonly poke: () => void;
  /** Resolves when no run is under way. */
  readonly settled: () => Promise<void>;
}

/** Coalesces triggers: runs the work when poked, never twice at once; a poke during a run causes one more run. */
export const whenPoked = (work: () => Promise<void>): Poked => {
  let isPoked = false;
  let isRunning = false;
  let last = Promise.resolve();
  const run = async (): Promise<void> => {
    try {
      while (isPoked) {
        isPoked = false;
        await work();
      }
    } finally {
      isRunning = false;
    }
  };
  return {
    poke: () => {
      isPoked = true;
      if (isRunning) return;
      isRunning = true;
      last = run();
    },
    settled: () => last,
  };
};
