/** Route `/v1/health`: whether the monitoring itself works. */
import { z } from "zod";
import { moment } from "../representations.ts";
import { type Route, route } from "../route.ts";

const healthView = z
  .object({
    version: z.string(),
    locations: z.array(
      z.object({
        name: z.string(),
        lastHeartbeatAt: moment.nullable().describe("Null before the first one."),
        offlineSince: moment.nullable().describe("Since when its control targets have failed; null while they answer."),
      }),
    ),
  })
  .meta({ id: "Health" });

export const health: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/health",
    operationId: "getHealth",
    summary: "Version and last heartbeat of each location",
    scope: null,
    responses: { 200: { description: "The API answers.", schema: healthView } },
    handle: async (_call, { version, locations, heartbeats }) => {
      const known = new Map((await heartbeats.all()).map((health) => [health.name, health]));
      return {
        body: {
          version,
          locations: locations.map(({ name }) => ({
            name,
            lastHeartbeatAt: known.get(name)?.lastHeartbeatAt ?? null,
            offlineSince: known.get(name)?.offlineSince ?? null,
          })),
        },
      };
    },
  }),
];
