/** Route `/v1/incidents/{id}/held`: the monitors of whose trouble nobody was told because of an incident. */
import { z } from "zod";
import { show } from "../../../../shared/issues.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { HeldChild } from "../../../../shared/store/dependencies.ts";
import { Problem } from "../../http/problem.ts";
import { moment, monitorId, monitorName, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";

const heldView = z
  .object({
    monitorId,
    name: monitorName,
    at: moment.describe("When alerts about it were first held back."),
  })
  .meta({ id: "HeldMonitor", description: "A monitor that depends on another one, which was down." });

const listHeldMonitors = route({
  method: "GET",
  path: "/v1/incidents/{id}/held",
  operationId: "listHeldMonitors",
  summary: "Monitors whose alerts an incident held back",
  description: "They depend on the monitor of the incident, directly or through others. By id; kept for 400 days.",
  scope: "read",
  query: z.strictObject(page),
  responses: { 200: { description: "A page of monitors.", schema: pageOf(heldView) } },
  handle: async ({ params: { id = "" }, query: { limit, cursor } }, { incidents, dependencies }) => {
    const [incident] = await incidents.getMany([id]);
    if (!incident) throw new Problem("not-found", `there is no incident ${show(id)}`);
    const question = JSON.stringify(["held", id]);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, question);
    const found: HeldChild[] = [];
    for await (const some of dependencies.heldBy(incident, after)) {
      found.push(...some);
      if (found.length > limit) break;
    }
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return {
      body: { items, nextCursor: last && found.length > limit ? encodeCursor(last.monitorId, question) : null },
    };
  },
});

export const held: readonly Route[] = [listHeldMonitors];
