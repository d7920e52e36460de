/** Pure functions that build a monitor from settings: a new one, or an existing one with changed settings. */
import { oldestBlock, type Retention } from "../../../shared/history/retention.ts";
import type { MonitorSettings, Placement, TargetVersion } from "../../../shared/model.ts";
import { isOtherCheck } from "../../../shared/monitor/settings.ts";
import type { Author } from "../../../shared/store/audit.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";

/** Whether a change of settings alters what the probes do: they check something else, or start or stop checking. */
export const affectsProbes = (before: MonitorSettings, after: MonitorSettings) =>
  before.paused !== after.paused || resetsViews(before, after);

/** Whether the monitor checks another target, so that alerts about the previous target are over. */
export const isOtherTarget = (before: MonitorSettings, after: MonitorSettings) =>
  before.protocol !== after.protocol || before.host !== after.host || before.port !== after.port;

/** Whether the stored views no longer apply: something else is checked, or a pause has made them outdated. */
const resetsViews = (before: MonitorSettings, after: MonitorSettings) =>
  (before.paused && !after.paused) || isOtherCheck(before, after);

/** Which shard a monitor is placed in, when, and how long the history blocks in its former shards are kept. */
interface Placing {
  readonly shard: string;
  readonly now: Date;
  readonly retention: Pick<Retention, "blockDays">;
  /** Who makes the change. Default: nobody known. */
  readonly by?: Author;
}

/** Limits the list, which every check reads: about four changes of shard a day for as long as blocks are kept. */
const MOST_PLACEMENTS = 50;

/** Ends the current placement, appends the new one, and drops placements whose blocks have expired. */
const placed = (before: readonly Placement[], { shard, now, retention }: Placing): readonly Placement[] => {
  const fromTick = Math.floor(now.getTime() / 1000);
  const oldest = oldestBlock(fromTick, retention);
  const ended = before.map((place) => ({ ...place, toTick: place.toTick ?? fromTick }));
  return [...ended.filter(({ toTick }) => toTick > oldest), { shard, fromTick, toTick: null }].slice(-MOST_PLACEMENTS);
};

/** @param placing `former`: placements of a deleted monitor that had the same id */
export const newMonitor = (
  id: string,
  settings: MonitorSettings,
  { former = [], ...placing }: Placing & { readonly former?: readonly Placement[] | undefined },
  creation: string | null,
): StoredMonitor => {
  const { shard, now, by = null } = placing;
  const at = now.toISOString();
  return {
    id,
    ...settings,
    // Blocks store the version's low byte. Starting from the clock makes it unlikely that outcomes of a deleted monitor
    // with the same key are taken for this one's.
    settingsVersion: 1 + (now.getTime() % 255),
    // Starts from the clock: a delayed write meant for a deleted monitor with the same key must fail its condition.
    revision: now.getTime(),
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
    lastStretch: null,
    flapState: null,
    minority: null,
    baseline: null,
    nextEvaluationAt: null,
    lookBy: null,
    createdAt: at,
    updatedAt: at,
    settingsChangedAt: at,
    deletedAt: null,
    creation,
    writtenBy: "",
    updatedBy: by,
  };
};

/**
 * Returns the monitor with new settings; writes nothing. `updatedAt` always increases, so it can serve as the ETag even
 * when two changes fall into one millisecond or the clock steps back. `decide` ends the old settings' incident.
 * @param placing its new shard if the interval changed, otherwise its present one
 */
export const withSettings = (before: StoredMonitor, settings: MonitorSettings, placing: Placing): StoredMonitor => {
  const { shard, now, by = null } = placing;
  const at = new Date(Math.max(now.getTime(), Date.parse(before.updatedAt) + 1)).toISOString();
  const placements = shard === before.shard ? before.placements : placed(before.placements, placing);
  const isPaused = settings.paused && !before.paused;
  const target: TargetVersion =
    isPaused || isOtherTarget(before, settings)
      ? { version: before.target.version + 1, changedAt: at, reason: isPaused ? "paused" : "changed" }
      : before.target;
  const changed = { ...before, ...settings, shard, placements, target, updatedAt: at, updatedBy: by };
  if (!resetsViews(before, settings)) return changed;
  return {
    ...changed,
    settingsVersion: before.settingsVersion + 1,
    settingsChangedAt: at,
    views: {},
    status: settings.paused ? before.status : "pending",
    // A second change, before anything was seen after the first, begins nothing new; another target ends what was.
    since: settings.paused || (before.status === "pending" && target === before.target) ? before.since : at,
    undecidedSince: null,
  };
};
