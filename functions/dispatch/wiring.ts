/** Puts dispatch together: everything outside it (table, queues, clock, chance) comes in, so that a simulation can be it. */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { PlannedJob } from "../../shared/model.ts";
import { allEnded } from "../../shared/parallel.ts";
import { createDueStore } from "../../shared/store/due.ts";
import type { JobQueues } from "../../shared/store/jobs.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { createDispatch, type DispatchReport } from "./dispatch.ts";
import { createLocationWatch } from "./locations.ts";
import { createTimers } from "./timers.ts";

/** Planning has the processor to itself for so long; what waits for it has the rest of a run's 50 s. */
const TICKS_FIRST_MS = 25_000;

export interface DispatchOutside {
  readonly client: DynamoDBDocumentClient;
  readonly monitorsTable: string;
  /** Names of all locations. */
  readonly locations: readonly string[];
  readonly queues: JobQueues;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** A name that nobody used before. */
  readonly newId: () => string;
  readonly log: (level: "error", message: string, details: object) => void;
}

export function createPlanner(outside: DispatchOutside) {
  const { client, monitorsTable, locations, queues, now, sleep, newId, log } = outside;
  const planning = createPlanningStore(client, monitorsTable);
  const due = createDueStore(client, monitorsTable);
  const sendJobs = async (jobs: readonly PlannedJob[]) => {
    const { rejected, errors } = await queues(jobs);
    for (const [location, error] of errors) log("error", "jobs could not be sent", { location, error });
    return rejected;
  };
  const dispatch = createDispatch({ planning, locations, sendJobs, now, sleep });
  const queueTimers = createTimers({ due, locations, sendJobs, now });
  const watchLocations = createLocationWatch({
    locations,
    store: createLocationStore(client, monitorsTable),
    planning,
    views: createViewStore(client, monitorsTable),
    due,
    now,
    newId,
  });

  return {
    /** Each part runs even when another failed; the failure still fails the invocation, and so rings an alarm. */
    async everyMinute(): Promise<DispatchReport> {
      const planned = dispatch.all();
      const ticksFirst = Promise.race([Promise.allSettled([planned]), sleep(TICKS_FIRST_MS)]);
      const [report] = await allEnded([planned, ticksFirst.then(queueTimers), watchLocations()]);
      return report;
    },
    /** Plans a shard that is new, at once. */
    planShard: (shard: string): Promise<DispatchReport> => dispatch.one(shard),
  };
}
