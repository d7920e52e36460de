/**
 * What sweeps find: puts the results of slices together, says which ports differ from the sweep before, and makes of it the outcome
 * of a check, with the facts that changes are told by. Pure.
 */
import { createHash } from "node:crypto";
import { addressesOf, type Cidr, parseCidr } from "../cidr.ts";
import type { SweepProbe } from "../contract/protocol.ts";
import type { Facts, Outcome } from "../model.ts";
import { COMMON_PORTS, formatPorts, type Ports } from "../port-list.ts";
import type { Reason } from "../reasons.ts";
import { chunksOf } from "./plan.ts";
import { type ClosedPort, portsIn, type SweptHost } from "./port-sightings.ts";
import { NO_SHORT_SHARE, placesOf, type ShortShare, type SweepTargets, targetsOf } from "./sweep-targets.ts";

/** Why nothing was swept. */
export interface SweepFailure extends Pick<Outcome, "state" | "message"> {
  readonly reason: Reason;
}

/** What one slice found. Ports by address, as text: `22,8000-8002`. */
export interface SweepPart {
  readonly slice: number;
  /** Of the settings that it was run with. */
  readonly settingsVersion: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** What was swept: the same addresses in all slices of a sweep. */
  readonly addresses: readonly string[];
  readonly open: Readonly<Record<string, string>>;
  readonly unmeasured: Readonly<Record<string, string>>;
  readonly closedCount: number;
  readonly filteredCount: number;
  /** Of the UDP ports; absent where none are asked. */
  readonly udp?: Pick<SweepPart, "open" | "unmeasured">;
  /** Of a network: the addresses that accepted or refused something, by their places as in `ShortShare`. */
  readonly answering?: string;
  /** In the first slice of a network's sweep. */
  readonly short?: ShortShare;
  /** Why nothing could be swept; the sweep ends with it. */
  readonly failure?: SweepFailure;
}

/** What a sweep found. */
export interface SweepRecord {
  readonly tick: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly settingsVersion: number;
  readonly state: Outcome["state"];
  readonly reason: Reason | null;
  readonly message: string;
  /** By address, those with an open port; absent where nothing was measured. */
  readonly hosts?: Readonly<Record<string, SweptHost>>;
  /** Ports that earlier sweeps found open. Absent where nothing was measured, and in records of earlier versions. */
  readonly closedPorts?: readonly ClosedPort[];
  /** The same of UDP ports, with the protocols that answered; absent where none are asked. */
  readonly udp?: Required<Pick<SweepRecord, "hosts" | "closedPorts">>;
  /** Of a network: addresses that did not answer at all, and for how long no sweep has looked at all their ports (`ShortShare`). */
  readonly silent?: string;
  readonly sinceFull?: number;
  /** Addresses of which this sweep looked at the common and known ports only; absent: none. */
  readonly shortCount?: number;
  readonly addressCount: number;
  readonly openCount: number;
  readonly closedCount: number;
  readonly filteredCount: number;
  readonly unmeasuredCount: number;
  /** Addresses that accept connections on every port, and so show nothing. */
  readonly answersEverywhere: readonly string[];
}

type Hosts = Readonly<Record<string, SweptHost>>;
export interface AddressPort {
  readonly address: string;
  readonly port: number;
}

/** All that the slices of a sweep found. */
export interface Swept {
  readonly addresses: readonly string[];
  readonly open: ReadonlyMap<string, ReadonlySet<number>>;
  readonly unmeasured: ReadonlyMap<string, ReadonlySet<number>>;
  /** Of a network: those that accepted or refused something. */
  readonly answering: ReadonlySet<string>;
  readonly short: ShortShare;
  readonly targets: SweepTargets;
  readonly closedCount: number;
  readonly filteredCount: number;
}

const size = (ports: ReadonlyMap<string, ReadonlySet<number>>) =>
  [...ports.values()].reduce((sum, own) => sum + own.size, 0);
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

function byAddress(found: readonly Readonly<Record<string, string>>[]): ReadonlyMap<string, ReadonlySet<number>> {
  const ports = new Map<string, Set<number>>();
  for (const [address, text] of found.flatMap(Object.entries<string>)) {
    const own = ports.get(address) ?? new Set();
    for (const port of portsIn(text)) own.add(port);
    ports.set(address, own);
  }
  return ports;
}

