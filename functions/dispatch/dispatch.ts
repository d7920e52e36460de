/**
 * Plans ahead: one job per tick and location for each shard, or for several that are due together. It sends first and
 * moves the watermark after, on a condition: a crash repeats jobs, a duplicate invocation plans nothing new, a missed
 * one is caught up.
 */
import type { Job, PlannedJob } from "../../shared/model.ts";
import { chunksOf, horizon, shardsPerJob, ticksToPlan } from "../../shared/rules/plan.ts";
import type { PlanningStore, Shard } from "../../shared/store/planning.ts";

type TickJob = Extract<Job, { kind: "tick" }>;

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
    const jobs = jobsOf(shards, until);
    const failed = jobs.length > 0 ? await sendJobs(jobs) : new Set<PlannedJob>();
    const planned = new Set(jobs.flatMap(({ job }) => job.shards));
    const missed = new Set(
      [...failed].flatMap(({ location, job }) => shardsIn(job).map((name) => `${name} ${location}`)),
    );
    await Promise.all(
      shards.map(async (shard) => {
        if (!planned.has(shard.name)) return;
        const reached = shard.locations.filter(
          (location) => locations.includes(location) && !missed.has(`${shard.name} ${location}`),
        );
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

  /** A job for each location and tick, and for as many of the lane's shards as share one. */
  const jobsOf = (shards: readonly Shard[], until: number): (PlannedJob & { readonly job: TickJob })[] => {
    const due = shards.flatMap((shard) =>
      shard.locations
        .filter((location) => locations.includes(location))
        .flatMap((location) =>
          ticksToPlan(shard, shard.planned[location], until, now()).map((tick) => ({ location, tick, shard })),
        ),
    );
    const together = Map.groupBy(due, ({ location, tick, shard }) => `${shard.intervalSeconds} ${tick} ${location}`);
    return [...together.values()].flatMap((group) => {
      const { location, tick, shard } = group[0]!;
      return chunksOf(group, shardsPerJob(shard.intervalSeconds)).map((own) => ({
        location,
        job: { kind: "tick" as const, shards: own.map(({ shard: { name } }) => name), tick },
        dueAtSeconds: tick,
      }));
    });
  };

  return {
    /** Plans every shard and sends each location its heartbeat. */
    async all(): Promise<DispatchReport> {
      await nextSecond();
      const at = Math.floor(now().getTime() / 1000);
      const heartbeats = locations.map((location) => ({
        location,
        job: { kind: "heartbeat" as const, at },
        dueAtSeconds: at,
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

const shardsIn = (job: Job): readonly string[] => (job.kind === "tick" ? job.shards : []);
