/**
 * When sweeps first and last saw a port open. Each sweep's record carries it on from the record before, so that reading one record
 * is enough, however many sweeps are kept. Pure.
 */
import { DAY_SECONDS } from "../durations.ts";
import { formatPorts, type Ports, parsePorts } from "../port-list.ts";

/** Ports by the tick of a sweep, both as text: `{"1795809600": "22,80"}`. */
type ByTick = Readonly<Record<string, string>>;

/** What was found at one address. */
export interface SweptHost {
  /** Open ports, as text: `22,8000-8002`. */
  readonly open: string;
  /** By port: the protocol that answered, `silent` or `closes-at-once`. */
  readonly services: Readonly<Record<string, string>>;
  /** By the sweep that first saw them open. Absent in records of earlier versions. */
  readonly firstSeen?: ByTick;
  /** By the sweep that last saw them open, of those that this one could not see, or did not, though they count as open. */
  readonly lastSeen?: ByTick;
}

/** A port that was open and is not any more. */
export interface ClosedPort {
  readonly address: string;
  readonly port: number;
  /** What answered there, where that is known. */
  readonly service?: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** Closed ports that a record remembers. */
const MOST_CLOSED = 50;
const REMEMBERED_DAYS = 400;

/** A list of ports that was stored. */
export const portsIn = (text: string): Ports => {
  const ports = text === "" ? [] : parsePorts(text);
  return typeof ports === "string" ? [] : ports;
};

const ticksOf = (byTick: ByTick = {}): ReadonlyMap<number, number> =>
  new Map(
    Object.entries(byTick).flatMap(([tick, ports]) => portsIn(ports).map((port) => [port, Number(tick)] as const)),
  );

const byTickOf = (ticks: Iterable<readonly [port: number, tick: number]>): ByTick =>
  Object.fromEntries(
    [...Map.groupBy(ticks, ([, tick]) => tick)].map(([tick, ports]) => [
      tick,
      formatPorts(ports.map(([port]) => port)),
    ]),
  );

/** When each open port was first seen, and last. @param tick of the sweep; first seen is undefined where that is not known */
export function sightingsIn(ports: SweptHost, tick: number) {
  const [first, last] = [ticksOf(ports.firstSeen), ticksOf(ports.lastSeen)];
  return portsIn(ports.open).map((port) => ({ port, firstSeen: first.get(port), lastSeen: last.get(port) ?? tick }));
}

/** What one sweep found, as its record keeps it. */
export interface Sightings {
  readonly tick: number;
  readonly hosts?: Readonly<Record<string, SweptHost>>;
  readonly closedPorts?: readonly ClosedPort[];
}

/** How a sweep looked. */
interface Looked {
  /** Whether it saw a port open; one that it could not see counts as what it was. */
  readonly isSeen: (address: string, port: number) => boolean;
  /** Whether a port is looked at at all: another one is not closed, only no longer watched. */
  readonly isWatched: (address: string, port: number) => boolean;
}

/** Adds to what a sweep found when each port was first and last seen, and the ports that closed, those that closed last first. */
export function withSightings(
  { tick, hosts }: Required<Pick<Sightings, "tick" | "hosts">>,
  before: Sightings | undefined,
  { isSeen, isWatched }: Looked,
): Required<Pick<Sightings, "hosts" | "closedPorts">> {
  const place = (address: string, port: number) => `${address} ${port}`;
  const closed = new Map((before?.closedPorts ?? []).map((one) => [place(one.address, one.port), one]));
  const wasOpen = new Map<string, ClosedPort>();
  for (const [address, host] of Object.entries(before?.hosts ?? {}))
    for (const { port, firstSeen = before!.tick, lastSeen } of sightingsIn(host, before!.tick)) {
      const service = host.services[port];
      const was = { address, port, ...(service !== undefined && { service }), firstSeen, lastSeen };
      wasOpen.set(place(address, port), was);
      if (isWatched(address, port)) closed.set(place(address, port), was);
    }
  const seen = Object.entries(hosts).map(([address, host]) => {
    const ports = portsIn(host.open);
    const first = ports.map((port) => {
      const known = wasOpen.get(place(address, port)) ?? closed.get(place(address, port));
      closed.delete(place(address, port));
      return [port, known?.firstSeen ?? tick] as const;
    });
    const last = ports
      .filter((port) => !isSeen(address, port))
      .map((port) => [port, wasOpen.get(place(address, port))?.lastSeen ?? tick] as const);
    const lastSeen = last.length > 0 && { lastSeen: byTickOf(last) };
    return [address, { ...host, firstSeen: byTickOf(first), ...lastSeen }] as const;
  });
  const remembered = [...closed.values()]
    .filter(({ lastSeen }) => lastSeen > tick - REMEMBERED_DAYS * DAY_SECONDS)
    .toSorted((a, b) => b.lastSeen - a.lastSeen);
  return { hosts: Object.fromEntries(seen), closedPorts: remembered.slice(0, MOST_CLOSED) };
}
