/** Route `/v1/locations`: where checks run from, and whether they do. */
import { z } from "zod";
import { locationCondition, SILENT_AFTER_SECONDS } from "../../../../shared/rules/quorum.ts";
import { addressFamily, condition, locationKind, locationName, moment, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";

const locationView = z
  .object({
    name: locationName.describe("Name, as in a monitor's `locations`."),
    kind: locationKind,
    region: z.string().meta({ description: "AWS region.", example: "eu-west-1" }),
    families: z.array(addressFamily).describe("Address families that it can reach."),
    port25: z
      .boolean()
      .meta({ description: "Whether it can reach TCP port 25; AWS blocks it by default.", example: false }),
    condition: condition.describe(
      "Only checks from a location that works count. `silent`: no heartbeats; `offline`: its own network fails.",
    ),
    lastHeartbeatAt: moment.nullable().describe("Null before the first one."),
    silentSince: moment
      .nullable()
      .describe(`Since when heartbeats are missing, once they have been for ${SILENT_AFTER_SECONDS} s; else null.`),
    offlineSince: moment.nullable().describe("Since when its control targets have failed; null while they answer."),
    lateTicks: z
      .array(
        z
          .object({
            shard: z.string().meta({
              description: "Group of monitors that are checked together: `<interval>#<number>`.",
              example: "60#0",
            }),
            since: moment.describe("When it was noticed."),
          })
          .meta({ id: "LateTicks", description: "A group of monitors that is not checked from a location." }),
      )
      .describe("Groups of monitors that are not checked from here although the location works."),
  })
  .meta({
    id: "Location",
    description: "Where checks run from, and whether they do.",
    example: { silentSince: null, offlineSince: null, lateTicks: [] },
  });

export const locations: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/locations",
    operationId: "listLocations",
    summary: "Where checks run from",
    description: "All locations of this deployment, in its order, in one page.",
    scope: "read",
    responses: { 200: { description: "All locations.", schema: pageOf(locationView) } },
    handle: async (_call, { locations, heartbeats, now }) => {
      const known = new Map((await heartbeats.all()).map((health) => [health.name, health]));
      const items = locations.map(({ name, kind, region, families, port25 }) => {
        const health = known.get(name);
        const condition = locationCondition(health, now());
        const stalls = Object.entries(health?.stalled ?? {}).filter(([, { backSince }]) => backSince === null);
        return {
          name,
          kind,
          region,
          families,
          port25,
          condition,
          lastHeartbeatAt: health?.lastHeartbeatAt ?? null,
          silentSince: condition === "silent" ? (health?.lastHeartbeatAt ?? health?.askingSince ?? null) : null,
          offlineSince: health?.offlineSince ?? null,
          lateTicks: stalls.map(([shard, { since }]) => ({ shard, since })),
        };
      });
      return { body: { items, nextCursor: null } };
    },
  }),
];
