/** Acknowledges an incident in progress, for callers with a token and for those with a signed link. */
import { show } from "../../../shared/issues.ts";
import type { Acknowledgement } from "../../../shared/model.ts";
import type { StoredMonitor } from "../../../shared/store/monitor-item.ts";
import type { Deps } from "../deps.ts";
import type { Recorder } from "../http/audit.ts";
import { Problem } from "../http/problem.ts";

/** Attempts at a write that loses to decisions. */
const MAX_ATTEMPTS = 5;

/** The monitor of an incident in progress. @throws Problem `not-found` or `not-active` */
export async function monitorInTrouble({ monitors, incidents }: Deps, id: string): Promise<StoredMonitor> {
  const [, monitorId = "", startMs = ""] = /^(.+)\.(\d{1,15})$/.exec(id) ?? [];
  const monitor = monitorId ? await monitors.get(monitorId) : undefined;
  if (monitor?.incident?.id === id) return monitor;
  const past = monitorId && (await incidents.get(monitorId, new Date(Number(startMs)).toISOString()));
  if (past) throw new Problem("not-active", `the incident ${show(id)} has ended`);
  throw new Problem("not-found", `there is no incident ${show(id)}`);
}

/**
 * Acknowledges an incident, unless somebody has done so before.
 * @param by who does it, for people
 * @returns the acknowledgement that holds
 * @throws Problem `not-found`, `not-active` or `changed-meanwhile`
 */
export async function acknowledge(
  deps: Deps,
  id: string,
  { by, note }: Pick<Acknowledgement, "by" | "note">,
  record: Recorder,
): Promise<Acknowledgement> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const monitor = await monitorInTrouble(deps, id);
    const incident = monitor.incident!;
    if (incident.acknowledged) {
      await record([]);
      return incident.acknowledged;
    }
    const now = deps.now();
    const acknowledged = { at: now.toISOString(), by, note, severity: incident.severity, isAnnounced: false };
    if (await deps.monitors.acknowledge(monitor, acknowledged, now)) {
      const changes = { acknowledged: [null, { note }] as const };
      await record([{ resource: monitor.id, name: monitor.name, changes }]);
      return acknowledged;
    }
  }
  throw new Problem("changed-meanwhile", "the monitor keeps changing: try again", { "retry-after": "1" });
}
