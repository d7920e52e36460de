/**
 * Throttles this thread to a share of a processor, as Lambda does according to a function's memory (1,769 MB are one
 * vCPU): it blocks the thread in proportion to what it used beyond its quota of a period. Unlike the kernel's scheduler it
 * can block only between two turns of the event loop; over a few periods the result is the same.
 */

/** Memory that comes with one whole processor (Developer Guide, "Configure Lambda function memory"). */
const MB_PER_CPU = 1_769;
/** The kernel's period in Lambda's environments. */
const PERIOD_MS = 20;
/** How often the thread compares its CPU time with its quota. */
const LOOK_MS = 2;

/** @returns the CPU share of a function with that memory, at most 1: our functions run on one thread */
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
    // An unused quota is not carried over.
    credit = Math.min(quotaMs, credit + (at - lastAt) * share) - (used - lastUsed);
    [lastUsed, lastAt] = [used, at];
    if (credit < 0) Atomics.wait(sleeper, 0, 0, -credit / share);
  }, LOOK_MS).unref();
};
