/**
 * Plans sweeps: which steps of them are due, and which share a job. A sweep's slices and its end are jobs of their own, so that no tick waits
 * for them; a shard of a sweep has one monitor, whose settings say how many slices there are.
 */

import type { PlannedJob, SweepJob } from "../../shared/jobs.ts";
import type { Location } from "../../shared/model.ts";
import { sweepOf } from "../../shared/protocols/sweeps.ts";
import { addressCount, loadFor, MOST_IN_ALL, planSweep, stepsIn, stepsToPlan } from "../../shared/rules/sweep-plan.ts";
import type { Shard } from "../../shared/store/planning.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";

/** The steps of a shard's sweep that need jobs at a location. */
export interface DueSweep {
  readonly shard: Shard;
  readonly location: string;
  /** Their ticks. Empty: only a sweep that somebody asked for. */
  readonly ticks: readonly number[];
  readonly jobs: readonly (SweepJob & { readonly dueAtSeconds: number; readonly perSecond: number })[];
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

/** Puts items together, in order, until they are more than one probe manages. */
function packed<T>(items: readonly T[], rateOf: (item: T) => number): T[][] {
  const packs: T[][] = [];
  let rate = MOST_IN_ALL;
  for (const item of items) {
    rate += rateOf(item);
    if (rate > MOST_IN_ALL) {
      packs.push([]);
      rate = rateOf(item);
    }
    packs.at(-1)!.push(item);
  }
  return packs;
}

export const createSweepPlanning = ({ views, kinds }: Dependencies) => {
  const planOf = (member: Member, location: string) =>
    planSweep(loadFor(sweepOf(member)!, addressCount(member.host)), kinds[location] ?? "public");

  /** The monitor of a sweep's shard, unless it is not to be swept now. */
  const memberOf = async (shard: Shard): Promise<Member | undefined> =>
    (await views.members(shard.name)).find(
      (member) =>
        !member.deletedAt &&
        !member.paused &&
        sweepOf(member) &&
        member.placements.some((one) => one.shard === shard.name && one.toTick === null),
    );

  /** The steps of one monitor's sweeps that need jobs at a location. */
  const stepsAt = (shard: Shard, member: Member, location: string, until: number, now: Date): DueSweep => {
    const plan = planOf(member, location);
    const { slices, perSecond } = plan;
    const { askedTick, askedPlanned } = shard;
    const asked = askedTick === undefined ? [] : [askedTick];
    const askedUntil = askedPlanned?.tick === askedTick ? askedPlanned?.until : undefined;
    const steps = stepsToPlan(shard, plan, shard.planned[location], until, now);
    const { id, settingsVersion } = member;
    const common = { id, settingsVersion, shard: shard.name, slices, perSecond };
    return {
      shard,
      location,
      ticks: [...new Set(steps.map(({ tick }) => tick))],
      jobs: [
        ...steps.map((step) => ({ ...common, ...step, isAsked: false })),
        ...stepsIn(asked, plan, askedUntil, until, now).map((step) => ({ ...common, ...step, isAsked: true })),
      ],
    };
  };

  return {
    /**
     * @param until end of planning, exclusive
     * @returns also why some could not be planned: that of one says nothing about the others
     */
    async due(
      shards: readonly Shard[],
      until: number,
      now: Date,
    ): Promise<{ readonly due: readonly DueSweep[]; readonly errors: readonly unknown[] }> {
      const found = await Promise.allSettled(
        shards
          .filter((shard) => mayBeDue(shard, until))
          .map(async (shard) => {
            const member = await memberOf(shard);
            const locations = member?.locations.filter((location) => kinds[location]) ?? [];
            return locations.map((location) => stepsAt(shard, member!, location, until, now));
          }),
      );
      return {
        due: found
          .flatMap((one) => (one.status === "fulfilled" ? one.value : []))
          .filter(({ jobs }) => jobs.length > 0),
        errors: found.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : [])),
      };
    },

    /** Steps of one location that are due in the same second share jobs, as many as one probe manages at their rates. */
    jobs(due: readonly DueSweep[]): PlannedJob[] {
      const single = due.flatMap(({ location, jobs }) => jobs.map((job) => ({ location, job })));
      const together = Map.groupBy(single, ({ location, job }) => `${location} ${job.dueAtSeconds}`);
      return [...together.values()].flatMap((group) => {
        const { location, job } = group[0]!;
        const fitting = packed(
          group.map((one) => one.job),
          ({ perSecond }) => perSecond,
        );
        return fitting.map((own) => ({
          location,
          job: { kind: "sweep" as const, sweeps: own.map(({ dueAtSeconds: _due, perSecond: _rate, ...one }) => one) },
          dueAtSeconds: job.dueAtSeconds,
        }));
      });
    },
  };
};
