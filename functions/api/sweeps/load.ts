/** How much a monitor's sweeps connect, and how long they take, from its settings alone. */
import type { MonitorSettings } from "../../../shared/model.ts";
import { sweepOf } from "../../../shared/protocols/sweeps.ts";
import { addressCount, planSweep, type SweepLoad, sweepSeconds } from "../../../shared/rules/sweep-plan.ts";

/** Undefined for monitors that are checked. */
export const loadOf = (monitor: MonitorSettings): SweepLoad | undefined => {
  const probe = sweepOf(monitor);
  return probe && { addresses: addressCount(monitor.host), ports: probe.ports.length, perSecond: probe.perSecond };
};

/** How long its sweeps take where they may connect the slowest; zero for monitors that are checked. */
export const longestSweepSeconds = (monitor: MonitorSettings): number => {
  const load = loadOf(monitor);
  return load ? Math.max(...(["public", "vpc"] as const).map((kind) => sweepSeconds(planSweep(load, kind)))) : 0;
};
