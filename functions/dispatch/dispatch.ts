/**
 * Plans ahead: one job per shard, tick and location. It sends first and moves the watermark after, on a condition: a
 * crash repeats jobs, a duplicate invocation plans nothing new, a missed one is caught up.
 */
import type { Job } from "../../shared/model.ts";
import { delaySeconds, horizon, ticksToPlan } from "../../shared/rules/plan.ts";
import type { PlanningStore, Shard } from "../../shared/store/planning.ts";

/** A message for the queue of a location. */
export interface PlannedJob {
  readonly location: string;
  readonly job: Job;
  readonly delaySeconds: number;
}

interface Dependencies {
  readonly planning: PlanningStore;
  /** Names of the locations that exist; a shard may still name one that was removed. */
  readonly locations: readonly string[];
  /** Sends to the locations' queues. @returns the jobs that could not be sent */
  readonly sendJobs: (jobs: readonly PlannedJob[]) => Promise<ReadonlySet<PlannedJob>>;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
}

export interface DispatchReport {
  readonly jobs: number;
  readonly failed: number;
}

export const createDispatch = ({ planning, locations, sendJobs, now, sleep }: Dependencies) => {
  /**
   * Queues delay by whole seconds: planned right after one began, jobs come when they are due and not up to a second
   * later.
   */
  const nextSecond = () => sleep(1000 - (now().getTime() % 1000));

  const plan = async (shards: readonly Shard[]): Promise<DispatchReport> => {
    const until = horizon(now());
    const planned = shards.map((shard) => ({ shard, jobs: jobsOf(shard, until) }));
    const jobs = planned.flatMap((one) => one.jobs);
    const failed = jobs.length > 0 ? await sendJobs(jobs) : new Set<PlannedJob>();
    await Promise.all(
      planned.map(async ({ shard, jobs: own }) => {
        if (own.length === 0) return;
        const missed = new Set(own.filter((job) => failed.has(job)).map(({ location }) => location));
        const reached = shard.locations.filter((location) => locations.includes(location) && !missed.has(location));
        // Where nothing could be sent, nothing moves: the next minute tries again.
        if (reached.length > 0)
          await planning.advance(shard, until - 1, {
            ...shard.planned,
            ...Object.fromEntries(reached.map((location) => [location, until - 1])),
          });
      }),
    );
    return { jobs: jobs.length, failed: failed.size };
  };

  const jobsOf = (shard: Shard, until: number): PlannedJob[] =>
    shard.locations
      .filter((location) => locations.includes(location))
      .flatMap((location) =>
        ticksToPlan(shard, shard.planned[location], until, now()).map((tick) => ({
          location,
          job: { kind: "tick" as const, shard: shard.name, tick },
          delaySeconds: delaySeconds(tick, now()),
        })),
      );

  return {
    /** Plans every shard and sends each location its heartbeat. */
    async all(): Promise<DispatchReport> {
      await nextSecond();
      const at = Math.floor(now().getTime() / 1000);
      const heartbeats = locations.map((location) => ({
        location,
        job: { kind: "heartbeat" as const, at },
        delaySeconds: 0,
      }));
      const lost = await sendJobs(heartbeats);
      let [jobs, failed] = [heartbeats.length, lost.size];
      for await (const shards of planning.shards()) {
        const report = await plan(shards);
        jobs += report.jobs;
        failed += report.failed;
      }
      return { jobs, failed };
    },

    /** Plans one shard, which is new, at once. */
    async one(name: string): Promise<DispatchReport> {
      await nextSecond();
      const shard = await planning.shard(name);
      return shard ? plan([shard]) : { jobs: 0, failed: 0 };
    },
  };
};
