/**
 * Reads what users have set about alerting: policies and maintenance windows. Once for each batch of records and never longer:
 * a decision by an older copy is then at most one batch old, and its own record leads to a new one.
 */
import type { Monitor } from "../../shared/model.ts";
import type { Context } from "../../shared/rules/decide.ts";
import { maintenanceUntil } from "../../shared/rules/maintenance.ts";
import { plansOf } from "../../shared/rules/policies.ts";
import type { PolicyStore, WindowStore } from "../../shared/store/alerting.ts";

export type Alerting = () => Promise<Required<Pick<Context, "plansOf" | "maintenanceUntil">>>;

export function createAlerting(policies: Pick<PolicyStore, "all">, windows: Pick<WindowStore, "all">): Alerting {
  let read: ReturnType<Alerting> | undefined;
  const readAll: Alerting = async () => {
    const [allPolicies, allWindows] = await Promise.all([policies.all(), windows.all()]);
    return {
      plansOf: (monitor: Monitor) => plansOf(monitor, allPolicies),
      maintenanceUntil: (monitor: Monitor, now: Date) => maintenanceUntil(allWindows, monitor, now.getTime()),
    };
  };
  return () => {
    read ??= readAll();
    return read;
  };
}
