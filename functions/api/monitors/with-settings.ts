/** Pure: a new monitor, and what a change of settings makes of one. */
import { oldestBlock, type Retention } from "../../../shared/history/retention.ts";
import type { MonitorSettings, Placement, TargetVersion } from "../../../shared/model.ts";
import { isOtherCheck } from "../../../shared/monitor/settings.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";

/** Whether the probes have to hear of a change: other checks, or none. */
export const isForProbes = (before: MonitorSettings, after: MonitorSettings) =>
  before.paused !== after.paused || isRechecked(before, after);

/** Whether another target is looked at, or none: what was told of the one before is over. */
const isOtherTarget = (before: MonitorSettings, after: MonitorSettings) =>
  before.protocol !== after.protocol || before.host !== after.host || before.port !== after.port;

/** Whether the views of before say nothing about the monitor as it is now. A pause makes them old news too. */
const isRechecked = (before: MonitorSettings, after: MonitorSettings) =>
  (before.paused && !after.paused) || isOtherCheck(before, after);

/** Where a monitor goes, when, and how long blocks stay where it was. */
interface Placing {
  readonly shard: string;
  readonly now: Date;
  readonly retention: Pick<Retention, "blockDays">;
}

/** Some four a day for as long as blocks are kept. Every check reads them, so they must not grow with every change. */
const MOST_PLACEMENTS = 50;

/** The places of before, without those whose blocks are gone, and the new one. The last one ends as the new one begins. */
const placed = (before: readonly Placement[], { shard, now, retention }: Placing): readonly Placement[] => {
  const fromTick = Math.floor(now.getTime() / 1000);
  const oldest = oldestBlock(fromTick, retention);
  const ended = before.map((place) => ({ ...place, toTick: place.toTick ?? fromTick }));
  return [...ended.filter(({ toTick }) => toTick > oldest), { shard, fromTick, toTick: null }].slice(-MOST_PLACEMENTS);
};

/** @param placing with the places of a former life of this id */
export const newMonitor = (
  id: string,
  settings: MonitorSettings,
  { former = [], ...placing }: Placing & { readonly former?: readonly Placement[] | undefined },
  creation: string | null,
): StoredMonitor => {
  const { shard, now } = placing;
  const at = now.toISOString();
  return {
    id,
    ...settings,
    // Another low byte than a monitor had that was deleted under this key: its outcomes are not taken for this one's.
    settingsVersion: 1 + (now.getTime() % 255),
    revision: 1,
    shard,
    placements: placed(former, placing),
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
 * @param placing with its new shard, when the interval changed
 */
export const revised = (before: StoredMonitor, settings: MonitorSettings, placing: Placing): StoredMonitor => {
  const { shard, now } = placing;
  const at = new Date(Math.max(now.getTime(), Date.parse(before.updatedAt) + 1)).toISOString();
  const placements = shard === before.shard ? before.placements : placed(before.placements, placing);
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
