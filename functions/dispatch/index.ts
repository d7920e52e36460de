/** Wiring: every minute plans jobs, timers and heartbeats; the timers queue has items touched; the API has new shards planned. */
import { setTimeout as sleep } from "node:timers/promises";
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import middy from "@middy/core";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { Location } from "../../shared/model.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createDueStore, type ItemKey } from "../../shared/store/due.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { createDispatch, type PlannedJob } from "./dispatch.ts";
import { createLocationWatch } from "./locations.ts";
import { createQueues } from "./queues.ts";
import { createTimers } from "./timers.ts";

const { MONITORS_TABLE, LOCATIONS, TIMERS_QUEUE_URL } = process.env as Record<string, string>;

const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const locations = JSON.parse(LOCATIONS!) as Location[];
const names = locations.map(({ name }) => name);
const planning = createPlanningStore(client, MONITORS_TABLE!);
const due = createDueStore(client, MONITORS_TABLE!);
const send = createQueues();
const now = () => new Date();

const sendJobs = async (jobs: readonly PlannedJob[]) => {
  const failed = new Set<PlannedJob>();
  await Promise.all(
    locations.map(async ({ name, region, jobsQueueUrl }) => {
      const own = jobs.filter(({ location }) => location === name);
      const { rejected, error } = await send(
        jobsQueueUrl,
        region,
        own.map(({ job, delaySeconds }) => ({ body: JSON.stringify(job), delaySeconds })),
      );
      for (const index of rejected) failed.add(own[index]!);
      if (error) logger.error("jobs could not be sent", { location: name, jobs: rejected.size, error });
    }),
  );
  return failed;
};

const queueTimers = createTimers(
  due,
  async (timers) => {
    const { rejected, error } = await send(
      TIMERS_QUEUE_URL!,
      undefined,
      timers.map(({ key, delaySeconds }) => ({ body: JSON.stringify(key), delaySeconds })),
    );
    if (error) logger.error("timers could not be queued", { timers: rejected.size, error });
  },
  now,
);

const dispatch = createDispatch({ planning, locations: names, sendJobs, now, sleep });
const watchLocations = createLocationWatch({
  locations: names,
  store: createLocationStore(client, MONITORS_TABLE!),
  planning,
  views: createViewStore(client, MONITORS_TABLE!),
  due,
  now,
});

type Invocation = SQSEvent | { readonly source: "schedule" } | { readonly source: "api"; readonly shard: string };

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

export const handler = middy<Invocation, SQSBatchResponse | undefined>()
  .use(injectLambdaContext(logger))
  .handler(async (event, context) => {
    if ("Records" in event) {
      const touch = ({ body }: SQSRecord) => due.touch(JSON.parse(body) as ItemKey);
      const processor = new BatchProcessor(EventType.SQS);
      return processPartialResponse(event, touch, processor, { context, throwOnFullBatchFailure: false });
    }
    if (event.source === "api") await dispatch.one(event.shard);
    else await everyMinute();
    return undefined;
  });
