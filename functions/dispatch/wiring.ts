/**
 * Assembles dispatch. Everything outside it (table, queues, clock, random ids) is passed in, so that a simulation can
 * replace it.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { PlannedJob } from "../../shared/jobs.ts";
import type { Location } from "../../shared/model.ts";
import { allEnded } from "../../shared/parallel.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createFreshness } from "../../shared/store/freshness.ts";
import type { JobQueues } from "../../shared/store/jobs.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createStandingReader } from "../../shared/store/standing.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { createAftermath } from "./aftermath.ts";
import { createDispatch, type DispatchReport } from "./dispatch.ts";
import { createLocationWatch } from "./locations.ts";
import { createStallWatch } from "./stalls.ts";
import { createSweepPlanning } from "./sweeps.ts";
import { createTimers } from "./timers.ts";

/** Time in which planning has the processor to itself; timers wait for it, and have the rest of a run's 50 s. */
const TICKS_FIRST_MS = 25_000;

/** After this time a run starts nothing more of the follow-up on news; the next run continues. */
const RUN_MS = 45_000;

export interface DispatchOutside {
  readonly client: DynamoDBDocumentClient;
  readonly tables: { readonly monitors: string; readonly history: string };
  /** Names of all locations. */
  readonly locations: readonly string[];
  /** Kinds of the locations that sweep. Default: none does. */
  readonly kinds?: Readonly<Record<string, Location["kind"]>>;
  readonly queues: JobQueues;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Makes a unique id. */
  readonly newId: () => string;
  readonly log: (level: "error", message: string, details: object) => void;
}

export function createPlanner(outside: DispatchOutside) {
  const { client, tables, locations, queues, now, sleep, newId, log } = outside;
  const planning = createPlanningStore(client, tables.monitors);
  const due = createDueStore(client, tables.monitors);
  const sendJobs = async (jobs: readonly PlannedJob[]) => {
    const { rejected, errors } = await queues(jobs);
    for (const [location, error] of errors) log("error", "jobs could not be sent", { location, error });
    return rejected;
  };
  const views = createViewStore(client, tables.monitors, { sleep });
  const sweeps = createSweepPlanning({ views, kinds: outside.kinds ?? {} });
  const dispatch = createDispatch({ planning, sweeps, locations, sendJobs, now, sleep });
  const queueTimers = createTimers({ due, locations, sendJobs, now });
  const store = createLocationStore(client, tables.monitors);
  const standing = createStandingReader(client, tables.monitors, { sleep });
  const freshness = createFreshness(client, tables.history);
  const watchLocations = createLocationWatch({ locations, store, planning, views, now, newId });
  const watchStalls = createStallWatch({ locations, store, views, standing, freshness, now, newId });
  const followUp = createAftermath({ store, planning, views, standing, due, now, newId });

  return {
    /** Runs every part even if another failed; a failure still fails the invocation, which raises an alarm. */
    async everyMinute(): Promise<DispatchReport> {
      const endsAt = now().getTime() + RUN_MS;
      const planned = dispatch.all();
      const watched = watchLocations();
      const ticksFirst = Promise.race([Promise.allSettled([planned]), sleep(TICKS_FIRST_MS)]);
      const stalls = Promise.all([planned, watched]).then(([{ shards }, { healths }]) => watchStalls(shards, healths));
      // The follow-up on news runs even if one of the two watches failed.
      const aftermath = Promise.allSettled([watched, stalls]).then(([location, stall]) => {
        const unfinished = location.status === "fulfilled" ? location.value.unfinished : [];
        const news = stall.status === "fulfilled" ? stall.value : [];
        return followUp(new Set([...unfinished, ...news]), () => now().getTime() < endsAt);
      });
      const [report] = await allEnded([planned, watched, ticksFirst.then(queueTimers), stalls, aftermath]);
      return report;
    },
    /** Plans one new shard at once. */
    planShard: (shard: string): Promise<DispatchReport> => dispatch.one(shard),
  };
}
