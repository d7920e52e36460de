/**
 * Tells people once which ports are open when the first sweep of a monitor has made its baseline: what was open already
 * would otherwise never be told, though nobody may know of it. A further location tells its own list only where it differs. Pure.
 */
import type { Incident, Monitor, Status } from "../model.ts";
import { pinnedBy } from "./baseline.ts";
import type { Baseline } from "./changes.ts";
import { significanceOf } from "./fact-significance.ts";
import { presentValues } from "./facts.ts";
import { type AlertContext, addAlert, beginIncident } from "./incident.ts";
import { advisoryHeldUntil, advisoryReceivers } from "./minority.ts";
import type { NewEntry } from "./outbox.ts";

/** Facts that list open ports; only sweeps have them. */
const isPortList = (key: string) => key.startsWith("ports.");

/** People who hear of an open port hear of an empty list too. */
const A_PORT = "22";

/** The lists of open ports that a location sees, of which people want to hear, and which nobody has named as expected. */
function portLists({ changeWatch, views }: Monitor, location: string): (readonly [key: string, value: string])[] {
  const facts = views[location]?.facts;
  const pins = pinnedBy(changeWatch);
  return [...(facts ? presentValues(facts) : [])]
    .filter(([key]) => isPortList(key) && !pins[key] && significanceOf(key, [], A_PORT, changeWatch.rules) === "alert")
    .flatMap(([key, values]) => values.map((value) => [key, value] as const));
}

/** Notes in a baseline what locations have just added to it, if people are to hear of that. */
export function toBeTold(monitor: Monitor, before: Baseline, after: Baseline): Baseline {
  const known = new Set<string>();
  const know = (key: string, value: string) => known.add(`${key} ${value}`);
  for (const [key, values] of Object.entries(before.values)) for (const value of values) know(key, value);
  // Told as changes.
  for (const { key, value } of Object.values(before.changes)) know(key, value);
  const untold: Record<string, string> = { ...after.untold };
  for (const location of after.learned.filter((one) => !before.learned.includes(one))) {
    const lists = portLists(monitor, location);
    if (lists.some(([key, value]) => !known.has(`${key} ${value}`)))
      untold[location] = monitor.views[location]!.message;
    for (const [key, value] of lists) know(key, value);
  }
  return Object.keys(untold).length > 0 ? { ...after, untold } : after;
}

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
  const { untold, ...told } = baseline;
  if (!untold) return { baseline, news: [], lookAgainAt: null };
  if (isHeldBack || (status !== "up" && status !== "degraded")) return { baseline, news: [], lookAgainAt: null };
  const at = now.toISOString();
  const lookAgainAt = advisoryHeldUntil(monitor, at, context, now);
  if (lookAgainAt !== null) return { baseline, news: [], lookAgainAt };
  // Over as it begins, so that no pager opens an incident that nothing would close.
  const over: Incident = {
    ...beginIncident(monitor, `${monitor.id}.baseline.${now.getTime()}`, "degraded", at),
    endedAt: at,
  };
  const found = Object.entries(untold).map(([location, message]) =>
    monitor.locations.length > 1 ? `seen from ${location}: ${message}` : message,
  );
  const message = `${found.join("; ")}. This is the baseline: what differs later is told as a change. Close what should not be open`;
  const about = { message, severity: "info" as const };
  const due = {
    event: "baseline-learned" as const,
    level: null,
    receivers: advisoryReceivers(monitor, context),
    about,
  };
  return { baseline: told, news: addAlert(monitor, over, due, status, context, now).news, lookAgainAt: null };
}
