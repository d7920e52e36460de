/** Lambda entry point of deliver: takes the stream of table `monitors`, and sends the mail of the receivers that changed. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SESClient } from "@aws-sdk/client-ses";
import { SNSClient } from "@aws-sdk/client-sns";
import middy from "@middy/core";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import { ALARMED_METRICS } from "../../shared/alarmed-metrics.ts";
import { createHttpSend } from "../../shared/alerts/http.ts";
import { invokeBy } from "../../shared/alerts/invoke.ts";
import { outsideOf } from "../../shared/alerts/outside.ts";
import { readEnvironment, topicsIn } from "../../shared/environment.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createJobQueues } from "../../shared/store/jobs.ts";
import { createRecordHandler } from "./records.ts";
import { createDelivery } from "./wiring.ts";

const environment = readEnvironment("deliver", process.env);

const reach = environment.LOCATIONS.some(({ kind }) => kind === "local") ? "local" : "public";
const logger = new Logger();
const metrics = new Metrics();

const handleRecords = createRecordHandler(
  createDelivery({
    client: documentClient({}, environment.DYNAMODB_TIMEOUT_MS),
    table: environment.MONITORS_TABLE,
    locations: environment.LOCATIONS.map(({ name }) => name),
    queues: createJobQueues(environment.LOCATIONS),
    receivers: outsideOf({
      sns: new SNSClient({}),
      ses: new SESClient({}),
      topics: topicsIn(environment),
      sender: environment.ALERT_SENDER,
      allowsSms: environment.SMS_ALERTS === "true",
      alertFunctions: environment.ALERT_FUNCTIONS ?? [],
      invoke: invokeBy(new LambdaClient({})),
      reach,
      http: createHttpSend({ reach, version: environment.HARBORLIGHT_VERSION }),
    }),
    url: `${environment.API_URL}/incidents`,
    acknowledgeUrl: `${environment.API_URL}/v1/acknowledge`,
    origin: environment.API_URL,
    now: () => new Date(),
    sleep,
    newId: () => randomBytes(9).toString("base64url"),
    random: Math.random,
    log: (level, message, details) => logger[level](message, { ...details }),
    delivered({ undeliverable }) {
      if (undeliverable) metrics.addMetric(ALARMED_METRICS.deliver, MetricUnit.Count, undeliverable);
    },
  }),
);

export const handler = middy<DynamoDBStreamEvent, DynamoDBBatchResponse>()
  .use(injectLambdaContext(logger))
  .handler(async ({ Records }) => {
    const answer = await handleRecords(Records);
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    return answer;
  });
