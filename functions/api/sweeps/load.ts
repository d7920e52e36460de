/** How much a monitor's sweeps connect, and how long they take, from its settings alone. */
import type { MonitorSettings } from "../../../shared/model.ts";
import { sweepOf } from "../../../shared/protocols/sweeps.ts";
import { addressCount, loadFor, planSweep, type SweepLoad, sweepSeconds } from "../../../shared/rules/sweep-plan.ts";

/** Undefined for monitors that are checked. */
export const loadOf = (monitor: MonitorSettings): SweepLoad | undefined => {
  const probe = sweepOf(monitor);
  return probe && loadFor(probe, addressCount(monitor.host));
};

/** How long its sweeps take where they may connect the slowest; zero for monitors that are checked. */
export const longestSweepSeconds = (monitor: MonitorSettings): number => {
  const load = loadOf(monitor);
  return load ? Math.max(...(["public", "vpc"] as const).map((kind) => sweepSeconds(planSweep(load, kind)))) : 0;
};
