/**
 * Plans ticks ahead: sends one job per tick and location for each shard, or for several that are due together. Jobs are
 * sent first, then the watermark moves on condition that it has not changed: a crash repeats jobs, a duplicate
 * invocation plans nothing new, and a missed one is caught up.
 */
import type { Job, PlannedJob } from "../../shared/jobs.ts";
import { chunksOf, horizon, isSeamless, shardsPerJob, ticksToPlan } from "../../shared/rules/plan.ts";
import { isSweepShard } from "../../shared/store/keys.ts";
import type { PlanningStore, Shard } from "../../shared/store/planning.ts";
import type { createSweepPlanning } from "./sweeps.ts";

type TickJob = Extract<Job, { kind: "tick" }>;

interface DueTicks {
  readonly shard: Shard;
  readonly location: string;
  /** At least one. */
  readonly ticks: readonly number[];
}

interface Dependencies {
  readonly planning: PlanningStore;
  readonly sweeps: ReturnType<typeof createSweepPlanning>;
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

/** The report of a plan of all shards, with the shards as they were read. */
export interface FullReport extends DispatchReport {
  readonly shards: readonly Shard[];
}

export const createDispatch = ({ planning, sweeps, locations, sendJobs, now, sleep }: Dependencies) => {
  /**
   * Waits for the start of a second. Queues delay by whole seconds, so jobs sent then arrive when they are due, and not
   * up to a second later.
   */
  const nextSecond = () => sleep(1000 - (now().getTime() % 1000));

  /** Sends jobs, and moves the watermarks of the shards whose jobs were taken. */
  const carryOut = async (
    due: readonly DueTicks[],
    jobs: readonly PlannedJob[],
    until: number,
  ): Promise<DispatchReport & { readonly missed: ReadonlySet<string> }> => {
    const failed = jobs.length > 0 ? await sendJobs(jobs) : new Set<PlannedJob>();
    const missed = new Set(
      [...failed].flatMap(({ location, job }) => shardsIn(job).map((name) => `${name} ${location}`)),
    );
    await Promise.all(
      [...Map.groupBy(due, ({ shard }) => shard)].map(async ([shard, own]) => {
        const planned = { ...shard.planned };
        const plannedSince = { ...shard.plannedSince };
        // A location whose jobs could not be sent keeps its watermark, so the next run tries again.
        const reached = own.filter(({ location }) => !missed.has(`${shard.name} ${location}`));
        for (const { location, ticks } of reached) {
          if (!isSeamless(shard, planned[location], until, ticks[0]!)) delete plannedSince[location];
          plannedSince[location] ??= ticks[0]!;
          planned[location] = until - 1;
        }
        if (reached.length > 0) await planning.advance(shard, until - 1, { planned, plannedSince });
      }),
    );
    return { jobs: jobs.length, failed: failed.size, missed };
  };

  const planTicks = async (shards: readonly Shard[]): Promise<DispatchReport> => {
    const until = horizon(now());
    const due = dueTicks(
      shards.filter(({ name }) => !isSweepShard(name)),
      until,
    );
    return carryOut(due, jobsOf(due), until);
  };

  /** After the ticks, so that none of them waits for a sweep, or fails with one. */
  const planSweeps = async (shards: readonly Shard[]): Promise<DispatchReport> => {
    const until = horizon(now());
    const { due, errors } = await sweeps.due(
      shards.filter(({ name }) => isSweepShard(name)),
      until,
      now(),
    );
    const ofTicks = due.filter(({ ticks }) => ticks.length > 0);
    const { missed, ...report } = await carryOut(ofTicks, sweeps.jobs(due), until);
    const asked = new Set(due.filter(({ jobs }) => jobs.some(({ isAsked }) => isAsked)).map(({ shard }) => shard));
    for (const { name, askedTick } of asked) {
      const isLost = locations.some((location) => missed.has(`${name} ${location}`));
      if (!isLost && askedTick !== undefined) await planning.advanceAsked(name, askedTick, until - 1);
    }
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} sweeps could not be planned`);
    return report;
  };

  /** Ticks that need jobs, by shard and existing location. */
  const dueTicks = (shards: readonly Shard[], until: number): DueTicks[] =>
    shards.flatMap((shard) =>
      shard.locations
        .filter((location) => locations.includes(location))
        .map((location) => ({ shard, location, ticks: ticksToPlan(shard, shard.planned[location], until, now()) }))
        .filter(({ ticks }) => ticks.length > 0),
    );

  /** Makes the jobs: shards of one lane share a job if tick and location are the same. */
  const jobsOf = (due: readonly DueTicks[]): (PlannedJob & { readonly job: TickJob })[] => {
    const single = due.flatMap(({ shard, location, ticks }) => ticks.map((tick) => ({ shard, location, tick })));
    const together = Map.groupBy(single, ({ location, tick, shard }) => `${shard.intervalSeconds} ${tick} ${location}`);
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
    async all(): Promise<FullReport> {
      await nextSecond();
      const at = Math.floor(now().getTime() / 1000);
      const heartbeats = locations.map((location) => ({
        location,
        job: { kind: "heartbeat" as const, at },
        dueAtSeconds: at,
      }));
      const lost = await sendJobs(heartbeats);
      let [jobs, failed] = [heartbeats.length, lost.size];
      const shards: Shard[] = [];
      for await (const page of planning.shards()) {
        shards.push(...page);
        const report = await planTicks(page);
        jobs += report.jobs;
        failed += report.failed;
      }
      const report = await planSweeps(shards);
      jobs += report.jobs;
      failed += report.failed;
      return { jobs, failed, shards };
    },

    /** Plans one new shard at once. */
    async one(name: string): Promise<DispatchReport> {
      await nextSecond();
      const shard = await planning.shard(name);
      if (!shard) return { jobs: 0, failed: 0 };
      return isSweepShard(name) ? planSweeps([shard]) : planTicks([shard]);
    },
  };
};

const shardsIn = (job: Job): readonly string[] =>
  job.kind === "tick" ? job.shards : job.kind === "sweep" ? job.sweeps.map(({ shard }) => shard) : [];
