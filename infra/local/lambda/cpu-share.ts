/**
 * Holds this thread to a share of a processor, as Lambda holds a function to its memory's (1,769 MB are one vCPU): it
 * blocks the thread for as long as it used more than its quota of a period. It can do so only between two turns of the
 * event loop, where the kernel stops a thread anywhere; over a few periods the result is the same.
 */

/** Memory that comes with one whole processor (Developer Guide, "Configure Lambda function memory"). */
const MB_PER_CPU = 1_769;
/** The kernel's period in Lambda's environments. */
const PERIOD_MS = 20;
/** How often the thread looks at what it used; the first turn after that pays. */
const LOOK_MS = 2;

/** @returns the share that a function with that memory has, 1 at most: our functions run on one thread */
export const cpuShareOf = (memoryMegabytes: number): number => Math.min(1, memoryMegabytes / MB_PER_CPU);

export const limitCpu = (share: number): void => {
  if (share >= 1) return;
  const quotaMs = share * PERIOD_MS;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const usedMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let credit = quotaMs;
  let [lastUsed, lastAt] = [usedMs(), performance.now()];
  setInterval(() => {
    const [used, at] = [usedMs(), performance.now()];
    // What a period does not use is lost.
    credit = Math.min(quotaMs, credit + (at - lastAt) * share) - (used - lastUsed);
    [lastUsed, lastAt] = [used, at];
    if (credit < 0) Atomics.wait(sleeper, 0, 0, -credit / share);
  }, LOOK_MS).unref();
};
