/**
 * Runs one slice of a sweep: connects to its share of all ports of all addresses, and keeps what it found. A slice that comes twice
 * finds its result; one that comes too late runs no more, because attempts would come faster than allowed.
 */
import { isIP } from "node:net";
import { addressesOf as addressesIn, parseCidr } from "../../shared/cidr.ts";
import type { SweepProbe } from "../../shared/contract/protocol.ts";
import { type LocationKind, refuseAddress } from "../../shared/engine/address-guard.ts";
import type { Names } from "../../shared/engine/dns.ts";
import type { Sweep, SweepOptions, SweepTarget } from "../../shared/engine/sweep.ts";
import { refuseSweep, type SweepRights } from "../../shared/engine/sweep-permission.ts";
import type { SweepJob } from "../../shared/jobs.ts";
import type { CheckSettings } from "../../shared/model.ts";
import { allEnded } from "../../shared/parallel.ts";
import { formatPorts, type Ports } from "../../shared/port-list.ts";
import { sweepOf } from "../../shared/protocols/sweeps.ts";
import type { SweepPart } from "../../shared/rules/sweep-findings.ts";
import {
  ADDRESSES_AT_ONCE,
  loadFor,
  paceOf,
  planSweep,
  SLICE_LATE_SECONDS,
  SLICE_SECONDS,
  sliceOf,
} from "../../shared/rules/sweep-plan.ts";
import {
  NO_SHORT_SHARE,
  placesOf,
  type ShortShare,
  type SweepTargets,
  shortShareAfter,
  targetsOf,
} from "../../shared/rules/sweep-targets.ts";
import type { SweepStore } from "../../shared/store/sweeps.ts";
import type { Member, ViewStore } from "../../shared/store/views.ts";
import type { Control } from "./control.ts";

const RESOLVE_MS = 5_000;
/** Of a slice, after which nothing is started. */
const STARTS_MS = 53_000;
/** Open ports of one address in one slice that are kept: more of them show a host that answers everywhere. */
const MOST_OPEN = 2_000;

/** How this location sweeps. */
export interface SweepTools {
  readonly kind: LocationKind;
  /** Whether connections to port 25 get out. */
  readonly port25: boolean;
  readonly resolve: Names["resolve"];
  readonly sweep: Sweep;
  /** The same over UDP, where each port is asked in its protocol. */
  readonly sweepUdp: Sweep;
  readonly rights: SweepRights;
}

type Failure = NonNullable<SweepPart["failure"]>;

/** What a sweep connects to. */
interface Aim {
  readonly addresses: readonly string[];
  readonly short: ShortShare;
}
const NO_AIM: Aim = { addresses: [], short: NO_SHORT_SHARE };

const PORT_25 = 25;

/** What a location sees while its control targets do not answer says nothing. */
export const OFFLINE: Failure = {
  state: "unmeasured",
  reason: "no-route",
  message: "not swept: this location's own network is down",
};

/** Ports that this location can look at. */
export const portsFrom = ({ kind, port25 }: Pick<SweepTools, "kind" | "port25">, { ports }: SweepProbe) =>
  port25 || kind === "local" ? ports : ports.filter((port) => port !== PORT_25);

/** The addresses of a host that may be swept from here, in a fixed order; or why there are none. */
async function sweptAddresses(
  { host, family }: Pick<CheckSettings, "host" | "family">,
  { kind, resolve, rights }: SweepTools,
): Promise<readonly string[] | Failure> {
  const network = parseCidr(host);
  let found: readonly string[];
  if (network) found = addressesIn(network);
  else {
    const resolved = await resolve({ host, family, addresses: "all" }, RESOLVE_MS);
    if ("state" in resolved) return { state: resolved.state, reason: resolved.reason, message: resolved.message };
    found = resolved.addresses
      .map(({ address }) => address)
      .toSorted()
      .slice(0, ADDRESSES_AT_ONCE);
  }
  const notAllowed = (message: string): Failure => ({ state: "unmeasured", reason: "address-not-allowed", message });
  const refused = found.map((address) => refuseAddress(address, kind)).find((refusal) => refusal !== undefined);
  if (refused) return notAllowed(`${host} not swept: ${refused}, which this location does not connect to`);
  const refusal = await refuseSweep(host, network || isIP(host) !== 0 ? [host] : found, kind, rights);
  return refusal === undefined ? found : notAllowed(refusal);
}

