/** Wiring: once an hour, and when a one-machine stack starts. */
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { Location } from "../../shared/model.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createMonitorStore } from "../../shared/store/monitors.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createUpkeepStore } from "../../shared/store/upkeep.ts";
import { type CompactSource, createCompact } from "./compact.ts";

/** The longest step between two looks at the clock is a shard's window: some seconds. */
const RESERVE_MS = 60_000;

const { MONITORS_TABLE, HISTORY_TABLE, LOCATIONS, RETENTION } = process.env as Record<string, string>;

const logger = new Logger();
const metrics = new Metrics();
const client = documentClient();
const retention = JSON.parse(RETENTION!);
const monitors = createMonitorStore(client, MONITORS_TABLE!);

const compact = createCompact({
  planning: createPlanningStore(client, MONITORS_TABLE!),
  upkeep: createUpkeepStore(client, MONITORS_TABLE!),
  due: createDueStore(client, MONITORS_TABLE!),
  history: createHistoryStore(client, HISTORY_TABLE!, { retention }),
  locations: (JSON.parse(LOCATIONS!) as Location[]).map(({ name }) => name),
  voters: (id) => monitors.get(id),
  blockDays: retention.blockDays,
  now: Date.now,
  unreadable: (error) => logger.error("history that cannot be read is left out", { error }),
});

export const handler = middy<{ readonly source: CompactSource }, void>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(async ({ source }, context) => {
    const { lagDays } = await compact(source, () => context.getRemainingTimeInMillis() > RESERVE_MS);
    metrics.addMetric("CompactionLagDays", MetricUnit.NoUnit, lagDays);
  });
