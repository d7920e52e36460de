/** Lambda entry point of state-change: takes the stream of table `monitors`, stores decisions and posts alerts. */
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { SNSClient } from "@aws-sdk/client-sns";
import middy from "@middy/core";
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from "aws-lambda";
import { readEnvironment, topicsIn } from "../../shared/environment.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createJobQueues } from "../../shared/store/jobs.ts";
import { createRecordHandler } from "./wiring.ts";

const environment = readEnvironment("state-change", process.env);

const logger = new Logger();

const handleRecords = createRecordHandler({
  client: documentClient({}, environment.DYNAMODB_TIMEOUT_MS),
  tables: { monitors: environment.MONITORS_TABLE, history: environment.HISTORY_TABLE },
  retention: environment.RETENTION,
  locations: environment.LOCATIONS.map(({ name }) => name),
  queues: createJobQueues(environment.LOCATIONS),
  sns: new SNSClient({}),
  topics: topicsIn(environment),
  sender: environment.ALERT_SENDER,
  url: (id) => `${environment.API_URL}/monitors/${id}`,
  now: () => new Date(),
  log: (level, message, details) => logger[level](message, { ...details }),
});

export const handler = middy<DynamoDBStreamEvent, DynamoDBBatchResponse>()
  .use(injectLambdaContext(logger))
  .handler(async ({ Records }) => {
    return { batchItemFailures: [...(await handleRecords(Records))] };
  });
