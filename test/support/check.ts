/** One check by the real engine, as a location of kind `local` makes it. */

import type { Protocol } from "../../shared/contract/protocol.ts";
import { createEngine, type EngineOptions } from "../../shared/engine/run.ts";
import type { CheckSettings, Outcome } from "../../shared/model.ts";
import { protocols } from "../../shared/protocols/index.ts";

export type CheckInput = Pick<CheckSettings, "port"> & {
  /** A name of the registry, or a row that is not (yet) in it. */
  readonly protocol: string | Protocol;
} & Partial<Omit<CheckSettings, "port" | "protocol">>;

/** Fills in a monitor's check from what a test cares about. */
export function checkSettings({ protocol, ...input }: CheckInput, timeoutMs = 2000): CheckSettings {
  const { host, port, settings, family, addresses, expectedState, retries, degradedAboveMs } = input;
  const { failureThreshold, recoveryThreshold, intervalSeconds } = input;
  return {
    protocol: typeof protocol === "string" ? protocol : protocol.title,
    host: host ?? "127.0.0.1",
    port,
    settings: settings ?? {},
    family: family ?? "auto",
    addresses: addresses ?? "first",
    expectedState: expectedState ?? "open",
    timeoutMs: input.timeoutMs ?? timeoutMs,
    retries: retries ?? { count: 0, delayMs: 0 },
    degradedAboveMs: degradedAboveMs ?? null,
    degradedAboveMsByLocation: {},
    errorRate: null,
    unusual: null,
    failureThreshold: failureThreshold ?? 1,
    recoveryThreshold: recoveryThreshold ?? 1,
    intervalSeconds: intervalSeconds ?? 60,
  };
}

/**
 * Runs one check. Errors of ours are thrown, never an outcome.
 * @param timeoutMs of the check, default 2 s
 */
export async function check(
  input: CheckInput,
  timeoutMs = 2000,
  options: Partial<EngineOptions> = {},
): Promise<Outcome> {
  const { protocol } = input;
  const engine = createEngine({
    location: { kind: "local", families: ["ipv4", "ipv6"] },
    protocols: typeof protocol === "string" ? protocols : { [protocol.title]: protocol },
    ...options,
  });
  const outcome = await engine.runOne(checkSettings(input, timeoutMs));
  if (!outcome) throw new Error("the check did not fit before its deadline");
  return outcome;
}