interface Dependencies {
  readonly location: string;
  readonly views: Pick<ViewStore, "membersById">;
  readonly sweeps: SweepStore;
  readonly tools: SweepTools;
  readonly control: Control;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The monitor of a job, if it is still to be swept like that from here. */
export const memberOf = async (
  { id, settingsVersion }: Pick<SweepJob, "id" | "settingsVersion">,
  location: string,
  views: Pick<ViewStore, "membersById">,
): Promise<Member | undefined> => {
  const [member] = await views.membersById([id]);
  const isSwept =
    member &&
    !member.deletedAt &&
    !member.paused &&
    member.settingsVersion === settingsVersion &&
    member.locations.includes(location);
  return isSwept ? member : undefined;
};

export const createSweepSlice = ({ location, views, sweeps, tools, control, now }: Dependencies) => {
  /** Somebody who asks for a sweep wants to know everything now. */
  const shortShareOf = async ({ id, tick, isAsked, settingsVersion }: SweepJob, { host }: Member, ports: Ports) =>
    parseCidr(host) && !isAsked
      ? shortShareAfter(await sweeps.lastMeasured({ id, location }, tick, new Date(now())), settingsVersion, ports)
      : NO_SHORT_SHARE;

  /** What a sweep connects to: its first slice decides it, and the others find it there. */
  const aimOf = async (job: SweepJob, member: Member, ports: Ports): Promise<Aim | Failure | undefined> => {
    // A name may have other addresses by now.
    const first = job.step === 0 ? undefined : await sweeps.part({ id: job.id, location }, job.tick, 0);
    if (job.step > 0 && (!first || first.failure || first.settingsVersion !== job.settingsVersion)) return undefined;
    const allowed = await sweptAddresses(member, tools);
    if ("state" in allowed) return allowed;
    if (first) return { addresses: first.addresses, short: first.short ?? NO_SHORT_SHARE };
    return { addresses: allowed, short: await shortShareOf(job, member, ports) };
  };

  return async (job: SweepJob): Promise<void> => {
    const { id, tick, step: slice, slices } = job;
    const startedAtMs = now();
    const lateSeconds = startedAtMs / 1000 - (tick + slice * SLICE_SECONDS);
    if (lateSeconds > SLICE_LATE_SECONDS || (await sweeps.part({ id, location }, tick, slice))) return;
    const member = await memberOf(job, location, views);
    const probe = member && sweepOf(member);
    if (!probe) return;
    const ports = portsFrom(tools, probe);
    const aim = await aimOf(job, member, ports);
    if (!aim) return;
    let failure = "state" in aim ? aim : undefined;
    const { addresses, short } = "state" in aim ? NO_AIM : aim;
    const all = targetsOf(addresses, ports, short);
    const ofUdp = targetsOf(addresses, probe.udp, NO_SHORT_SHARE);
    const load = loadFor({ ...probe, ports }, addresses.length);
    const find = (sweep: Sweep, of: SweepTargets, name: string, perSecond: number) =>
      of.count === 0
        ? NOTHING
        : findings(sweep, attemptsOf(of, sliceOf(name, tick, of.count, slice, slices)), {
            perSecond,
            startUntilMs: startedAtMs + STARTS_MS,
            now,
          });
    const [tcp, udp] = await allEnded([
      find(tools.sweep, all, id, paceOf(load, tools.kind, all)),
      find(tools.sweepUdp, ofUdp, `${id} udp`, planSweep(load, tools.kind).perSecond),
    ]);
    // Else the first sweep would take all ports for closed, and the next one for newly open.
    if (tcp.filtered + udp.filtered > 0 && (await control(now())) === "offline") failure = OFFLINE;
    await sweeps.putPart({ id, location }, tick, {
      slice,
      settingsVersion: job.settingsVersion,
      startedAt: new Date(startedAtMs).toISOString(),
      endedAt: new Date(now()).toISOString(),
      addresses: slice === 0 ? addresses : [],
      open: asText(tcp.open),
      unmeasured: asText(tcp.unmeasured),
      closedCount: tcp.closed,
      filteredCount: tcp.filtered,
      ...(ofUdp.count > 0 && { udp: { open: asText(udp.open), unmeasured: asText(udp.unmeasured) } }),
      ...(parseCidr(member.host) && { answering: placesOf(addresses, (address) => tcp.answering.has(address)) }),
      ...(slice === 0 && short !== NO_SHORT_SHARE && { short }),
      ...(failure && { failure }),
    });
  };
};

/** What was found at the ports of one slice. */
interface Found {
  readonly open: ReadonlyMap<string, readonly number[]>;
  readonly unmeasured: ReadonlyMap<string, readonly number[]>;
  readonly answering: ReadonlySet<string>;
  readonly closed: number;
  readonly filtered: number;
}
const NOTHING: Promise<Found> = Promise.resolve({
  open: new Map(),
  unmeasured: new Map(),
  answering: new Set<string>(),
  closed: 0,
  filtered: 0,
});

function* attemptsOf(targets: SweepTargets, places: Iterable<number>): Generator<SweepTarget> {
  for (const place of places) yield targets.at(place);
}

async function findings(
  sweep: Sweep,
  targets: Iterable<SweepTarget>,
  options: Omit<SweepOptions, "found">,
): Promise<Found> {
  const counts = { closed: 0, filtered: 0 };
  const [open, unmeasured] = [new Map<string, number[]>(), new Map<string, number[]>()];
  const answering = new Set<string>();
  await sweep(targets, {
    ...options,
    found({ address, port }, state) {
      if (state === "open" || state === "closed") answering.add(address);
      if (state === "closed" || state === "filtered") counts[state]++;
      else {
        const byAddress = state === "open" ? open : unmeasured;
        const own = byAddress.get(address);
        if (own) own.push(port);
        else byAddress.set(address, [port]);
      }
    },
  });
  return { open, unmeasured, answering, ...counts };
}

const asText = (ports: ReadonlyMap<string, readonly number[]>) =>
  Object.fromEntries([...ports].map(([address, own]) => [address, formatPorts(own.slice(0, MOST_OPEN))]));
