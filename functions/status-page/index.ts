/** Lambda entry point of the status pages: reads the environment, makes the client. */
import { Logger } from "@aws-lambda-powertools/logger";
import { readEnvironment } from "../../shared/environment.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createStatusPages } from "./wiring.ts";

const environment = readEnvironment("status-page", process.env);
const logger = new Logger();

export const handler = createStatusPages({
  client: documentClient({}, environment.DYNAMODB_TIMEOUT_MS),
  tables: { monitors: environment.MONITORS_TABLE, history: environment.HISTORY_TABLE },
  sendsMail: environment.ALERT_SENDER !== undefined,
  log: (message, error) => logger.error(message, { error }),
  now: () => new Date(),
});
