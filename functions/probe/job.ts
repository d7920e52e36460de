/** Runs the jobs of a location's queue. Delivery is at least once: each job may come twice. */
import type { Job, SweepJob, Timer } from "../../shared/jobs.ts";
import type { Monitor } from "../../shared/model.ts";
import type { TickReport } from "./tick.ts";

interface Dependencies {
  readonly heartbeat: (at: number) => Promise<void>;
  readonly spot: (monitors: readonly Pick<Monitor, "id" | "settingsVersion">[]) => Promise<void>;
  readonly tick: (shard: string, tick: number) => Promise<TickReport>;
  readonly touch: (timer: Timer) => Promise<unknown>;
  /** Runs a step of a sweep. Absent where no monitor is swept. */
  readonly sweep?: ((job: SweepJob) => Promise<void>) | undefined;
  /** Called after each shard that was checked. */
  readonly checked: (report: TickReport) => void;
}

export const createJob = ({ heartbeat, spot, tick, touch, sweep, checked }: Dependencies) => {
  /** Runs all of them concurrently. If one fails, the whole job is repeated; the others then have nothing left to do. */
  const all = async <T>(parts: readonly T[], run: (part: T) => Promise<void>) => {
    const ended = await Promise.allSettled(parts.map(run));
    const errors = ended.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
  };

  return async (job: Job): Promise<void> => {
    switch (job.kind) {
      case "tick":
        return all(job.shards, async (shard) => checked(await tick(shard, job.tick)));
      case "sweep":
        if (!sweep) throw new Error("no monitor is swept here");
        return all(job.sweeps, sweep);
      case "heartbeat":
        return heartbeat(job.at);
      case "spot":
        return spot(job.monitors);
      case "touch":
        await Promise.all(job.timers.map(touch));
    }
  };
};
