/** Wires the API function: environment, clients, routes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { SNSClient } from "@aws-sdk/client-sns";
import { documentClient } from "../../shared/store/client.ts";
import { createProbes } from "./monitors/probes.ts";
import { createApiOf } from "./wiring.ts";

const variable = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`the environment variable ${name} is missing`);
  return value;
};

const tables = { monitors: variable("MONITORS_TABLE"), history: variable("HISTORY_TABLE") };
const locations = JSON.parse(variable("LOCATIONS"));
const retention = JSON.parse(variable("RETENTION"));

export const handler = createApiOf({
  client: documentClient({}, Number(process.env.DYNAMODB_TIMEOUT_MS) || undefined),
  tables,
  version: variable("HARBORLIGHT_VERSION"),
  locations,
  retention,
  probes: createProbes(locations, variable("DISPATCH_FUNCTION_NAME")),
  sns: new SNSClient({}),
  topics: { alerts: variable("ALERTS_TOPIC_ARN"), system: variable("SYSTEM_TOPIC_ARN") },
  deadLetterArn: variable("SUBSCRIPTION_DEAD_LETTER_ARN"),
  // Lies beside the bundle, whose folder is the function's.
  openapi: () => readFile(join(__dirname, "openapi.json"), "utf8"),
  logger: new Logger(),
  metrics: new Metrics(),
  now: () => new Date(),
});