/** @param watched ports that are looked at */
export function putTogether(parts: readonly SweepPart[], watched: Ports): Swept {
  const { addresses = [], short = NO_SHORT_SHARE } = parts.find(({ slice }) => slice === 0) ?? {};
  return {
    addresses,
    open: byAddress(parts.map(({ open }) => open)),
    unmeasured: byAddress(parts.map(({ unmeasured }) => unmeasured)),
    answering: new Set(parts.flatMap(({ answering = "" }) => portsIn(answering)).map((place) => addresses[place - 1]!)),
    short,
    targets: targetsOf(addresses, watched, short),
    closedCount: sum(parts.map(({ closedCount }) => closedCount)),
    filteredCount: sum(parts.map(({ filteredCount }) => filteredCount)),
  };
}

const NOTHING_FOUND = { open: {}, unmeasured: {} };

/** What the slices found at UDP ports, all of which are asked each time. Their counts are those of TCP alone. */
export const putUdpTogether = (parts: readonly SweepPart[], watched: Ports): Swept =>
  putTogether(
    parts.map(({ short: _tcp, answering: _connected, udp = NOTHING_FOUND, ...part }) => ({ ...part, ...udp })),
    watched,
  );

/** The addresses that did not answer at all, though all that was tried could be measured, by their places. */
export const silentPlaces = ({ addresses, answering, unmeasured }: Swept, hosts: Hosts): string =>
  placesOf(addresses, (address) => !answering.has(address) && !unmeasured.has(address) && !hosts[address]);

/** Whether a sweep says nothing of a port that is watched. */
const isUnknown = ({ unmeasured, targets }: Swept, address: string, port: number) =>
  targets.isSkipped(address, port) || unmeasured.get(address)?.has(port) === true;

/** Share of an address's ports that must be open before it is suspected of accepting connections on every port, and how many. */
const SUSPECT_SHARE = 0.5;
const SUSPECT_PORTS = 32;

/** Addresses with so many open ports that something on the way may answer in their place. */
export const suspects = ({ addresses, open, targets }: Swept): string[] =>
  addresses.filter((address) => {
    const count = open.get(address)?.size ?? 0;
    // Of few ports that were tried nothing can be told, and one that answers after silence is rare.
    if (targets.shortAddresses.has(address)) return count > 0;
    const tried = targets.triedOf(address);
    return count >= SUSPECT_PORTS || (count > 0 && count === tried && tried >= SUSPECT_PORTS * SUSPECT_SHARE);
  });

/** Characters of all open ports in a record. It has them up to three times, with when they were seen, and an item may have 400 KB. */
const MOST_PORTS_TEXT = 80_000;
/** Open ports in a record of which it is known what answers. */
export const MOST_SERVICES = 5_000;

/** The addresses with most open ports, where a record has no room for all: no machine has so many services. */
export function beyondRoom({ addresses, open }: Swept): string[] {
  const sizes = addresses
    .map((address) => [address, formatPorts(open.get(address) ?? []).length] as const)
    .toSorted(([, a], [, b]) => a - b);
  let room = MOST_PORTS_TEXT;
  // From the smallest on, as many as fit.
  return sizes
    .filter(([, size]) => {
      room -= size;
      return room < 0;
    })
    .map(([address]) => address);
}

/** Ports whose state differs from what the sweep before found. */
export interface Differences {
  readonly opened: readonly AddressPort[];
  readonly closed: readonly AddressPort[];
}

/** @param before what was open; undefined at the first sweep, where nothing differs */
export function differences(before: Hosts | undefined, swept: Swept): Differences {
  const { addresses, open, unmeasured, targets } = swept;
  const opened: AddressPort[] = [];
  const closed: AddressPort[] = [];
  if (!before) return { opened, closed };
  for (const address of addresses) {
    const was = new Set(portsIn(before[address]?.open ?? ""));
    const is = open.get(address) ?? new Set<number>();
    for (const port of is) if (!was.has(port)) opened.push({ address, port });
    for (const port of was)
      if (targets.isTried(address, port) && !is.has(port) && !unmeasured.get(address)?.has(port))
        closed.push({ address, port });
  }
  return { opened, closed };
}

/**
 * Ports that a lost packet may have hidden, common ones first: where nothing is known of them yet, the next sweep would tell them as newly
 * open. Of a network, those of addresses that answer.
 */
export function perhapsHidden({ addresses, answering, open, targets }: Swept, watched: Ports, most: number) {
  const hidden: AddressPort[] = [];
  const present = answering.size > 0 ? [...answering].filter((address) => addresses.includes(address)) : addresses;
  for (const port of new Set([...COMMON_PORTS, ...watched]))
    for (const address of present) {
      if (hidden.length === most) return hidden;
      if (!open.get(address)?.has(port) && targets.isTried(address, port)) hidden.push({ address, port });
    }
  return hidden;
}

