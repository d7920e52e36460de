/** Reads what is shown of monitors that their items do not hold: newest check, maintenance, dependencies. */
import { presentMaintenance } from "../../../shared/rules/maintenance.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import { newestOf } from "../../../shared/store/newest.ts";
import type { Deps } from "../deps.ts";
import { heldSecondsOf } from "./dependencies.ts";
import type { Around } from "./present.ts";
import { type Filters, selecting } from "./select.ts";

/** The test of `selecting`, which knows what is in maintenance now if the filters ask for it. */
export async function selectingNow({ allWindows, now }: Pick<Deps, "allWindows" | "now">, filters: Filters) {
  if (!filters.status?.includes("maintenance")) return selecting(filters);
  const maintenanceOf = presentMaintenance(await allWindows(), now().getTime());
  return selecting(filters, (monitor) => maintenanceOf(monitor) !== null);
}

/** @param isChecked whether the newest checks are asked for, which takes a reading of history */
export async function around(
  deps: Pick<Deps, "monitors" | "history" | "allWindows" | "now">,
  monitors: readonly StoredMonitor[],
  isChecked = true,
): Promise<(monitor: StoredMonitor) => Around> {
  const now = deps.now();
  const [newest, windows, held] = await Promise.all([
    newestOf(isChecked ? monitors : [], deps.history, now),
    deps.allWindows(),
    heldSecondsOf(deps, monitors),
  ]);
  const maintenanceOf = presentMaintenance(windows, now.getTime());
  return (monitor) => ({
    newest: newest.get(monitor.id),
    maintenance: maintenanceOf(monitor),
    heldSeconds: held.get(monitor.id) ?? 0,
  });
}
