/** Routes `/v1/incidents` and `/v1/monitors/{id}/incidents`: incidents, newest first. */
import { z } from "zod";
import { oneOf } from "../../../../shared/schema.ts";
import { decodeCursor, encodeCursor, type Page } from "../../../../shared/store/cursor.ts";
import type { RecordedIncident } from "../../../../shared/store/incidents.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import { incidentItem, pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";
import { presentRecorded } from "../../monitors/present.ts";
import { withHistory } from "../../monitors/write.ts";

const answer = ({ items, next }: Page<RecordedIncident>, question: string, reader: Token | null) => ({
  body: {
    items: items.map((incident) => presentRecorded(incident, reader)),
    nextCursor: next && encodeCursor(next, question),
  },
});
const responses = { 200: { description: "A page of incidents, newest first.", schema: pageOf(incidentItem) } };

const listIncidents = route({
  method: "GET",
  path: "/v1/incidents",
  operationId: "listIncidents",
  summary: "Incidents of all monitors",
  scope: "read",
  query: z.strictObject({ state: oneOf(["open", "closed", "all"]).default("all"), ...page }),
  responses,
  handle: async ({ token, query: { state, limit, cursor } }, { incidents }) => {
    const question = `incidents ${state}`;
    return answer(
      await incidents.list(state, limit, cursor === undefined ? undefined : decodeCursor(cursor, question)),
      question,
      token,
    );
  },
});

const listIncidentsOfMonitor = route({
  method: "GET",
  path: "/v1/monitors/{id}/incidents",
  operationId: "listMonitorIncidents",
  summary: "Incidents of one monitor",
  scope: "read",
  query: z.strictObject(page),
  responses,
  handle: async ({ params, token, query: { limit, cursor } }, deps) => {
    const { id } = await withHistory(deps, params.id ?? "");
    const question = `incidents of ${id}`;
    return answer(
      await deps.incidents.listOf(id, limit, cursor === undefined ? undefined : decodeCursor(cursor, question)),
      question,
      token,
    );
  },
});

export const incidents: readonly Route[] = [listIncidents, listIncidentsOfMonitor];
