/** Which monitors are swept, in place of being checked at every tick. */
import type { SweepProbe } from "../contract/protocol.ts";
import { protocols } from "./index.ts";

export const isSweep = ({ protocol }: { readonly protocol: string }): boolean => protocols[protocol]?.isSweep === true;

/** How a monitor is swept; undefined for those that are checked. @throws InvalidInput for settings that are not valid */
export function sweepOf(check: { readonly protocol: string; readonly settings: unknown }): SweepProbe | undefined {
  const probe = isSweep(check) ? protocols[check.protocol]!.prepare(check.settings) : undefined;
  return probe?.transport === "sweep" ? probe : undefined;
}

let udpProtocols: ReadonlyMap<number, string> | undefined;

/** Of a protocol that needs settings, or whose servers may be silent, an answer cannot be expected. */
const silenceMeansNothing = (name: string): boolean => {
  const { settings, transports } = protocols[name]!;
  if (transports[0] !== "udp" || !settings.safeParse({}).success) return true;
  const probe = protocols[name]!.prepare({});
  return probe.transport !== "udp" || probe.silence !== "down";
};

/** By port: the UDP protocol whose default it is, of those that need no settings and that a healthy server answers. */
export function udpPorts(): ReadonlyMap<number, string> {
  udpProtocols ??= new Map(
    Object.entries(protocols).flatMap(([name, { defaultPort, isSweep, readsCounters }]) =>
      // A whole table of counters is more than it takes to see that an agent answers.
      defaultPort === null || isSweep || readsCounters || silenceMeansNothing(name)
        ? []
        : [[defaultPort, name] as const],
    ),
  );
  return udpProtocols;
}

/** The protocol in which a sweep asks a UDP port; undefined if there is none. */
export const udpProtocolAt = (port: number): string | undefined => udpPorts().get(port);
