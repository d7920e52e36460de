/**
 * Marks time in maintenance when history is read: nothing that is stored says so, because windows may be about a monitor by its
 * tags, and results are kept as they were. Every figure of time by status takes it from here. Pure.
 */
import { type Maintained, type MaintenanceWindow, maintenanceWithin } from "../rules/maintenance.ts";
import type { Range } from "./steps.ts";
import type { Stretch } from "./timeline.ts";

/** A monitor as far as its maintenance goes; of a row that an earlier version stored the field is missing. */
export interface MaintainedTime extends Maintained {
  /** Whether its time in maintenance counts like any other. */
  readonly maintenanceCountsAsDowntime?: boolean | undefined;
}

/** When monitors were in maintenance, in whole seconds, in order; nothing for those whose time counts all the same. */
export type MaintenanceTime = (monitor: MaintainedTime) => readonly Range[];

const NONE: readonly Range[] = [];

/** @param range of what is asked for */
export function maintenanceTime(windows: readonly MaintenanceWindow[], { from, to }: Range): MaintenanceTime {
  const within = maintenanceWithin(windows, from * 1000, to * 1000);
  return (monitor) => {
    const stretches = monitor.maintenanceCountsAsDowntime ? [] : within(monitor);
    if (stretches.length === 0) return NONE;
    return stretches.map(({ startMs, endMs }) => ({ from: Math.floor(startMs / 1000), to: Math.floor(endMs / 1000) }));
  };
}

/** Whether a range has time in maintenance. */
export const hasMaintenance = (maintenance: readonly Range[], { from, to }: Range) =>
  maintenance.some((one) => one.from < to && one.to > from);

/**
 * Cuts stretches of status where maintenance begins and ends, and marks what lies within. A paused monitor stays paused.
 * @param maintenance in order, none overlaps another
 */
export function* markMaintenance(stretches: Iterable<Stretch>, maintenance: readonly Range[]): Generator<Stretch> {
  for (const stretch of stretches) {
    if (stretch.status === "paused" || !hasMaintenance(maintenance, stretch)) {
      yield stretch;
      continue;
    }
    let at = stretch.from;
    for (const { from, to } of maintenance) {
      const [begin, end] = [Math.max(from, at), Math.min(to, stretch.to)];
      if (begin >= end) continue;
      if (at < begin) yield { ...stretch, from: at, to: begin };
      yield { from: begin, to: end, status: "maintenance" };
      at = end;
    }
    if (at < stretch.to) yield { ...stretch, from: at };
  }
}
