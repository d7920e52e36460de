/**
 * Runs the steps of sweeps. The end of a sweep of a shard's tick is that tick: it stores view and block as every tick does, with the
 * outcome of the sweep in place of a check. A sweep that somebody asked for is no tick, and stores the view alone.
 */
import type { Engine } from "../../shared/engine/run.ts";
import type { SweepJob } from "../../shared/jobs.ts";
import { EMPTY_HISTORY, judge, remember } from "../../shared/rules/judge.ts";
import { SLICE_SECONDS } from "../../shared/rules/sweep-plan.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";
import type { SweepEnd } from "./sweep-end.ts";
import { memberOf } from "./sweep-slice.ts";
import type { TickReport } from "./tick.ts";

/** Time for looking again and identifying, below the function's time-out of 75 s. */
const END_MS = 55_000;

interface Dependencies {
  readonly location: string;
  readonly views: ViewStore;
  readonly slice: (job: SweepJob) => Promise<void>;
  readonly end: SweepEnd;
  /** Runs a shard's tick with this in place of the engine. */
  readonly tick: (engine: Pick<Engine, "runBatch">, shard: string, tick: number) => Promise<TickReport>;
  /** Called after each sweep of a tick. */
  readonly checked: (report: TickReport) => void;
  readonly now: () => number;
}

export const createSweepSteps = ({ location, views, slice, end, tick, checked, now }: Dependencies) => {
  /** Checks whose outcome is known already: that of the sweep. */
  const engineOf = (job: SweepJob, outcome: Awaited<ReturnType<SweepEnd>>): Pick<Engine, "runBatch"> => ({
    runBatch: async (requests, { onOutcome }) => {
      const outcomes = new Map(
        requests.flatMap(({ id }) => (id === job.id && outcome ? [[id, outcome] as const] : [])),
      );
      for (const [id, one] of outcomes) onOutcome?.(id, one);
      return { outcomes, late: [], crashes: [] };
    },
  });

  /** Stores what a sweep that somebody asked for says, unless a newer one has. */
  const storeView = async (job: SweepJob, member: Member, outcome: NonNullable<Awaited<ReturnType<SweepEnd>>>) => {
    const view = (await views.views([job.id], location)).get(job.id) ?? null;
    // It counts as the only one: a monitor that is to fail several times before it is down is not, by this one.
    const thresholds = { failureThreshold: member.failureThreshold, recoveryThreshold: 1 };
    const next = judge(view, remember(EMPTY_HISTORY, outcome.health), outcome, thresholds, job.tick);
    if (next) await views.save(job.id, member.settingsVersion, location, next, now());
  };

  return async (job: SweepJob): Promise<void> => {
    if (job.step < job.slices) return slice(job);
    const member = await memberOf(job, location, views);
    const outcome = member && (await end(job, member, now() + END_MS));
    if (!member || !outcome) return;
    if (job.isAsked) return storeView(job, member, outcome);
    const report = await tick(engineOf(job, outcome), job.shard, job.tick);
    checked({ ...report, lagMs: Math.max(0, report.lagMs - job.step * SLICE_SECONDS * 1000) });
  };
};
