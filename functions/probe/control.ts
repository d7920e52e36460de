/**
 * Whether this location can reach anything at all: its control targets, several and independent. Asked before any view
 * turns down, so that our own network is never somebody's outage.
 */
import type { Engine } from "../../shared/engine/run.ts";
import type { CheckSettings } from "../../shared/model.ts";

const TIMEOUT_MS = 1_500;

const controlCheck = (target: string): CheckSettings => {
  const colon = target.lastIndexOf(":");
  return {
    protocol: "tcp",
    host: target.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(target.slice(colon + 1)),
    settings: {},
    family: "auto",
    addresses: "first",
    expectedState: "open",
    timeoutMs: TIMEOUT_MS,
    retries: { count: 0, delayMs: 0 },
    degradedAboveMs: null,
    failureThreshold: 1,
    recoveryThreshold: 1,
    intervalSeconds: 60,
  };
};

/** @param targets as `host:port`; without any the location is taken to be online */
export const createControl =
  (engine: Engine, targets: readonly string[]) => async (): Promise<"online" | "offline"> => {
    if (targets.length === 0) return "online";
    const outcomes = await Promise.all(targets.map((target) => engine.runOne(controlCheck(target))));
    // A refusal has crossed the network as well as an acceptance.
    return outcomes.some((outcome) => outcome?.state === "open" || outcome?.state === "closed") ? "online" : "offline";
  };
