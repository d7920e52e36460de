/** Quorum: combines the views of several locations into one status. Pure. */
import type { Health, LocationCondition, LocationHealth, MonitorSettings, View, ViewCondition } from "../model.ts";
import { isBelievable, isPlausible } from "./clock-skew.ts";

/** A location without a heartbeat for this long (three missed ones) counts as silent. */
export const SILENT_AFTER_SECONDS = 180;

/** How many locations have to agree: at least one, at most all. */
export function quorumSize({ quorum, locations }: Pick<MonitorSettings, "quorum" | "locations">): number {
  const n = locations.length;
  if (quorum === "majority") return Math.floor(n / 2) + 1;
  if (quorum === "any") return 1;
  if (quorum === "all") return n;
  return Math.min(Math.max(1, quorum), n);
}

/**
 * The status that these healths prove, or null. `up` is proved only if the missing locations could not make it `down`
 * or `degraded`, whatever they would report.
 * @param n locations of the monitor
 * @param q how many have to agree
 * @param healths of the usable views; `unknown` is ignored
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
 * Whether a location works. It is silent if heartbeats have been requested for `SILENT_AFTER_SECONDS` and none came.
 * While none are requested (before the first plan, or after the whole installation stood still) silence means nothing.
 * Moments in the future (clock skew) are ignored.
 */
export function locationCondition(health: LocationHealth | undefined, now: Date): LocationCondition {
  const ms = (moment: string | null | undefined) =>
    isBelievable(moment, now) ? Date.parse(moment) : Number.NEGATIVE_INFINITY;
  const heardAt = Math.max(ms(health?.lastHeartbeatAt), ms(health?.askingSince));
  if (Number.isFinite(heardAt) && now.getTime() - heardAt > SILENT_AFTER_SECONDS * 1000) return "silent";
  return health?.offlineSince ? "offline" : "working";
}

/** Until when a view counts although its location sends no heartbeats: it is as good as one. Epoch milliseconds. */
export const freshUntil = ({ tick }: View) => (tick + SILENT_AFTER_SECONDS) * 1000;

/** The views that count: those of the monitor's present locations that work, or whose view is recent enough. */
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
    return condition === "working" || condition === "doubtful" || (condition === "silent" && isFresh(view))
      ? [view]
      : [];
  });
}
