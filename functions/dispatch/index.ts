/** Lambda entry point of dispatch: runs every minute, and when the API has a new shard planned. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import middy from "@middy/core";
import { readEnvironment } from "../../shared/environment.ts";
import type { DispatchEvent } from "../../shared/payloads.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createJobQueues } from "../../shared/store/jobs.ts";
import { createPlanner } from "./wiring.ts";

const environment = readEnvironment("dispatch", process.env);

const logger = new Logger();
const metrics = new Metrics();

const planner = createPlanner({
  client: documentClient({}, environment.DYNAMODB_TIMEOUT_MS),
  tables: { monitors: environment.MONITORS_TABLE, history: environment.HISTORY_TABLE },
  locations: environment.LOCATIONS.map(({ name }) => name),
  kinds: Object.fromEntries(environment.LOCATIONS.map(({ name, kind }) => [name, kind])),
  queues: createJobQueues(environment.LOCATIONS),
  now: () => new Date(),
  sleep,
  newId: randomUUID,
  log: (level, message, details) => logger[level](message, { ...details }),
});

export const handler = middy<DispatchEvent, void>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    const { failed } = event.source === "api" ? await planner.planShard(event.shard) : await planner.everyMinute();
    if (failed === 0) return;
    metrics.addMetric("JobsNotSent", MetricUnit.Count, failed);
    metrics.publishStoredMetrics();
  });
