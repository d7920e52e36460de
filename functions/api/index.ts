/** Wires the API function: environment, clients, stores, routes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { SNSClient } from "@aws-sdk/client-sns";
import { documentClient } from "../../shared/store/client.ts";
import { createFormerStore } from "../../shared/store/former.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createIncidentStore } from "../../shared/store/incidents.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createMonitorStore } from "../../shared/store/monitors.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createShardStore } from "../../shared/store/shards.ts";
import { createTokenStore } from "../../shared/store/tokens.ts";
import { createApi } from "./api.ts";
import { createProbes } from "./probes.ts";

const variable = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`the environment variable ${name} is missing`);
  return value;
};

const tables = { monitors: variable("MONITORS_TABLE"), history: variable("HISTORY_TABLE") };
const locations = JSON.parse(variable("LOCATIONS"));
const retention = JSON.parse(variable("RETENTION"));
const dynamo = documentClient();
const logger = new Logger();

export const handler = createApi({
  version: variable("HARBORLIGHT_VERSION"),
  locations,
  monitors: createMonitorStore(dynamo, tables.monitors),
  former: createFormerStore(dynamo, tables.monitors),
  shards: createShardStore(dynamo, tables.monitors),
  planning: createPlanningStore(dynamo, tables.monitors),
  incidents: createIncidentStore(dynamo, tables.monitors),
  tokens: createTokenStore(dynamo, tables.monitors),
  heartbeats: createLocationStore(dynamo, tables.monitors),
  history: createHistoryStore(dynamo, tables.history, {
    retention,
    unreadable: (error) => logger.error("history that cannot be read is left out", { error }),
  }),
  retention,
  probes: createProbes(locations, variable("DISPATCH_FUNCTION_NAME")),
  sns: new SNSClient({}),
  topics: { alerts: variable("ALERTS_TOPIC_ARN"), system: variable("SYSTEM_TOPIC_ARN") },
  deadLetterArn: variable("SUBSCRIPTION_DEAD_LETTER_ARN"),
  // Lies beside the bundle, whose folder is the function's.
  openapi: () => readFile(join(__dirname, "openapi.json"), "utf8"),
  logger,
  metrics: new Metrics(),
  now: () => new Date(),
});
