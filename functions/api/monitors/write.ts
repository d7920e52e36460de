/**
 * Writes one monitor: `create` stores a new one, `saveSettings` stores changed settings. The routes and the declarative
 * list share these functions. Writes use optimistic locking.
 */
import { createHash, randomBytes } from "node:crypto";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { isSame } from "../../../shared/monitor/settings.ts";
import { isSweep } from "../../../shared/protocols/sweeps.ts";
import type { Author } from "../../../shared/store/audit.ts";
import type { FormerMonitor } from "../../../shared/store/former.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Deps } from "../deps.ts";
import { matchesTag } from "../http/answer.ts";
import { authorOf } from "../http/audit.ts";
import { Problem } from "../http/problem.ts";
import { longestSweepSeconds } from "../sweeps/load.ts";
import { refuseSweeps } from "../sweeps/permission.ts";
import { etagOf } from "./present.ts";
import { knownIn, refuseWrongReferences } from "./references.ts";
import { affectsProbes, newMonitor, withSettings } from "./with-settings.ts";

const ID_LENGTH = 20;
/** Attempts at a write that loses to concurrent writes; then the caller gets `changed-meanwhile`. */
const MAX_ATTEMPTS = 5;

const sha256 = (...parts: readonly string[]) => createHash("sha256").update(JSON.stringify(parts)).digest("hex");
export const randomId = () => randomBytes(ID_LENGTH / 2).toString("hex");
export const idOfKey = (key: string) => sha256("key", key).slice(0, ID_LENGTH);
export const idOfRequest = (tokenId: string, idempotencyKey: string) =>
  sha256("request", tokenId, idempotencyKey).slice(0, ID_LENGTH);
/** @param body as it was parsed: the order of its fields counts */
export const creationHash = (tokenId: string, idempotencyKey: string, body: unknown) =>
  sha256(tokenId, idempotencyKey, JSON.stringify(body));

const missing = (id: string) => new Problem("not-found", `there is no monitor ${show(id)}`);

/** Reads a monitor. @throws Problem `not-found`, also while it is being deleted */
export const existing = async ({ monitors }: Deps, id: string): Promise<StoredMonitor> => {
  const monitor = await monitors.get(id);
  if (!monitor || monitor.deletedAt) throw missing(id);
  return monitor;
};

/**
 * Reads a monitor whose history is asked for: deleted ones too, until it expires.
 * @throws Problem `not-found`
 */
export const withHistory = async (
  { monitors, former, now }: Deps,
  id: string,
): Promise<StoredMonitor | FormerMonitor> => {
  const monitor = (await monitors.get(id)) ?? (await former.get(id, now()));
  if (!monitor) throw missing(id);
  return monitor;
};

/** Has a monitor swept now, beside its sweeps at every interval. @returns the tick of the sweep, which may be under way already */
export const startSweep = async (
  { probes, shards, sweeps, now }: Pick<Deps, "probes" | "shards" | "sweeps" | "now">,
  monitor: StoredMonitor,
): Promise<number> => {
  const { id, shard, settingsVersion, locations } = monitor;
  const asked = { settingsVersion, seconds: longestSweepSeconds(monitor) };
  const tick = Math.floor(now().getTime() / 1000);
  let begun = await shards.askSweep(shard, tick, asked);
  if (begun !== tick) {
    const found = await Promise.all(locations.map((location) => sweeps.sweep({ id, location }, begun)));
    if (found.every((sweep) => sweep !== undefined))
      begun = await shards.askSweep(shard, tick, { ...asked, ended: begun });
  }
  await probes.plan(shard);
  return begun;
};

/**
 * Tells probes and dispatch about written monitors, so that the first check need not wait for the next tick. A failure is
 * logged and not thrown: the monitors are stored, and the next plan and tick read them.
 */
export const notifyProbes = async (deps: Deps, monitors: readonly StoredMonitor[]) => {
  const { probes, shards, logger, metrics } = deps;
  const active = monitors.filter(({ paused, deletedAt }) => !paused && !deletedAt);
  const [swept, checked] = [true, false].map((isSwept) => active.filter((monitor) => isSweep(monitor) === isSwept));
  const locationsOf = new Map<string, string[]>();
  for (const { shard, locations } of monitors)
    locationsOf.set(shard, [...new Set([...(locationsOf.get(shard) ?? []), ...locations])]);
  const tellShard = async (shard: string, locations: readonly string[]) => {
    const { isUnplanned } = await shards.settingsChanged(shard, locations);
    if (isUnplanned) await probes.plan(shard);
  };
  const sent = await Promise.allSettled([
    probes.spot(checked!),
    ...swept!.map((monitor) => startSweep(deps, monitor)),
    ...[...locationsOf].map(([shard, locations]) => tellShard(shard, locations)),
  ]);
  for (const result of sent)
    if (result.status === "rejected") {
      logger.warn("probes could not be notified", {
        monitorIds: active.slice(0, 10).map(({ id }) => id),
        error: result.reason,
      });
      metrics.addMetric("ProbesNotNotified", MetricUnit.Count, 1);
    }
};

