/**
 * Which ports of which addresses a sweep connects to. Of a network, addresses that did not answer at all get the common and known
 * ports only, and all ports with every seventh sweep: most addresses of a network are unused, and waiting for them is what costs. Pure.
 */
import { COMMON_PORTS, formatPorts, type Ports } from "../port-list.ts";
import { portsIn, type Sightings } from "./port-sightings.ts";

/** All addresses get all ports in one of so many sweeps. */
const FULL_EVERY = 7;

/** How the silent addresses of a network are treated in one sweep, as its first slice decided and keeps it. */
export interface ShortShare {
  /** Their places in the list of addresses, from 1, written like ports: `1-14,16`. */
  readonly silent: string;
  /** The ports that these get. */
  readonly ports: string;
  /** Sweeps in a row, this one included, since one that looked at all ports of all addresses; zero for such a one. */
  readonly sinceFull: number;
}
export const NO_SHORT_SHARE: ShortShare = { silent: "", ports: "", sinceFull: 0 };

/** What the last sweep that measured something says of silent addresses. */
export interface Before extends Sightings {
  readonly settingsVersion: number;
  readonly silent?: string;
  readonly sinceFull?: number;
}

/** Which addresses the next sweep of a network may treat shortly, after what the last one found. */
export function shortShareAfter(before: Before | undefined, settingsVersion: number, watched: Ports): ShortShare {
  // With other settings the addresses or the ports are others.
  if (!before?.silent || before.settingsVersion !== settingsVersion) return NO_SHORT_SHARE;
  const sinceFull = (before.sinceFull ?? 0) + 1;
  if (sinceFull >= FULL_EVERY) return NO_SHORT_SHARE;
  // Machines of one network are alike; and one that was switched off comes back with the ports that it had.
  const known = [
    ...Object.values(before.hosts ?? {}).flatMap(({ open }) => portsIn(open)),
    ...(before.closedPorts ?? []).map(({ port }) => port),
  ];
  const wanted = new Set([...COMMON_PORTS, ...known]);
  return { silent: before.silent, ports: formatPorts(watched.filter((port) => wanted.has(port))), sinceFull };
}

export const placesOf = (addresses: readonly string[], isOne: (address: string) => boolean): string =>
  formatPorts(addresses.flatMap((address, at) => (isOne(address) ? [at + 1] : [])));

const addressesAt = (addresses: readonly string[], places: string): ReadonlySet<string> =>
  new Set(portsIn(places).flatMap((place) => addresses[place - 1] ?? []));

/** All attempts of a sweep, numbered from 0. */
export interface SweepTargets {
  readonly count: number;
  /** Attempts at the address that gets most. */
  readonly mostAtOne: number;
  readonly at: (place: number) => { readonly address: string; readonly port: number };
  readonly isTried: (address: string, port: number) => boolean;
  /** Whether a port is looked at in other sweeps, and not in this one. */
  readonly isSkipped: (address: string, port: number) => boolean;
  /** How many ports of an address are tried. */
  readonly triedOf: (address: string) => number;
  readonly shortAddresses: ReadonlySet<string>;
}

export function targetsOf(addresses: readonly string[], watched: Ports, share: ShortShare): SweepTargets {
  const shortAddresses = addressesAt(addresses, share.silent);
  const shortPorts = portsIn(share.ports);
  const [ofAll, ofSilent] = [new Set(watched), new Set(shortPorts)];
  const isTried = (address: string, port: number) => (shortAddresses.has(address) ? ofSilent : ofAll).has(port);
  const silent = addresses.filter((address) => shortAddresses.has(address));
  const full = addresses.filter((address) => !shortAddresses.has(address));
  const ofFull = full.length * watched.length;
  const within = (some: readonly string[], ports: Ports, place: number) => ({
    address: some[place % some.length]!,
    port: ports[Math.floor(place / some.length)]!,
  });
  return {
    count: ofFull + silent.length * shortPorts.length,
    mostAtOne: full.length > 0 ? watched.length : shortPorts.length,
    at: (place) => (place < ofFull ? within(full, watched, place) : within(silent, shortPorts, place - ofFull)),
    isTried,
    isSkipped: (address, port) => ofAll.has(port) && !isTried(address, port),
    triedOf: (address) => (shortAddresses.has(address) ? shortPorts : watched).length,
    shortAddresses,
  };
}
