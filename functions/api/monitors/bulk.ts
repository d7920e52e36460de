/**
 * One action on many monitors: changes, pauses, resumes, checks or deletes them. Each monitor is a write of its own with
 * a result of its own. All actions but `check` are idempotent, so a call that ran out of time is continued by sending
 * the ids that remain.
 */
import { type FieldError, InvalidInput } from "../../../shared/errors.ts";
import type { MonitorSettings } from "../../../shared/model.ts";
import { SPOTS_PER_JOB } from "../../../shared/rules/plan.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Token } from "../../../shared/store/tokens.ts";
import type { Deps } from "../deps.ts";
import { authorOf, type Change, type Recorder } from "../http/audit.ts";
import { Problem, type ProblemCode } from "../http/problem.ts";
import { refuseSweeps } from "../sweeps/permission.ts";
import { type Changes, changeOf, changesOf, deletionOf, shownChanges } from "./changes.ts";
import { patchedSettings } from "./patch.ts";
import { type Known, knownIn, refuseWrongReferences } from "./references.ts";
import { affectsProbes } from "./with-settings.ts";
import { keepKey, notifyProbes, retryOnConflict, trySaveSettings } from "./write.ts";

/** Concurrent writes: as many as one spot job holds. */
const AT_ONCE = SPOTS_PER_JOB;

export const ACTIONS = ["update", "pause", "resume", "check", "delete"] as const;
export type Action = (typeof ACTIONS)[number];

export interface BulkJob {
  readonly action: Action;
  /** Merge patch of `update`. */
  readonly change?: unknown;
  /** Whether to write nothing. */
  readonly dryRun: boolean;
  /** The caller's token. */
  readonly token: Token | null;
  readonly record: Recorder;
}

export interface Done {
  readonly id: string;
  readonly name: string;
  /** Empty if it was as wanted already, and for `check` and `delete`. */
  readonly changes: Changes;
}
export interface Failed {
  readonly id: string;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}
export interface BulkResult {
  readonly done: Done[];
  readonly failed: Failed[];
  /** Ids that were not reached in time. */
  readonly remaining: string[];
}

/** Outcome of an action: the monitor before, and after if the probes must hear of it. */
interface Acted {
  readonly before: StoredMonitor;
  readonly changes: Changes;
  /** For the audit log. */
  readonly audit: readonly Change[];
  readonly toNotify?: StoredMonitor;
}

const nextSettings = (
  { action, change, token }: BulkJob,
  before: StoredMonitor,
  { locations }: Deps,
): MonitorSettings =>
  action === "update" ? patchedSettings(before, change, locations, token) : { ...before, paused: action === "pause" };

/** @returns undefined if a concurrent write won */
const act = async (deps: Deps, job: BulkJob, before: StoredMonitor, known: Known): Promise<Acted | undefined> => {
  if (job.action === "check") {
    if (before.paused) throw new Problem("paused", "it is paused: resume it first");
    return { before, changes: {}, audit: [], toNotify: before };
  }
  if (job.action === "delete") {
    const now = deps.now();
    if (!job.dryRun && !(await deps.monitors.markDeleted(before, now))) return undefined;
    const toNotify = { ...before, deletedAt: now.toISOString() };
    return { before, changes: {}, audit: [deletionOf(before)], toNotify };
  }
  const settings = keepKey(before, nextSettings(job, before, deps));
  await refuseWrongReferences(known, before.id, settings, before);
  await refuseSweeps(deps, job.token, [{ settings, before }]);
  const changes = changesOf(before, settings);
  if (job.dryRun) return { before, changes, audit: [] };
  const saved = await trySaveSettings(deps, before, settings, authorOf(job.token));
  if (!saved) return undefined;
  return {
    before,
    changes,
    audit: changeOf(before, saved),
    ...(affectsProbes(before, settings) && { toNotify: saved }),
  };
};

const failure = ({ logger }: Deps, id: string, error: unknown): Failed => {
  if (error instanceof Problem) return { id, code: error.code, detail: error.message };
  if (error instanceof InvalidInput) return { id, code: "invalid-input", detail: error.message, errors: error.errors };
  // Thrown on, it would hide which monitors were written.
  logger.error("a monitor of a bulk call failed", { monitorId: id, error: error as Error });
  return { id, code: "internal", detail: "something went wrong on our side: try it again" };
};

/** @param isTime whether there is time for another round of writes */
export const runBulk = async (
  deps: Deps,
  job: BulkJob,
  ids: readonly string[],
  isTime: () => boolean,
): Promise<BulkResult> => {
  const known = knownIn(deps);
  const result: BulkResult = { done: [], failed: [], remaining: [] };
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    if (!isTime()) return { ...result, remaining: ids.slice(start) };
    const round = await Promise.all(
      ids.slice(start, start + AT_ONCE).map(async (id) => {
        try {
          return await retryOnConflict(deps, id, undefined, (before) => act(deps, job, before, known));
        } catch (error) {
          return failure(deps, id, error);
        }
      }),
    );
    for (const one of round) {
      if ("code" in one) result.failed.push(one);
      else
        result.done.push({ id: one.before.id, name: one.before.name, changes: shownChanges(one.changes, job.token) });
    }
    if (job.dryRun) continue;
    await job.record(round.flatMap((one) => ("code" in one ? [] : one.audit)));
    await notifyProbes(
      deps,
      round.flatMap((one) => ("code" in one ? [] : (one.toNotify ?? []))),
    );
  }
  return result;
};