export const withOpen = (swept: Swept, found: readonly AddressPort[]): Swept => {
  const open = new Map([...swept.open].map(([address, ports]) => [address, new Set(ports)]));
  for (const { address, port } of found) open.set(address, (open.get(address) ?? new Set()).add(port));
  return { ...swept, open };
};

/** What is open at each address once differences were confirmed; a port that could not be measured is what it was. */
export function confirmedHosts(
  before: Hosts | undefined,
  swept: Swept,
  confirmed: Differences,
  found: Differences,
): Hosts {
  const key = ({ address, port }: AddressPort) => `${address} ${port}`;
  const [isOpened, isClosed] = [new Set(confirmed.opened.map(key)), new Set(confirmed.closed.map(key))];
  const isDoubtful = new Set(found.opened.map(key).filter((one) => !isOpened.has(one)));
  const hosts: Record<string, SweptHost> = {};
  for (const address of swept.addresses) {
    const was = before?.[address];
    const kept = found.closed
      .filter((one) => one.address === address && !isClosed.has(key(one)))
      .map(({ port }) => port);
    const unknown = portsIn(was?.open ?? "").filter((port) => isUnknown(swept, address, port));
    const seen = [...(swept.open.get(address) ?? [])].filter((port) => !isDoubtful.has(key({ address, port })));
    const open = new Set([...seen, ...kept, ...unknown]);
    const services = Object.entries(was?.services ?? {}).filter(
      ([port]) => open.has(Number(port)) && !isOpened.has(`${address} ${port}`),
    );
    if (open.size > 0) hosts[address] = { open: formatPorts(open), services: Object.fromEntries(services) };
  }
  return hosts;
}

export const openPorts = ({ open }: SweptHost): Ports => portsIn(open);
export const countOpen = (hosts: Hosts) => sum(Object.values(hosts).map((host) => openPorts(host).length));
export const countUnmeasured = ({ unmeasured }: Swept) => size(unmeasured);
export const countAttempts = ({ open, unmeasured, closedCount, filteredCount }: Swept) =>
  size(open) + size(unmeasured) + closedCount + filteredCount;

/** Characters of a fact's value; a longer list of ports is shown in part, and told from others by its hash. */
const LONGEST_VALUE = 160;
/** Bytes of all facts as JSON: with what is stored of each, half as much again, they fit into a view. */
const MOST_BYTES = 800;

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 10);

const shortened = (text: string, inShort: string, longest: number): string => {
  if (text.length <= longest) return text;
  const told = `${inShort} #${hashOf(text)}`;
  const shown = Math.min(LONGEST_VALUE / 2, longest - told.length - ": ...".length);
  return shown > 0 ? `${told}: ${text.slice(0, shown)}...` : told;
};
const portsValue = (ports: Ports, longest = LONGEST_VALUE): string =>
  shortened(formatPorts(ports), `${ports.length} ports`, longest);

const fits = (facts: Facts) => Buffer.byteLength(JSON.stringify(facts)) <= MOST_BYTES;

/** What the UDP ports of a host or a network say: one fact, because few are asked. */
export function udpFactsOf(host: string, hosts: Hosts): Facts {
  const found = Object.entries(hosts);
  if (!parseCidr(host)) return { "ports.udp": portsValue([...new Set(found.flatMap(([, own]) => openPorts(own)))]) };
  const text = found.map(([address, { open }]) => `${address} ${open}`).join("; ");
  return { "ports.udp": shortened(text, `${countOpen(hosts)} ports of ${found.length} addresses`, LONGEST_VALUE) };
}

/** What a sweep says of a host or a network; ports that may be open or not are left out. */
export function factsOf(
  host: string,
  hosts: Hosts,
  { mayBe, expected }: Pick<SweepProbe, "mayBe" | "expected">,
): Facts {
  const isLeftOut = new Set(mayBe.filter((port) => !expected?.includes(port)));
  const told = Object.entries(hosts).map(
    ([address, own]) => [address, openPorts(own).filter((port) => !isLeftOut.has(port)), own.services] as const,
  );
  const network = parseCidr(host);
  if (!network) {
    const all = { "ports.tcp": portsValue([...new Set(told.flatMap(([, ports]) => ports))].toSorted((a, b) => a - b)) };
    const services = told.flatMap(([, ports, known]) =>
      ports.flatMap((port) => (known[port] === undefined ? [] : [[`service.${port}`, known[port]] as const])),
    );
    const withServices = { ...all, ...Object.fromEntries(services) };
    return fits(withServices) ? withServices : all;
  }
  return networkFacts(network, new Map(told.map(([address, ports]) => [address, ports])));
}