/** The placement in this shard from now on. */
export const placing = ({ now, retention }: Pick<Deps, "now" | "retention">, shard: string, by: Author) => ({
  shard,
  now: now(),
  retention,
  by,
});

interface Creation {
  /** Hash of the idempotency key and body; null without a key. */
  readonly creation: string | null;
  readonly by: Author;
  /** The monitor that it is copied from. */
  readonly source: StoredMonitor | undefined;
}

/** Takes a seat in a shard for a monitor with these settings. */
const placeOf = ({ shards }: Deps, settings: MonitorSettings) =>
  shards.place(settings.intervalSeconds, settings.locations, 1, isSweep(settings));

/**
 * Stores a new monitor.
 * @returns the monitor, or undefined if its id is taken
 * @throws InvalidInput if it names what does not exist, or cannot depend on what it names
 */
export const create = async (
  deps: Deps,
  id: string,
  settings: MonitorSettings,
  { creation, by, source }: Creation,
): Promise<StoredMonitor | undefined> => {
  await refuseWrongReferences(knownIn(deps), id, settings, source);
  const seats = await placeOf(deps, settings);
  const former = (await deps.former.recall([id])).get(id);
  const monitor = newMonitor(id, settings, { ...placing(deps, seats.shard, by), former }, creation);
  if (!(await deps.monitors.create(monitor, deps.now().getTime()))) return undefined;
  await notifyProbes(deps, [monitor]);
  return monitor;
};

/**
 * Stores new settings once, unless the monitor's settings have changed since `before` was read. A changed interval moves
 * it to another shard.
 * @returns the stored monitor, or undefined if a concurrent write won
 */
export const trySaveSettings = async (
  deps: Deps,
  before: StoredMonitor,
  settings: MonitorSettings,
  by: Author,
): Promise<StoredMonitor | undefined> => {
  if (isSame(before, settings)) return before;
  const isMoved = settings.intervalSeconds !== before.intervalSeconds || isSweep(settings) !== isSweep(before);
  const { shard } = isMoved ? await placeOf(deps, settings) : before;
  // Before the write: if this process is killed right after it, the probes still look for the change.
  if (affectsProbes(before, settings)) await deps.shards.settingsChanged(before.shard, settings.locations);
  const monitor = withSettings(before, settings, placing(deps, shard, by));
  return (await deps.monitors.saveSettings(before, monitor, deps.now().getTime())) ? monitor : undefined;
};

/**
 * Optimistic locking: reads the monitor, checks `If-Match` and tries the write; repeats all of it after a lost race.
 * @param write returns undefined if a concurrent write won
 * @throws Problem `not-found`, `stale-etag` or `changed-meanwhile`
 */
export const retryOnConflict = async <T>(
  deps: Deps,
  id: string,
  ifMatch: string | undefined,
  write: (monitor: StoredMonitor) => Promise<T | undefined>,
): Promise<T> => {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const monitor = await existing(deps, id);
    if (ifMatch !== undefined && !matchesTag(ifMatch, etagOf(monitor)))
      throw new Problem("stale-etag", `the monitor's ETag is ${etagOf(monitor)} by now: read it again`, {
        etag: etagOf(monitor),
      });
    const done = await write(monitor);
    if (done !== undefined) return done;
  }
  throw new Problem("changed-meanwhile", "others keep changing this monitor: read it and try again", {
    "retry-after": "1",
  });
};

/** Returns the settings if they keep the key. @throws InvalidInput if they do not */
export const keepKey = (before: StoredMonitor, settings: MonitorSettings): MonitorSettings => {
  if (settings.key === before.key) return settings;
  throw new InvalidInput([{ path: "key", message: `is fixed once a monitor exists, and is ${show(before.key)}` }]);
};

/**
 * Changes a monitor's settings: makes new ones from the present ones, stores them and notifies the probes.
 * @throws Problem like `retryOnConflict` and `refuseSweeps`
 * @throws InvalidInput if the key changes, if it names what does not exist, or cannot depend on what it names
 */
export const saveSettings = (
  deps: Deps,
  id: string,
  ifMatch: string | undefined,
  next: (monitor: StoredMonitor) => MonitorSettings,
  token: Token | null,
): Promise<{ readonly before: StoredMonitor; readonly saved: StoredMonitor }> =>
  retryOnConflict(deps, id, ifMatch, async (before) => {
    const settings = keepKey(before, next(before));
    await refuseWrongReferences(knownIn(deps), id, settings, before);
    await refuseSweeps(deps, token, [{ settings, before }]);
    const saved = await trySaveSettings(deps, before, settings, authorOf(token));
    if (saved && affectsProbes(before, settings)) await notifyProbes(deps, [saved]);
    return saved && { before, saved };
  });
