/** What the views of several locations make of a monitor. Pure. */
import type { Health, LocationCondition, LocationHealth, MonitorSettings, View, ViewCondition } from "../model.ts";
import { isBelievable, isPlausible } from "./believe.ts";

/** Without a heartbeat for so long a location is silent: three were missed. */
export const SILENT_AFTER_SECONDS = 180;

/** How many locations have to agree. Never more than there are, never fewer than one. */
export function quorumSize({ quorum, locations }: Pick<MonitorSettings, "quorum" | "locations">): number {
  const n = locations.length;
  if (quorum === "majority") return Math.floor(n / 2) + 1;
  if (quorum === "any") return 1;
  if (quorum === "all") return n;
  return Math.min(Math.max(1, quorum), n);
}

/**
 * The status that usable healths imply; null when they cannot tell. `up` is said only where neither `down` nor
 * `degraded` is possible, whatever the locations would say that cannot be asked.
 * @param n locations of the monitor
 * @param q how many have to agree
 * @param healths of the usable views; views without knowledge (`unknown`) say nothing
 */
export function agree(n: number, q: number, healths: readonly Health[]): Exclude<Health, "unknown"> | null {
  const count = (health: Health) => healths.filter((one) => one === health).length;
  const [up, degraded, down] = [count("up"), count("degraded"), count("down")];
  if (down >= q) return "down";
  if (down + degraded >= q) return "degraded";
  if (up > n - q) return "up";
  return null;
}

/**
 * A location is silent when it has been asked for heartbeats for `SILENT_AFTER_SECONDS` and gave none. While nobody asked
 * (before the first plan, or after the whole installation stood still) its silence means nothing. Moments in the future
 * are from a clock that was ahead: they say nothing.
 */
export function locationCondition(health: LocationHealth | undefined, now: Date): LocationCondition {
  const ms = (moment: string | null | undefined) =>
    isBelievable(moment, now) ? Date.parse(moment) : Number.NEGATIVE_INFINITY;
  const heardAt = Math.max(ms(health?.lastHeartbeatAt), ms(health?.askingSince));
  if (Number.isFinite(heardAt) && now.getTime() - heardAt > SILENT_AFTER_SECONDS * 1000) return "silent";
  return health?.offlineSince ? "offline" : "working";
}

/** Epoch milliseconds until which a view counts though its location is silent: it is a sign of life as good as a heartbeat. */
export const freshUntil = ({ tick }: View) => (tick + SILENT_AFTER_SECONDS) * 1000;

/** The views that count: of the monitor's present locations, as far as these can be believed. */
export function usableViews(
  monitor: Pick<MonitorSettings, "locations"> & { readonly views: Readonly<Record<string, View>> },
  conditions: Readonly<Record<string, ViewCondition>>,
  now: Date,
): readonly View[] {
  const isFresh = (view: View) => now.getTime() <= freshUntil(view) && isPlausible(view.tick * 1000, now);
  return monitor.locations.flatMap((name) => {
    const view = monitor.views[name];
    if (!view || view.health === "unknown") return [];
    const condition = conditions[name];
    return condition === "working" || (condition === "silent" && isFresh(view)) ? [view] : [];
  });
}
