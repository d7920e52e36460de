/** Stores an incident as state-change does: in its monitor, and as an item of its own. */
import type { Incident } from "../../../../shared/model.ts";
import { createDecisionStore } from "../../../../shared/store/decisions.ts";
import type { Edge } from "../edge.ts";

export const storeIncident = async (
  edge: Edge,
  monitorId: string,
  startedAt: string,
  more: Partial<Incident> = {},
): Promise<Incident> => {
  const monitor = (await edge.stores.monitors.get(monitorId))!;
  const incident: Incident = {
    id: `${monitorId}.${Date.parse(startedAt)}`,
    startedAt,
    endedAt: null,
    target: { protocol: "tcp", host: "127.0.0.1", port: 1 },
    targetVersion: 1,
    severity: "down",
    downSince: startedAt,
    reason: "timeout",
    message: "no answer",
    evidence: {},
    locations: {},
    announced: "down",
    alertCount: 1,
    told: {},
    acknowledged: null,
    endReason: null,
    ...more,
  };
  const isOpen = incident.endedAt === null;
  const status = isOpen ? incident.severity : "up";
  await edge.decide(monitor, { status, since: incident.endedAt ?? startedAt, incident: isOpen ? incident : null });
  const sequence = Date.parse(incident.endedAt ?? startedAt);
  await createDecisionStore(edge.client, edge.tables.monitors).projectIncident(monitor, incident, sequence);
  return incident;
};
