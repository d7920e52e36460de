/** Which monitors are swept, in place of being checked at every tick. */
import type { SweepProbe } from "../contract/protocol.ts";
import { protocols } from "./index.ts";

export const isSweep = ({ protocol }: { readonly protocol: string }): boolean => protocols[protocol]?.isSweep === true;

/** How a monitor is swept; undefined for those that are checked. @throws InvalidInput for settings that are not valid */
export function sweepOf(check: { readonly protocol: string; readonly settings: unknown }): SweepProbe | undefined {
  const probe = isSweep(check) ? protocols[check.protocol]!.prepare(check.settings) : undefined;
  return probe?.transport === "sweep" ? probe : undefined;
}
