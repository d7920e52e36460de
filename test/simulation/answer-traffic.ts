/** Traffic of the store of monitors: what people answer to alerts, races with decisions included. */
import type { Incident } from "../../shared/model.ts";
import type { Decision } from "../../shared/rules/decide.ts";
import type { DecisionStore } from "../../shared/store/decisions.ts";
import type { MonitorStore } from "../../shared/store/monitors.ts";
import type { Chance } from "./clock.ts";

interface Surroundings {
  readonly monitors: Pick<MonitorStore, "get" | "acknowledge" | "saveBaseline">;
  readonly decisions: Pick<DecisionStore, "save">;
  readonly id: () => string;
  readonly incidentOf: (monitorId: string) => Incident;
  /** What a decision stores beside. */
  readonly rest: Omit<Decision, "status" | "since" | "incident" | "pendingAlerts" | "nextEvaluationAt">;
}

export function answerTraffic(
  { monitors, decisions, id, incidentOf, rest }: Surroundings,
  chance: Chance,
  now: () => Date,
): Record<string, () => Promise<unknown>> {
  /** Stores a decision, and reads the monitor before or after it. */
  const decided = async (monitorId: string, more: Partial<Decision>) => {
    const before = await monitors.get(monitorId);
    if (!before) return undefined;
    const { status, since } = before;
    const decision = { ...rest, status, since, incident: null, pendingAlerts: {}, nextEvaluationAt: null, ...more };
    if (!(await decisions.save(before, decision, now()))) return undefined;
    return chance.chance(0.5) ? before : monitors.get(monitorId);
  };

  return {
    acknowledge: async () => {
      const one = id();
      const monitor = await decided(one, { incident: incidentOf(one) });
      const at = now().toISOString();
      const acknowledged = { at, by: "x", note: null, severity: "down" as const, isAnnounced: false };
      if (monitor) await monitors.acknowledge(monitor, acknowledged, now());
    },
    saveBaseline: async () => {
      const since = now().toISOString();
      const change = { key: "software", value: "Größe ✓", from: [], since, locations: ["a"], isTold: true };
      const target = { protocol: "tcp", host: "h", port: 1 };
      const changes = { "m1.0a1b2c3d4e5f": change, "m1.5f4e3d2c1b0a": change };
      const known = { target, learned: ["a"], values: {}, changes, further: 0, advisory: null };
      const monitor = await decided(id(), { baseline: known });
      if (monitor) await monitors.saveBaseline(monitor, { ...known, isForgotten: true }, now());
    },
  };
}
