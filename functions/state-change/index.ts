/** Wiring: the stream of `monitors` in, decisions and alerts out. */
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import middy from "@middy/core";
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { Location } from "../../shared/model.ts";
import { type Touch, touchJobs } from "../../shared/rules/plan.ts";
import { locationCondition } from "../../shared/rules/quorum.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createDecisionStore } from "../../shared/store/decisions.ts";
import { createJobQueues } from "../../shared/store/jobs.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createDeliver } from "./deliver.ts";
import { keyOf, newestOfEachItem } from "./records.ts";
import { createSend } from "./send.ts";
import { createStateChange } from "./state-change.ts";

const { MONITORS_TABLE, LOCATIONS, ALERTS_TOPIC_ARN, SYSTEM_TOPIC_ARN, ALERT_SENDER, API_URL } = process.env as Record<
  string,
  string
>;

const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const places = JSON.parse(LOCATIONS!) as Location[];
const names = places.map(({ name }) => name);
const queues = createJobQueues(places);
const decisions = createDecisionStore(client, MONITORS_TABLE!);
const locations = createLocationStore(client, MONITORS_TABLE!);
const now = () => new Date();

const conditions = async () => {
  const healths = new Map((await locations.all()).map((health) => [health.name, health]));
  return Object.fromEntries(names.map((name) => [name, locationCondition(healths.get(name), now())]));
};

const deliver = createDeliver({
  decisions,
  send: createSend({
    alertsTopicArn: ALERTS_TOPIC_ARN!,
    systemTopicArn: SYSTEM_TOPIC_ARN!,
    sender: ALERT_SENDER,
    decisions,
  }),
  now,
  log: (level, message, details) => logger[level](message, { ...details }),
});

/** A timer that is not queued here is found by dispatch within a minute, so a queue that fails fails nothing. */
const queueTimers = async (timers: readonly Touch[]) => {
  const { errors } = await queues(touchJobs(timers, names, now()));
  for (const [location, error] of errors) logger.warn("timers could not be queued", { location, error });
};

export const handler = middy<DynamoDBStreamEvent, DynamoDBBatchResponse>()
  .use(injectLambdaContext(logger))
  .handler(async (event, context) => {
    const known = conditions(); // once for the whole batch
    const url = (id: string) => `${API_URL}/v1/monitors/${id}`;
    const mail = Boolean(ALERT_SENDER);
    const timers: Touch[] = [];
    const ring = (timer: Touch) => timers.push(timer);
    const run = createStateChange({ decisions, conditions: () => known, url, mail, deliver, ring, now });
    const look = async (record: DynamoDBRecord) => {
      const { delivered, undeliverable } = await run(keyOf(record));
      if (delivered) metrics.addMetric("AlertsDelivered", MetricUnit.Count, delivered);
      if (undeliverable) metrics.addMetric("AlertsUndeliverable", MetricUnit.Count, undeliverable);
    };
    const processor = new BatchProcessor(EventType.DynamoDBStreams);
    const response = await processPartialResponse({ Records: newestOfEachItem(event.Records) }, look, processor, {
      context,
      throwOnFullBatchFailure: false,
    });
    await queueTimers(timers);
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    return response;
  });
