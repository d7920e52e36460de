/**
 * Tells people once which ports are open when the first sweep of a monitor has made its baseline: what was open already
 * would otherwise never be told, though nobody may know of it. Pure.
 */
import type { Incident, Monitor, Status } from "../model.ts";
import { pinnedBy } from "./baseline.ts";
import type { Baseline } from "./changes.ts";
import { significanceOf } from "./fact-significance.ts";
import { type AlertContext, addAlert, beginIncident } from "./incident.ts";
import { advisoryHeldUntil, advisoryReceivers } from "./minority.ts";
import type { NewEntry } from "./outbox.ts";

/** Facts that list open ports; only sweeps have them. */
const isPortList = (key: string) => key.startsWith("ports.");

/** The location whose sweep found ports that nobody has named as expected yet, and of which people want to hear; undefined without one. */
const sweptFrom = (monitor: Monitor, { learned }: Baseline): string | undefined => {
  const pins = pinnedBy(monitor.changeWatch);
  return learned.find((location) =>
    Object.keys(monitor.views[location]?.facts?.values ?? {}).some(
      (key) => isPortList(key) && !pins[key] && significanceOf(key, [], "", monitor.changeWatch.rules) === "alert",
    ),
  );
};

/** Notes in a baseline that was just learned whether people are to hear of it. */
export const toBeTold = (monitor: Monitor, baseline: Baseline): Baseline =>
  sweptFrom(monitor, baseline) === undefined ? baseline : { ...baseline, isUntold: true };

/**
 * Makes the alert `baseline-learned`, unless it has to wait: for the end of maintenance, or until the monitor is up.
 * @returns when to look again if nothing changes, in epoch milliseconds; null for never
 */
export function tellBaseline(
  monitor: Monitor,
  baseline: Baseline,
  { status, isHeldBack }: { readonly status: Status; readonly isHeldBack: boolean },
  context: AlertContext,
  now: Date,
): { readonly baseline: Baseline; readonly news: readonly NewEntry[]; readonly lookAgainAt: number | null } {
  const { isUntold = false, ...told } = baseline;
  if (!isUntold) return { baseline, news: [], lookAgainAt: null };
  if (isHeldBack || (status !== "up" && status !== "degraded")) return { baseline, news: [], lookAgainAt: null };
  const location = sweptFrom(monitor, baseline);
  if (location === undefined) return { baseline: told, news: [], lookAgainAt: null };
  const at = now.toISOString();
  const lookAgainAt = advisoryHeldUntil(monitor, at, context, now);
  if (lookAgainAt !== null) return { baseline, news: [], lookAgainAt };
  // Over as it begins, so that no pager opens an incident that nothing would close.
  const over: Incident = {
    ...beginIncident(monitor, `${monitor.id}.baseline.${now.getTime()}`, "degraded", at),
    endedAt: at,
  };
  const message = `${monitor.views[location]!.message}. This is the baseline: what differs later is told as a change. Close what should not be open`;
  const about = { message, severity: "info" as const };
  const due = {
    event: "baseline-learned" as const,
    level: null,
    receivers: advisoryReceivers(monitor, context),
    about,
  };
  return { baseline: told, news: addAlert(monitor, over, due, status, context, now).news, lookAgainAt: null };
}
