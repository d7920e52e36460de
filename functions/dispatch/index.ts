/** Wiring: every minute plans jobs, timers and heartbeats; the API has new shards planned. */
import { setTimeout as sleep } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import middy from "@middy/core";
import type { Location, PlannedJob } from "../../shared/model.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createJobQueues } from "../../shared/store/jobs.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { createDispatch } from "./dispatch.ts";
import { createLocationWatch } from "./locations.ts";
import { createTimers } from "./timers.ts";

const { MONITORS_TABLE, LOCATIONS } = process.env as Record<string, string>;

const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const places = JSON.parse(LOCATIONS!) as Location[];
const locations = places.map(({ name }) => name);
const planning = createPlanningStore(client, MONITORS_TABLE!);
const due = createDueStore(client, MONITORS_TABLE!);
const queues = createJobQueues(places);
const now = () => new Date();

const sendJobs = async (jobs: readonly PlannedJob[]) => {
  const { rejected, errors } = await queues(jobs);
  for (const [location, error] of errors) logger.error("jobs could not be sent", { location, error });
  return rejected;
};

const dispatch = createDispatch({ planning, locations, sendJobs, now, sleep });
const queueTimers = createTimers({ due, locations, sendJobs, now });
const watchLocations = createLocationWatch({
  locations,
  store: createLocationStore(client, MONITORS_TABLE!),
  planning,
  views: createViewStore(client, MONITORS_TABLE!),
  due,
  now,
});

type Invocation = { readonly source: "schedule" } | { readonly source: "api"; readonly shard: string };

/** Each part runs even when another failed; the failure still fails the invocation, and so rings an alarm. */
async function everyMinute() {
  const results = await Promise.allSettled([dispatch.all(), queueTimers(), watchLocations()]);
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
  const [planned] = results;
  if (planned.status === "fulfilled" && planned.value.failed > 0) {
    metrics.addMetric("JobsNotSent", MetricUnit.Count, planned.value.failed);
    metrics.publishStoredMetrics();
  }
}

export const handler = middy<Invocation, void>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    if (event.source === "api") await dispatch.one(event.shard);
    else await everyMinute();
  });
