/** Wiring: jobs from the location's queue, one at a time, and checks that the API asks for. */
import { setTimeout as sleep } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import middy from "@middy/core";
import type { SQSEvent } from "aws-lambda";
import { createEngine } from "../../shared/engine/run.ts";
import { InvalidInput } from "../../shared/errors.ts";
import type { CheckSettings, Job, Location, Outcome } from "../../shared/model.ts";
import { documentClient } from "../../shared/store/client.ts";
import { createDueStore } from "../../shared/store/due.ts";
import { createHistoryStore } from "../../shared/store/history.ts";
import { createLocationStore } from "../../shared/store/locations.ts";
import { createPlanningStore } from "../../shared/store/planning.ts";
import { createViewStore } from "../../shared/store/views.ts";
import { createControl } from "./control.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createJob } from "./job.ts";
import { createMembers } from "./members.ts";
import { createProbeMetrics } from "./metrics.ts";
import { createSpot } from "./spot.ts";
import { createTick } from "./tick.ts";

const { MONITORS_TABLE, HISTORY_TABLE, TABLES_REGION, LOCATION, CONTROL_TARGETS, RETENTION } = process.env as Record<
  string,
  string
>;

const logger = new Logger();
const { name: location, kind, families } = JSON.parse(LOCATION!) as Location;
const retention = JSON.parse(RETENTION!);
const client = documentClient({ region: TABLES_REGION });
const views = createViewStore(client, MONITORS_TABLE!);
const locations = createLocationStore(client, MONITORS_TABLE!);
const due = createDueStore(client, MONITORS_TABLE!);
const history = createHistoryStore(client, HISTORY_TABLE!, { retention });
const engine = createEngine({ location: { kind, families } });
const control = createControl(engine, JSON.parse(CONTROL_TARGETS!));
const now = Date.now;
const metrics = createProbeMetrics(new Metrics(), now);

const heartbeat = createHeartbeat({ location, locations, control });
const spot = createSpot({ location, engine, views, control, now });
const tick = createTick({
  location,
  engine,
  members: createMembers(views, createPlanningStore(client, MONITORS_TABLE!), now),
  views,
  history,
  control,
  wentOffline: (since) => locations.setOffline(location, since),
  blockSeconds: retention.blockDays * 86_400,
  now,
  sleep,
});

const runJob = createJob({
  heartbeat,
  spot,
  tick,
  touch: due.touch,
  checked(report) {
    metrics.record(report);
    for (const { id, error } of report.crashes)
      logger.error("a check crashed", { monitorId: id, error: error as Error });
  },
});

/** "Check now" and "try these settings": one attempt, and nothing stored. */
async function checkOnce(check: CheckSettings): Promise<Outcome | { errors: InvalidInput["errors"] } | null> {
  try {
    return (await engine.runOne(check)) ?? null;
  } catch (error) {
    if (error instanceof InvalidInput) return { errors: error.errors };
    throw error;
  }
}

type Invocation = SQSEvent | { readonly kind: "check"; readonly check: CheckSettings };

export const handler = middy<Invocation, unknown>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    if ("kind" in event) return checkOnce(event.check);
    for (const { body } of event.Records) await runJob(JSON.parse(body) as Job);
    metrics.publish();
    return undefined;
  });
