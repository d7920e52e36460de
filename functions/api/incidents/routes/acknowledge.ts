/** Route `/v1/incidents/{id}/acknowledge`: somebody takes an incident on. */
import { show } from "../../../../shared/issues.ts";
import { fields, text } from "../../../../shared/schema.ts";
import type { StoredMonitor } from "../../../../shared/store/monitor-item.ts";
import type { Deps } from "../../deps.ts";
import { Problem } from "../../http/problem.ts";
import { acknowledgementView } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";

/** Attempts at a write that loses to decisions. */
const MAX_ATTEMPTS = 5;

/** The monitor of an incident in progress. @throws Problem `not-found` or `not-active` */
async function monitorOf({ monitors, incidents }: Deps, id: string): Promise<StoredMonitor> {
  const [, monitorId = "", startMs = ""] = /^(.+)\.(\d{1,15})$/.exec(id) ?? [];
  const monitor = monitorId ? await monitors.get(monitorId) : undefined;
  if (monitor?.incident?.id === id) return monitor;
  const past = monitorId && (await incidents.get(monitorId, new Date(Number(startMs)).toISOString()));
  if (past) throw new Problem("not-active", `the incident ${show(id)} has ended`);
  throw new Problem("not-found", `there is no incident ${show(id)}`);
}

const acknowledgeIncident = route({
  method: "POST",
  path: "/v1/incidents/{id}/acknowledge",
  operationId: "acknowledgeIncident",
  summary: "Acknowledge an incident",
  description:
    "Ends escalation, and reminders of policies that remind until then; whoever was told of the incident is told who has it. One that becomes worse is told anew. Acknowledging it again changes nothing.",
  scope: "write",
  body: fields({
    note: text(500, "a note")
      .nullable()
      .default(null)
      .meta({ description: "What others should know. Default none.", example: "On it" }),
  }).meta({ id: "AcknowledgeInput", description: "An acknowledgement." }),
  problems: ["not-active", "changed-meanwhile"],
  responses: {
    200: { description: "The acknowledgement, or the one that was there before.", schema: acknowledgementView },
  },
  handle: async ({ params, body: { note }, token, record }, deps) => {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const monitor = await monitorOf(deps, params.id ?? "");
      const incident = monitor.incident!;
      const before = incident.acknowledged;
      if (before) {
        await record([]);
        return { body: { at: before.at, by: before.by, note: before.note } };
      }
      const now = deps.now();
      const at = now.toISOString();
      const by = token?.name ?? "";
      const acknowledged = { at, by, note, severity: incident.severity, isAnnounced: false };
      if (await deps.monitors.acknowledge(monitor, acknowledged, now)) {
        const changes = { acknowledged: [null, { note }] as const };
        await record([{ resource: monitor.id, name: monitor.name, changes }]);
        return { body: { at, by, note } };
      }
    }
    throw new Problem("changed-meanwhile", "the monitor keeps changing: try again", { "retry-after": "1" });
  },
});

export const acknowledge: readonly Route[] = [acknowledgeIncident];
