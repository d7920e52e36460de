/** Finds the device of a monitor, and one of its interfaces. */
import { show } from "../../../shared/issues.ts";
import { type PolledDevice, targetOf } from "../../../shared/store/counters.ts";
import type { Deps } from "../deps.ts";
import { oneLocation } from "../history/routes/location-filter.ts";
import { Problem } from "../http/problem.ts";
import { existing } from "../monitors/write.ts";

export interface WatchedDevice extends PolledDevice {
  readonly intervalSeconds: number;
}

/** The device as one location polls it: the one that is asked for, or the monitor's first. @throws Problem for an unknown monitor */
export async function deviceOf(deps: Deps, id: string, wanted: string | undefined): Promise<WatchedDevice> {
  const monitor = await existing(deps, id);
  const location = oneLocation(wanted, monitor.locations) ?? monitor.locations[0]!;
  return { id, location, target: targetOf(monitor), intervalSeconds: monitor.intervalSeconds };
}

/** Names an interface in paths, because names such as `Gi1/0/7` have slashes. */
export const interfaceIdOf = (name: string): string => Buffer.from(name).toString("base64url");

/** The name of an interface that a path names by its id, or by its name where that is no other's id. @throws Problem */
export function nameOf(part: string, names: readonly string[]): string {
  const found = names.find((name) => interfaceIdOf(name) === part) ?? names.find((name) => name === part);
  if (found !== undefined) return found;
  throw new Problem(
    "not-found",
    `this monitor has no interface ${show(part)}; the list of its interfaces has their ids`,
  );
}
