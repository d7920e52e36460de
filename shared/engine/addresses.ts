/** Merges the results of all addresses of a name into one: the evidence lists each, and one that fails degrades the check. */
import type { Measured } from "../contract/measured.ts";
import type { CheckSettings, Evidence } from "../model.ts";
import { assess, type Expectation } from "../rules/health.ts";
import { NO_TRAFFIC } from "./attempt.ts";

/** Addresses of one name that are checked; the evidence says how many were left out. */
export const MAX_ADDRESSES = 16;

/** @param measured one per address, at least one */
export function mergeAddresses(
  check: Expectation & Pick<CheckSettings, "host">,
  measured: readonly Measured[],
): Measured {
  const judged = measured.map((one) => ({ one, health: assess(check, one).health }));
  const dead = judged.filter(({ health }) => health === "down").map(({ one }) => one);
  const alive = judged.filter(({ health }) => health === "up" || health === "degraded").map(({ one }) => one);
  const degraded = judged.find(({ health }) => health === "degraded")?.one;
  // Where a closed port is expected, one open address makes the whole check fail.
  const base =
    check.expectedState === "closed"
      ? (dead[0] ?? alive[0] ?? measured[0]!)
      : (degraded ?? alive[0] ?? dead[0] ?? measured[0]!);
  const merged = { ...base, traffic: sum(measured), evidence: { addresses: measured.map(describe), ...base.evidence } };
  if (alive.length === 0 || dead.length === 0 || check.expectedState === "closed") return merged;
  const names = dead.map(({ address, reason }) => `${address} (${reason})`).join(", ");
  return {
    ...merged,
    degraded: {
      reason: "address-down",
      message: `${dead.length} of ${measured.length} addresses of ${check.host} failed: ${names}`,
    },
  };
}

const describe = ({ address, state, reason, timings: { latencyMs } }: Measured): Evidence => ({
  address,
  state,
  ...(reason ? { reason } : {}),
  ...(latencyMs === undefined ? {} : { latencyMs: Math.round(100 * latencyMs) / 100 }),
});

function sum(measured: readonly Measured[]): Measured["traffic"] {
  const total = { ...NO_TRAFFIC };
  for (const { traffic } of measured)
    for (const [key, value] of Object.entries(traffic) as [keyof typeof traffic, number][])
      Object.assign(total, { [key]: (total[key as keyof typeof total] ?? 0) + value });
  return total;
}
