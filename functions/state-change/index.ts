/** Wiring: the stream of `monitors` in, decisions and alerts out. */
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { SESClient } from "@aws-sdk/client-ses";
import { SNSClient } from "@aws-sdk/client-sns";
import middy from "@middy/core";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import type { Location } from "../../shared/model.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createJobQueues } from "../../shared/store/jobs.ts";
import { createRecordHandler } from "./wiring.ts";

const { MONITORS_TABLE, HISTORY_TABLE, LOCATIONS, ALERTS_TOPIC_ARN, SYSTEM_TOPIC_ARN, ALERT_SENDER, API_URL } =
  process.env as Record<string, string>;

const logger = new Logger();
const metrics = new Metrics();
const places = JSON.parse(LOCATIONS!) as Location[];

const handleRecords = createRecordHandler({
  client: documentClient({}, Number(process.env.DYNAMODB_TIMEOUT_MS) || undefined),
  tables: { monitors: MONITORS_TABLE!, history: HISTORY_TABLE! },
  locations: places.map(({ name }) => name),
  queues: createJobQueues(places),
  sns: new SNSClient({}),
  ses: new SESClient({}),
  topics: { alerts: ALERTS_TOPIC_ARN!, system: SYSTEM_TOPIC_ARN! },
  sender: ALERT_SENDER,
  url: (id) => `${API_URL}/v1/monitors/${id}`,
  now: () => new Date(),
  log: (level, message, details) => logger[level](message, { ...details }),
  delivered({ delivered, undeliverable }) {
    if (delivered) metrics.addMetric("AlertsDelivered", MetricUnit.Count, delivered);
    if (undeliverable) metrics.addMetric("AlertsUndeliverable", MetricUnit.Count, undeliverable);
  },
});

export const handler = middy<DynamoDBStreamEvent, DynamoDBBatchResponse>()
  .use(injectLambdaContext(logger))
  .handler(async ({ Records }) => {
    const batchItemFailures = [...(await handleRecords(Records))];
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    return { batchItemFailures };
  });
