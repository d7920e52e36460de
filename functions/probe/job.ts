/** Runs the jobs of a location's queue. Delivery is at least once: each job may come twice. */
import type { Job, Timer } from "../../shared/jobs.ts";
import type { Monitor } from "../../shared/model.ts";
import type { TickReport } from "./tick.ts";

interface Dependencies {
  readonly heartbeat: (at: number) => Promise<void>;
  readonly spot: (monitors: readonly Pick<Monitor, "id" | "settingsVersion">[]) => Promise<void>;
  readonly tick: (shard: string, tick: number) => Promise<TickReport>;
  readonly touch: (timer: Timer) => Promise<unknown>;
  /** Called after each shard that was checked. */
  readonly checked: (report: TickReport) => void;
}

export const createJob = ({ heartbeat, spot, tick, touch, checked }: Dependencies) => {
  /** Runs all shards concurrently. If one fails, the whole job is repeated; the others then have nothing left to do. */
  const everyShard = async (shards: readonly string[], at: number) => {
    const errors: unknown[] = [];
    const one = async (shard: string) => {
      try {
        checked(await tick(shard, at));
      } catch (error) {
        errors.push(error);
      }
    };
    await Promise.all(shards.map(one));
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
  };

  return async (job: Job): Promise<void> => {
    switch (job.kind) {
      case "tick":
        return everyShard(job.shards, job.tick);
      case "heartbeat":
        return heartbeat(job.at);
      case "spot":
        return spot(job.monitors);
      case "touch":
        await Promise.all(job.timers.map(touch));
    }
  };
};
