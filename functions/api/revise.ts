/** Pure: a new monitor, and what a change of settings makes of one. */
import { isDeepStrictEqual } from "node:util";
import { type CheckSettings, type MonitorSettings, type TargetVersion, WHAT_IS_CHECKED } from "../../shared/model.ts";
import type { StoredMonitor } from "../../shared/store/monitors.ts";

/** What a probe needs for a check, out of a monitor. */
export const checkSettingsOf = (settings: MonitorSettings): CheckSettings => {
  const { locations: _locations, ...check } = Object.fromEntries(WHAT_IS_CHECKED.map((name) => [name, settings[name]]));
  return check as unknown as CheckSettings;
};

const settingsOf = (monitor: MonitorSettings): MonitorSettings => {
  const { name, key, quorum, alerts, tags, paused, badge, locations } = monitor;
  return { ...checkSettingsOf(monitor), name, key, quorum, alerts, tags, paused, badge, locations };
};
export const isSame = (a: MonitorSettings, b: MonitorSettings) => isDeepStrictEqual(settingsOf(a), settingsOf(b));

/** Whether the probes have to hear of a change: other checks, or none. */
export const isForProbes = (before: MonitorSettings, after: MonitorSettings) =>
  before.paused !== after.paused || isRechecked(before, after);

/** Whether another target is looked at, or none: what was told of the one before is over. */
const isOtherTarget = (before: MonitorSettings, after: MonitorSettings) =>
  before.protocol !== after.protocol || before.host !== after.host || before.port !== after.port;

/** Whether the views of before say nothing about the monitor as it is now. A pause makes them old news too. */
export const isRechecked = (before: MonitorSettings, after: MonitorSettings) =>
  (before.paused && !after.paused) || WHAT_IS_CHECKED.some((name) => !isDeepStrictEqual(before[name], after[name]));

const second = (now: Date) => Math.floor(now.getTime() / 1000);

export const newMonitor = (
  id: string,
  settings: MonitorSettings,
  shard: string,
  creation: string | null,
  now: Date,
): StoredMonitor => {
  const at = now.toISOString();
  return {
    id,
    ...settings,
    // Another low byte than a monitor had that was deleted under this key: its outcomes are not taken for this one's.
    settingsVersion: 1 + (now.getTime() % 255),
    revision: 1,
    shard,
    placements: [{ shard, fromTick: second(now), toTick: null }],
    views: {},
    status: "pending",
    since: at,
    incident: null,
    pendingAlerts: {},
    undecidedSince: null,
    unsettledSince: null,
    target: { version: 1, changedAt: at, reason: "created" },
    lastIncidentEndedAt: null,
    nextEvaluationAt: null,
    lookBy: null,
    createdAt: at,
    updatedAt: at,
    settingsChangedAt: at,
    deletedAt: null,
    creation,
    writtenBy: "",
  };
};

/**
 * The monitor with new settings. `updatedAt` always moves forward, so that it can be an ETag even for two changes
 * within one millisecond or under a clock that steps back. What must be told of the old settings' incident is
 * `decide`'s business.
 * @param shard its new place, when the interval changed. The old one ends with the second in which the new one begins.
 */
export const revised = (before: StoredMonitor, settings: MonitorSettings, shard: string, now: Date): StoredMonitor => {
  const at = new Date(Math.max(now.getTime(), Date.parse(before.updatedAt) + 1)).toISOString();
  const fromTick = second(now);
  const placements =
    shard === before.shard
      ? before.placements
      : [
          ...before.placements.map((place) => (place.toTick === null ? { ...place, toTick: fromTick } : place)),
          { shard, fromTick, toTick: null },
        ];
  const isPaused = settings.paused && !before.paused;
  const target: TargetVersion =
    isPaused || isOtherTarget(before, settings)
      ? { version: before.target.version + 1, changedAt: at, reason: isPaused ? "paused" : "changed" }
      : before.target;
  const changed = { ...before, ...settings, shard, placements, target, updatedAt: at };
  if (!isRechecked(before, settings)) return changed;
  return {
    ...changed,
    settingsVersion: before.settingsVersion + 1,
    settingsChangedAt: at,
    views: {},
    status: settings.paused ? before.status : "pending",
    since: settings.paused ? before.since : at,
    undecidedSince: null,
  };
};

/** RFC 7396. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
};
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
