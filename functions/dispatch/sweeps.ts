/**
 * Plans sweeps: which steps of them are due, and which share a job. A sweep's slices and its end are jobs of their own, so that no tick waits
 * for them; a shard of a sweep has one monitor, whose settings say how many slices there are.
 */

import type { PlannedJob, SweepJob } from "../../shared/jobs.ts";
import type { Location } from "../../shared/model.ts";
import { sweepOf } from "../../shared/protocols/sweeps.ts";
import { chunksOf } from "../../shared/rules/plan.ts";
import { addressCount, planSweep, type SweepStep, stepsIn, stepsToPlan } from "../../shared/rules/sweep-plan.ts";
import type { Shard } from "../../shared/store/planning.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** Sweeps that share a job: six addresses at the rate of strangers are what one probe manages. */
const SWEEPS_PER_JOB = 6;

/** The steps of a shard's sweep that need jobs at a location. */
export interface DueSweep {
  readonly shard: Shard;
  readonly location: string;
  /** Their ticks. Empty: only a sweep that somebody asked for. */
  readonly ticks: readonly number[];
  readonly jobs: readonly (SweepJob & { readonly dueAtSeconds: number })[];
}

interface Dependencies {
  readonly views: Pick<ViewStore, "members">;
  /** Kinds of locations by name; the rate of a sweep depends on it. */
  readonly kinds: Readonly<Record<string, Location["kind"]>>;
}

/** The end of planning, and the last look at a sweep, beyond its slices. */
const SLACK_SECONDS = 600;

/** Whether a sweep may be under way, before its monitor is read: each takes half an interval at most. */
const mayBeDue = ({ intervalSeconds, phase, askedTick = 0 }: Shard, until: number): boolean => {
  const lastTick = Math.floor((until - phase) / intervalSeconds) * intervalSeconds + phase;
  return until - Math.max(lastTick, askedTick) <= intervalSeconds / 2 + SLACK_SECONDS;
};

export const createSweepPlanning = ({ views, kinds }: Dependencies) => {
  const slicesOf = (member: Member, location: string): number => {
    const probe = sweepOf(member)!;
    const load = { addresses: addressCount(member.host), ports: probe.ports.length, perSecond: probe.perSecond };
    return planSweep(load, kinds[location] ?? "public").slices;
  };

  /** The monitor of a sweep's shard, unless it is not to be swept now. */
  const memberOf = async (shard: Shard): Promise<Member | undefined> =>
    (await views.members(shard.name)).find(
      (member) =>
        !member.deletedAt &&
        !member.paused &&
        sweepOf(member) &&
        member.placements.some((one) => one.shard === shard.name && one.toTick === null),
    );

  return {
    /** @param until end of planning, exclusive */
    async due(shards: readonly Shard[], until: number, now: Date): Promise<DueSweep[]> {
      const found = await Promise.all(
        shards
          .filter((shard) => mayBeDue(shard, until))
          .map(async (shard): Promise<DueSweep[]> => {
            const member = await memberOf(shard);
            if (!member) return [];
            return member.locations
              .filter((location) => kinds[location])
              .map((location) => {
                const slices = slicesOf(member, location);
                const { askedTick, askedPlanned } = shard;
                const asked = askedTick === undefined ? [] : [askedTick];
                const askedUntil = askedPlanned?.tick === askedTick ? askedPlanned?.until : undefined;
                const steps = stepsToPlan(shard, slices, shard.planned[location], until, now);
                const job = ({ tick, step, dueAtSeconds }: SweepStep, isAsked: boolean) => ({
                  id: member.id,
                  settingsVersion: member.settingsVersion,
                  shard: shard.name,
                  tick,
                  step,
                  slices,
                  isAsked,
                  dueAtSeconds,
                });
                return {
                  shard,
                  location,
                  ticks: [...new Set(steps.map(({ tick }) => tick))],
                  jobs: [
                    ...steps.map((step) => job(step, false)),
                    ...stepsIn(asked, slices, askedUntil, until, now).map((step) => job(step, true)),
                  ],
                };
              })
              .filter(({ jobs }) => jobs.length > 0);
          }),
      );
      return found.flat();
    },

    /** Steps of one location that are due in the same second share jobs. */
    jobs(due: readonly DueSweep[]): PlannedJob[] {
      const single = due.flatMap(({ location, jobs }) => jobs.map((job) => ({ location, job })));
      const together = Map.groupBy(single, ({ location, job }) => `${location} ${job.dueAtSeconds}`);
      return [...together.values()].flatMap((group) => {
        const { location, job } = group[0]!;
        return chunksOf(group, SWEEPS_PER_JOB).map((own) => ({
          location,
          job: { kind: "sweep" as const, sweeps: own.map(({ job: { dueAtSeconds: _due, ...one } }) => one) },
          dueAtSeconds: job.dueAtSeconds,
        }));
      });
    },
  };
};
