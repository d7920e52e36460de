/** Reads when monitors were in maintenance, for figures of time by status. */
import {
  type MaintainedTime,
  type MaintenanceTime,
  maintenanceTime,
} from "../../../shared/history/maintenance-time.ts";
import type { Range } from "../../../shared/history/steps.ts";
import type { Deps } from "../deps.ts";

/** @param range of what is asked for */
export const maintenanceIn = async ({ allWindows }: Pick<Deps, "allWindows">, range: Range): Promise<MaintenanceTime> =>
  maintenanceTime(await allWindows(), range);

/** Looks monitors up by their id; unknown ones were never in maintenance. */
export const byId =
  (monitors: ReadonlyMap<string, MaintainedTime>, within: MaintenanceTime) =>
  (id: string): readonly Range[] => {
    const monitor = monitors.get(id);
    return monitor ? within(monitor) : [];
  };

/** The range that adjoining steps cover. */
export const wholeOf = (steps: readonly Range[]): Range => ({ from: steps[0]?.from ?? 0, to: steps.at(-1)?.to ?? 0 });
