/** How calls change what a monitor's service is expected to say of itself. */
import type { Acceptance, Baseline } from "../../../shared/rules/changes.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Deps } from "../deps.ts";
import { Problem } from "../http/problem.ts";
import { existing } from "../monitors/write.ts";

/** Attempts at a write that loses to decisions. */
const MAX_ATTEMPTS = 5;

/** What a call does to a baseline. */
interface Edit<T> {
  /** What to store; null: nothing changes. */
  readonly baseline: Baseline | null;
  /** Writes the audit log. */
  readonly record: () => Promise<void>;
  /** What the call answers with. */
  readonly done: T;
}

/**
 * Reads a monitor, stores its changed baseline on condition that nothing has changed meanwhile, and repeats both if something has.
 * @throws Problem `changed-meanwhile`, or what `edit` throws
 */
export async function editBaseline<T>(
  deps: Deps,
  id: string,
  edit: (monitor: StoredMonitor, now: Date) => Promise<Edit<T>>,
): Promise<T> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const monitor = await existing(deps, id);
    const now = deps.now();
    const { baseline, record, done } = await edit(monitor, now);
    if (baseline && !(await deps.monitors.saveBaseline(monitor, baseline, now))) continue;
    await record();
    return done;
  }
  throw new Problem("changed-meanwhile", "the monitor keeps changing: try again", { "retry-after": "1" });
}

/** The baseline with open changes that somebody accepts; the next decision takes their values into it. */
export const accepting = (
  baseline: Baseline,
  isAccepted: (changeId: string) => boolean,
  accepted: Acceptance,
): Baseline => ({
  ...baseline,
  changes: Object.fromEntries(
    Object.entries(baseline.changes).map(([id, change]) => [
      id,
      isAccepted(id) && !change.accepted ? { ...change, accepted } : change,
    ]),
  ),
});
