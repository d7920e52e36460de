/** What forms offer: how often to check, and how long to wait before people are told. In seconds. */
export const INTERVALS = [10, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 21_600, 86_400];
/** Sweeps take minutes. */
export const SWEEP_INTERVALS = INTERVALS.filter((seconds) => seconds >= 300);
export const WAITS = [0, 30, 60, 120, 300, 600, 1_800, 3_600];
