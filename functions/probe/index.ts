/** Wiring: jobs from the location's queue, one at a time, and checks that the API asks for. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import middy from "@middy/core";
import type { SQSEvent } from "aws-lambda";
import { createEngine } from "../../shared/engine/run.ts";
import type { CheckSettings, Job, Location } from "../../shared/model.ts";
import { protocols } from "../../shared/protocols/index.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createProbeMetrics } from "./metrics.ts";
import { createProbe } from "./wiring.ts";

const { MONITORS_TABLE, HISTORY_TABLE, TABLES_REGION, LOCATION, CONTROL_TARGETS, RETENTION } = process.env as Record<
  string,
  string
>;

const logger = new Logger();
const { name: location, kind, families } = JSON.parse(LOCATION!) as Location;
const metrics = createProbeMetrics(new Metrics(), Date.now);

const probe = createProbe({
  client: documentClient({ region: TABLES_REGION }, Number(process.env.DYNAMODB_TIMEOUT_MS) || undefined),
  tables: { monitors: MONITORS_TABLE!, history: HISTORY_TABLE! },
  location,
  engine: createEngine({ location: { kind, families }, protocols }),
  controlTargets: JSON.parse(CONTROL_TARGETS!),
  retention: JSON.parse(RETENTION!),
  now: Date.now,
  sleep,
  newId: () => randomBytes(6).toString("base64url"),
  unreadable: (error) => logger.error("a block cannot be read", { error }),
  checked(report) {
    metrics.record(report);
    for (const { id, error } of report.crashes)
      logger.error("a check crashed", { monitorId: id, error: error as Error });
  },
});

type Invocation = SQSEvent | { readonly kind: "check"; readonly check: CheckSettings };

export const handler = middy<Invocation, unknown>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    if ("kind" in event) return probe.check(event.check);
    for (const { body } of event.Records) await probe.job(JSON.parse(body) as Job);
    metrics.publish();
    return undefined;
  });