/** Facts that the addresses of a network share. How many are in each depends on the network alone: an address that answers for the first time changes its own. */
const MOST_GROUPS = 16;
/** Bytes of a network's facts, as a view stores them, and what each takes beside its value. */
const MOST_NETWORK_BYTES = 1_536;
const BESIDE_VALUE_BYTES = 54;

function networkFacts({ network, size }: Cidr, open: ReadonlyMap<string, Ports>): Facts {
  const groups = Math.min(size, MOST_GROUPS);
  const longest = Math.min(LONGEST_VALUE, Math.floor(MOST_NETWORK_BYTES / groups) - BESIDE_VALUE_BYTES);
  const prefix = (network.includes(":") ? 128 : 32) - Math.log2(size / groups);
  const found = chunksOf(addressesOf({ network, size }), size / groups).flatMap((addresses) => {
    const own = addresses.filter((address) => open.get(address)?.length);
    if (own.length === 0) return [];
    const key = `ports.tcp.${addresses[0]!.replaceAll(":", "-")}`;
    if (addresses.length === 1) return [[key, portsValue(open.get(addresses[0]!)!, longest)] as const];
    const text = own.map((address) => `${address} ${formatPorts(open.get(address)!)}`).join("; ");
    const count = sum(own.map((address) => open.get(address)!.length));
    return [[`${key}-${prefix}`, shortened(text, `${count} ports of ${own.length} addresses`, longest)] as const];
  });
  return found.length > 0 ? Object.fromEntries(found) : { "ports.tcp": "" };
}

const named = (port: string, service: string | undefined) => (service === undefined ? port : `${port} (${service})`);
const SHOWN_PORTS = 20;

/** "3 ports are open on 203.0.113.5: 22 (ssh), 80 (http), 53/udp (dns)". */
export function describeHosts(host: string, hosts: Hosts, addressCount: number, udpHosts: Hosts = {}): string {
  const count = countOpen(hosts) + countOpen(udpHosts);
  const ports = `${count === 0 ? "no port is" : count === 1 ? "1 port is" : `${count} ports are`} open`;
  const answering = new Set([hosts, udpHosts].flatMap(Object.keys));
  if (parseCidr(host)) return `${ports} on ${answering.size || "any"} of the ${addressCount} addresses of ${host}`;
  const listOf = (some: Hosts, suffix: string) =>
    Object.values(some).flatMap((own) => openPorts(own).map((port) => named(`${port}${suffix}`, own.services[port])));
  const list = [...listOf(hosts, ""), ...listOf(udpHosts, "/udp")];
  const shown = list.slice(0, SHOWN_PORTS).join(", ");
  return `${ports} on ${host}${list.length === 0 ? "" : `: ${shown}${list.length > SHOWN_PORTS ? ", ..." : ""}`}`;
}

/** The outcome of a sweep, as of any check. */
export function sweepOutcome(host: string, probe: SweepProbe, sweep: SweepRecord): Outcome {
  const { hosts, state, reason, message, addressCount, openCount } = sweep;
  const common = {
    timings: {},
    traffic: { bytesSent: 0, bytesReceived: 0 },
    attempts: 1,
  };
  if (!hosts)
    return { ...common, state, reason, message, health: state === "unmeasured" ? "unknown" : "down", evidence: {} };
  const open = new Set(Object.values(hosts).flatMap(openPorts));
  const missing = probe.isDownWithoutExpected ? (probe.expected ?? []).filter((port) => !open.has(port)) : [];
  const facts = { ...factsOf(host, hosts, probe), ...(sweep.udp && udpFactsOf(host, sweep.udp.hosts)) };
  const evidence = {
    openPorts: openCount,
    addresses: addressCount,
    closed: sweep.closedCount,
    filtered: sweep.filteredCount,
  };
  const found = { ...common, state, evidence, facts, isConfirmed: true };
  return missing.length > 0
    ? {
        ...found,
        state: "closed",
        health: "down",
        reason: "port-closed",
        message: `expected to be open, and not: ${formatPorts(missing)}; ${message}`,
      }
    : { ...found, health: "up", reason: null, message };
}
