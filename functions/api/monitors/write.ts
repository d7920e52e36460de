/** Creating, changing and deleting one monitor: what the routes and the declarative apply both do. */
import { createHash, randomBytes } from "node:crypto";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { InvalidInput } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { isSame } from "../../../shared/monitor/settings.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Deps } from "../deps.ts";
import { Problem } from "../http/problem.ts";
import { etagOf } from "./present.ts";
import { isForProbes, newMonitor, revised } from "./revise.ts";

const ID_LENGTH = 20;
/** Somebody else's change in between costs another round; more than a few rounds is a fight. */
const MAX_ROUNDS = 5;

const sha256 = (...parts: readonly string[]) => createHash("sha256").update(JSON.stringify(parts)).digest("hex");
export const randomId = () => randomBytes(ID_LENGTH / 2).toString("hex");
export const idOfKey = (key: string) => sha256("key", key).slice(0, ID_LENGTH);
export const idOfRequest = (tokenId: string, idempotencyKey: string) =>
  sha256("request", tokenId, idempotencyKey).slice(0, ID_LENGTH);
/** @param body as it was parsed: the order of its fields counts */
export const creationHash = (tokenId: string, idempotencyKey: string, body: unknown) =>
  sha256(tokenId, idempotencyKey, JSON.stringify(body));

const missing = (id: string) => new Problem("not-found", `there is no monitor ${show(id)}`);

/** @throws Problem `not-found`, for monitors on their way out too */
export const existing = async ({ monitors }: Deps, id: string): Promise<StoredMonitor> => {
  const monitor = await monitors.get(id);
  if (!monitor || monitor.deletedAt) throw missing(id);
  return monitor;
};

/**
 * Tells the other functions about written monitors. What fails here is made good by the next plan and the next tick,
 * so the write stands and the caller is not told.
 */
export const announce = async ({ probes, shards, logger, metrics }: Deps, monitors: readonly StoredMonitor[]) => {
  const active = monitors.filter(({ paused, deletedAt }) => !paused && !deletedAt);
  const locationsOf = new Map<string, string[]>();
  for (const { shard, locations } of monitors)
    locationsOf.set(shard, [...new Set([...(locationsOf.get(shard) ?? []), ...locations])]);
  const tellShard = async (shard: string, locations: readonly string[]) => {
    const { isUnplanned } = await shards.settingsChanged(shard, locations);
    if (isUnplanned) await probes.plan(shard);
  };
  const sent = await Promise.allSettled([
    probes.spot(active),
    ...[...locationsOf].map(([shard, locations]) => tellShard(shard, locations)),
  ]);
  for (const result of sent)
    if (result.status === "rejected") {
      logger.warn("not told at once", { monitorIds: active.slice(0, 10).map(({ id }) => id), error: result.reason });
      metrics.addMetric("NotTold", MetricUnit.Count, 1);
    }
};

/** Where a monitor goes, and when. */
export const placing = ({ now, retention }: Pick<Deps, "now" | "retention">, shard: string) => ({
  shard,
  now: now(),
  retention,
});

/** @returns the monitor, or undefined when its id is taken */
export const create = async (
  deps: Deps,
  id: string,
  settings: MonitorSettings,
  creation: string | null,
): Promise<StoredMonitor | undefined> => {
  const seats = await deps.shards.place(settings.intervalSeconds, settings.locations);
  const former = (await deps.former.recall([id])).get(id);
  const monitor = newMonitor(id, settings, { ...placing(deps, seats.shard), former }, creation);
  if (!(await deps.monitors.create(monitor, deps.now().getTime()))) return undefined;
  await announce(deps, [monitor]);
  return monitor;
};

/**
 * Stores new settings for a monitor as it was read. Its place follows the interval, and its shard learns of the change
 * and of new locations first.
 * @returns the changed monitor, or undefined when somebody else changed it first
 */
export const change = async (
  deps: Deps,
  before: StoredMonitor,
  settings: MonitorSettings,
): Promise<StoredMonitor | undefined> => {
  if (isSame(before, settings)) return before;
  const isMoved = settings.intervalSeconds !== before.intervalSeconds;
  const { shard } = isMoved ? await deps.shards.place(settings.intervalSeconds, settings.locations) : before;
  // Before it is stored: should this process end right after, the probes look for the change all the same.
  if (isForProbes(before, settings)) await deps.shards.settingsChanged(before.shard, settings.locations);
  const monitor = revised(before, settings, placing(deps, shard));
  return (await deps.monitors.saveSettings(before, monitor, deps.now().getTime())) ? monitor : undefined;
};

/** RFC 9110, section 13.1.1: `*` or a list of strong tags. */
const holds = (ifMatch: string, monitor: StoredMonitor) =>
  ifMatch.trim() === "*" ||
  ifMatch
    .split(",")
    .map((tag) => tag.trim())
    .includes(etagOf(monitor));

/** Reads, checks `If-Match`, acts, and begins again when somebody else was faster. */
export const guarded = async <T>(
  deps: Deps,
  id: string,
  ifMatch: string | undefined,
  act: (monitor: StoredMonitor) => Promise<T | undefined>,
): Promise<T> => {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const monitor = await existing(deps, id);
    if (ifMatch !== undefined && !holds(ifMatch, monitor))
      throw new Problem("stale-etag", `the monitor's ETag is ${etagOf(monitor)} by now: read it again`, {
        etag: etagOf(monitor),
      });
    const done = await act(monitor);
    if (done !== undefined) return done;
  }
  throw new Problem("changed-meanwhile", "others keep changing this monitor: read it and try again");
};

export const update = (
  deps: Deps,
  id: string,
  ifMatch: string | undefined,
  next: (monitor: StoredMonitor) => MonitorSettings,
): Promise<StoredMonitor> =>
  guarded(deps, id, ifMatch, async (before) => {
    const settings = next(before);
    if (settings.key !== before.key)
      throw new InvalidInput([{ path: "key", message: `is fixed once a monitor exists, and is ${show(before.key)}` }]);
    const changed = await change(deps, before, settings);
    if (changed && isForProbes(before, settings)) await announce(deps, [changed]);
    return changed;
  });
