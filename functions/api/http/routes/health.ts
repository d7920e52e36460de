/** Route `/v1/health`: whether the monitoring itself works. */
import { z } from "zod";
import { locationCondition, SILENT_AFTER_SECONDS } from "../../../../shared/rules/quorum.ts";
import { condition, locationName, moment } from "../representations.ts";
import { type Route, route } from "../route.ts";

const healthView = z
  .object({
    status: z
      .enum(["ok", "degraded"])
      .meta({ id: "ServiceStatus", description: "Whether all locations work." })
      .describe("To alert on. `degraded`: at least one location is silent or offline, so its checks do not count."),
    version: z.string().meta({ description: "Version of Harborlight.", example: "0.1.0" }),
    locations: z
      .array(
        z
          .object({
            name: locationName,
            condition: condition.describe(
              `\`silent\`: no heartbeat for ${SILENT_AFTER_SECONDS / 60} minutes while they are asked for; \`offline\`: its control targets fail.`,
            ),
            lastHeartbeatAt: moment.nullable().describe("Null before the first one."),
            offlineSince: moment
              .nullable()
              .describe("Since when its control targets have failed; null while they answer."),
          })
          .meta({ id: "LocationHealth", description: "How a location does.", example: { offlineSince: null } }),
      )
      .describe("All locations that are configured."),
  })
  .meta({ id: "ServiceHealth", description: "Whether the monitoring works." });

export const health: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/health",
    operationId: "getHealth",
    summary: "Whether the monitoring works: version, and the condition of each location",
    scope: null,
    responses: { 200: { description: "The API answers.", schema: healthView } },
    handle: async (_call, { version, locations, heartbeats, now }) => {
      const known = new Map((await heartbeats.all()).map((health) => [health.name, health]));
      const shown = locations.map(({ name }) => {
        const health = known.get(name);
        return {
          name,
          condition: locationCondition(health, now()),
          lastHeartbeatAt: health?.lastHeartbeatAt ?? null,
          offlineSince: health?.offlineSince ?? null,
        };
      });
      const isWorking = shown.every(({ condition }) => condition === "working");
      return { body: { status: isWorking ? "ok" : "degraded", version, locations: shown } };
    },
  }),
];
