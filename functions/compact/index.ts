/** Lambda entry point of compact: runs once an hour, when a one-machine stack starts, and when an alarm of CloudWatch changes. */
import { setTimeout as sleep } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import { SNSClient } from "@aws-sdk/client-sns";
import middy from "@middy/core";
import { ALARMED_METRICS } from "../../shared/alarmed-metrics.ts";
import { readEnvironment, topicsIn } from "../../shared/environment.ts";
import type { CompactEvent } from "../../shared/payloads.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createMailboxStore } from "../../shared/store/mailbox.ts";
import { alarmNotice } from "./alarm-news.ts";
import { createAudienceLook } from "./audience.ts";
import { createHourlyRun } from "./wiring.ts";

/** Time reserved for the step under way: compacting a shard's window takes some seconds. */
const RESERVE_MS = 60_000;

const environment = readEnvironment("compact", process.env);

const logger = new Logger();
const metrics = new Metrics();

const client = documentClient({}, environment.DYNAMODB_TIMEOUT_MS);
const compact = createHourlyRun({
  client,
  tables: { monitors: environment.MONITORS_TABLE, history: environment.HISTORY_TABLE },
  locations: environment.LOCATIONS.map(({ name }) => name),
  retention: environment.RETENTION,
  now: Date.now,
  sleep,
  unreadable: (error) => logger.error("corrupt history is left out", { error }),
});

const lookAtAudience = createAudienceLook({
  client,
  table: environment.MONITORS_TABLE,
  sns: new SNSClient({}),
  topics: topicsIn(environment),
  setUp: ["sns", "people", ...(environment.ALERT_SENDER ? ["email"] : [])],
  now: () => new Date(),
});

const { notify } = createMailboxStore(client, environment.MONITORS_TABLE);

export const handler = middy<CompactEvent, void>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(async (event, context) => {
    if (event.source === "aws.cloudwatch") {
      const notice = alarmNotice(event);
      if (notice) await notify(notice, new Date());
      return;
    }
    // SNS may refuse it; the history does not wait for that.
    await lookAtAudience().catch((error) => logger.error("who hears of alerts could not be looked up", { error }));
    const { lagDays } = await compact(event.source, () => context.getRemainingTimeInMillis() > RESERVE_MS);
    metrics.addMetric(ALARMED_METRICS.compact, MetricUnit.NoUnit, lagDays);
  });
