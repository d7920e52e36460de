/** Lambda entry point of the API: reads the environment, makes the clients. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SESClient } from "@aws-sdk/client-ses";
import { SNSClient } from "@aws-sdk/client-sns";
import { createHttpSend } from "../../shared/alerts/http.ts";
import { invokeBy } from "../../shared/alerts/invoke.ts";
import { outsideOf } from "../../shared/alerts/outside.ts";
import { readEnvironment, topicsIn } from "../../shared/environment.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createProbes } from "./monitors/probes.ts";
import { createApiOf } from "./wiring.ts";

const environment = readEnvironment("api", process.env);
const sns = new SNSClient({});
const topics = topicsIn(environment);
const reach = environment.LOCATIONS.some(({ kind }) => kind === "local") ? "local" : "public";

export const handler = createApiOf({
  client: documentClient({}, environment.DYNAMODB_TIMEOUT_MS),
  tables: { monitors: environment.MONITORS_TABLE, history: environment.HISTORY_TABLE },
  version: environment.HARBORLIGHT_VERSION,
  locations: environment.LOCATIONS,
  sweepRights: { targets: environment.SWEEP_TARGETS, installation: environment.INSTALLATION },
  retention: environment.RETENTION,
  probes: createProbes(environment.LOCATIONS, environment.DISPATCH_FUNCTION_NAME),
  receivers: outsideOf({
    sns,
    ses: new SESClient({}),
    topics,
    sender: environment.ALERT_SENDER,
    allowsSms: environment.SMS_ALERTS === "true",
    alertFunctions: environment.ALERT_FUNCTIONS ?? [],
    invoke: invokeBy(new LambdaClient({})),
    reach,
    http: createHttpSend({ reach, version: environment.HARBORLIGHT_VERSION }),
  }),
  sns,
  topics,
  deadLetterArn: environment.SUBSCRIPTION_DEAD_LETTER_ARN,
  // In the folder of the bundle.
  openapi: () => readFile(join(__dirname, "openapi.json"), "utf8"),
  logger: new Logger(),
  metrics: new Metrics(),
  now: () => new Date(),
});
