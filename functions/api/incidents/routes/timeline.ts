/** Route `/v1/incidents/{id}/timeline`: what happened in an incident, in the order of time. */
import { z } from "zod";
import { secondOf } from "../../../../shared/history/status-time.ts";
import type { RecordedIncident } from "../../../../shared/store/incidents.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import { pageBody, startOf } from "../../http/page.ts";
import { pageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { page } from "../../http/schemas.ts";
import { maySeeReceivers, presentAcknowledged, withoutAddress } from "../../monitors/present.ts";
import { existingIncident } from "../existing.ts";
import { presentNote } from "../note.ts";
import { type Deliveries, entriesOf, eventView, positionOf, type TimelineEntry } from "../timeline.ts";

/** Hides a mail address, and where a text beside it repeats it. */
const shownTo = (reader: Token | null, receiver: string, text: string | null) => {
  if (maySeeReceivers(reader)) return { receiver, text };
  const { delivery, error } = withoutAddress(receiver, text ?? "");
  return { receiver: delivery, text: text === null ? null : error };
};

const present = (one: TimelineEntry, incident: RecordedIncident, deliveries: Deliveries, reader: Token | null) => {
  const { kind, at } = one;
  switch (kind) {
    case "opened":
      return { kind, at };
    case "ended":
      return { kind, at, endReason: incident.endReason };
    case "status":
      return { kind, at, status: one.status };
    case "note":
      return { kind, at, note: presentNote(one.note) };
    case "acknowledged":
      return { kind, at, acknowledgement: presentAcknowledged(incident.acknowledged!, reader) };
    case "undeliverable": {
      const { receiver, text: error } = shownTo(reader, one.receiver, one.error);
      return { kind, at, undeliverable: { alertId: one.alertId, receiver, error } };
    }
    case "alert": {
      const { alertId: id, ...alert } = one.told.alert;
      const shown = (deliveries.get(id) ?? []).map(({ receiver: whom, answer: said, ...delivery }) => {
        const { receiver, text: answer } = shownTo(reader, whom, said);
        return { receiver, ...delivery, answer };
      });
      return { kind, at, alert: { id, ...alert, deliveries: shown } };
    }
  }
};

const listIncidentEvents = route({
  method: "GET",
  path: "/v1/incidents/{id}/timeline",
  operationId: "listIncidentEvents",
  summary: "Timeline of an incident",
  description:
    "The oldest first: its beginning, each change of status, each alert with what became of it for each receiver, acknowledgement, notes, and its end. Alerts are kept for 400 days, their deliveries for 30.",
  scope: "read",
  query: z.strictObject(page),
  responses: { 200: { description: "A page of what happened.", schema: pageOf(eventView) } },
  handle: async ({ params, token, query: { limit, cursor } }, deps) => {
    const incident = await existingIncident(deps, params.id ?? "");
    const { id, monitorId, startedAt, endedAt } = incident;
    const question = `timeline ${id}`;
    const start = startOf(cursor, question);
    const end = endedAt === null ? deps.now() : new Date(endedAt);
    const [stretches, alerts, notes] = await Promise.all([
      deps.stretches.within(monitorId, secondOf(startedAt), Math.floor(end.getTime() / 1000) + 1),
      deps.incidentAlerts.of(id),
      deps.notes.of(id),
    ]);
    const left = entriesOf(incident, stretches, alerts, notes).filter(
      (one) => start === undefined || positionOf(one) > start.position,
    );
    const shown = left.slice(0, limit);
    const told = shown.flatMap((one) => (one.kind === "alert" ? [one.told] : []));
    const deliveries = await deps.incidentAlerts.deliveries(told);
    const found = shown.map((one) => ({
      item: present(one, incident, deliveries, token),
      position: positionOf(one),
    }));
    const { items, nextCursor } = pageBody({ found, hasMore: left.length > limit }, null, question);
    return { body: { items, nextCursor } };
  },
});

export const timelines: readonly Route[] = [listIncidentEvents];
