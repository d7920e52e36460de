/** Lambda entry point of the probe: runs the jobs of the location's queue, and checks that the API requests. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import middy from "@middy/core";
import type { SQSEvent } from "aws-lambda";
import { createEngine } from "../../shared/engine/run.ts";
import { sweep } from "../../shared/engine/sweep.ts";
import { readEnvironment } from "../../shared/environment.ts";
import type { Job } from "../../shared/jobs.ts";
import type { CheckRequest } from "../../shared/payloads.ts";
import { protocols } from "../../shared/protocols/index.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createProbeMetrics } from "./metrics.ts";
import { createUdpSweep } from "./sweep-udp.ts";
import { createProbe } from "./wiring.ts";

const environment = readEnvironment("probe", process.env);
const { name: location, kind, families, port25 } = environment.LOCATION;

const logger = new Logger();
const metrics = createProbeMetrics(new Metrics(), Date.now);

const engine = createEngine({ location: { kind, families }, protocols });
const probe = createProbe({
  client: documentClient({ region: environment.TABLES_REGION }, environment.DYNAMODB_TIMEOUT_MS),
  tables: { monitors: environment.MONITORS_TABLE, history: environment.HISTORY_TABLE },
  location,
  engine,
  sweepTools: {
    kind,
    port25,
    resolve: engine.resolve,
    sweep,
    sweepUdp: createUdpSweep(engine, Date.now),
    rights: { targets: environment.SWEEP_TARGETS, installation: environment.INSTALLATION },
  },
  controlTargets: environment.CONTROL_TARGETS,
  retention: environment.RETENTION,
  now: Date.now,
  sleep,
  newId: () => randomBytes(6).toString("base64url"),
  unreadable: (error) => logger.error("a block is corrupt", { error }),
  checked(report) {
    metrics.record(report);
    for (const { id, error } of report.crashes)
      logger.error("a check crashed", { monitorId: id, error: error as Error });
  },
});

type Invocation = SQSEvent | CheckRequest;

export const handler = middy<Invocation, unknown>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    if ("kind" in event) return probe.check(event.check);
    for (const { body } of event.Records) await probe.job(JSON.parse(body) as Job);
    metrics.publish();
    return undefined;
  });
