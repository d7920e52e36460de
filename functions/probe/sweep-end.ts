/**
 * Ends a sweep: puts together what its slices found, looks again at every port that differs from the sweep before, asks newly open
 * ports what they are, and keeps the result. It may run any number of times: the first result that is kept counts.
 */
import { parseCidr } from "../../shared/cidr.ts";
import type { SweepProbe } from "../../shared/contract/protocol.ts";
import type { Sweep, SweptState } from "../../shared/engine/sweep.ts";
import type { SweepJob } from "../../shared/jobs.ts";
import type { Outcome } from "../../shared/model.ts";
import { allEnded, inParallel } from "../../shared/parallel.ts";
import type { Ports } from "../../shared/port-list.ts";
import { sweepOf, udpProtocolAt } from "../../shared/protocols/sweeps.ts";
import { portsIn, type SweptHost, withSightings } from "../../shared/rules/port-sightings.ts";
import {
  type AddressPort,
  beyondRoom,
  confirmedHosts,
  countAttempts,
  countOpen,
  countUnmeasured,
  type Differences,
  describeHosts,
  differences,
  MOST_SERVICES,
  openPorts,
  perhapsHidden,
  putTogether,
  putUdpTogether,
  type SweepFailure,
  type SweepPart,
  type SweepRecord,
  type Swept,
  silentPlaces,
  suspects,
  sweepOutcome,
  withOpen,
} from "../../shared/rules/sweep-findings.ts";
import { isLastLook, loadFor, planSweep } from "../../shared/rules/sweep-plan.ts";
import type { SweepStore } from "../../shared/store/sweeps.ts";
import type { Member } from "../../shared/store/views.ts";
import type { Control } from "./control.ts";
import type { Identify } from "./identify.ts";
import { OFFLINE, portsFrom, type SweepTools } from "./sweep-slice.ts";

/** Looks at a port that differs, and the pause between them: a lost packet or a restart is over by then. */
const LOOKS = 3;
const LOOKS_APART_MS = 5_000;
/** Ports that are looked at again, of those that opened and of those that closed. The next sweep goes on with the others. */
const MOST_LOOKED_AT = 512;
/** Ports that one sweep identifies, and how many at a time; the next sweep goes on. */
const MOST_IDENTIFIED = 24;
const IDENTIFIED_AT_ONCE = 8;
/** Time that is left for keeping the result. */
const RESERVED_MS = 2_000;
/** Random ports that a suspected address is tried on. */
const TRIED_PORTS = 32;

type Hosts = Readonly<Record<string, SweptHost>>;

interface Dependencies {
  readonly location: string;
  readonly sweeps: SweepStore;
  readonly tools: SweepTools;
  readonly identify: Identify;
  readonly control: Control;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Why slices say nothing about their targets; undefined where they do. */
function whyNothing(parts: readonly SweepPart[], swept: Swept, slices: number): SweepFailure | undefined {
  const missing = slices - parts.length;
  if (missing > 0)
    return {
      state: "unmeasured",
      reason: "cut-short",
      message: `not swept: ${missing} of ${slices} slices are missing`,
    };
  const [unmeasured, attempts] = [countUnmeasured(swept), countAttempts(swept)];
  if (unmeasured <= attempts / 2) return undefined;
  const message = `not swept: ${unmeasured} of ${attempts} attempts could not be made from here`;
  return { state: "unmeasured", reason: "no-route", message };
}

/** @returns the sweep's outcome; undefined while slices are missing that may still come */
export type SweepEnd = (job: SweepJob, member: Member, deadlineAtMs: number) => Promise<Outcome | undefined>;

export const createSweepEnd = ({ location, sweeps, tools, identify, control, now, sleep }: Dependencies): SweepEnd => {
  const key = ({ address, port }: AddressPort) => `${address} ${port}`;

  const statesOf = async (ports: readonly AddressPort[], perSecond: number, connect = tools.sweep) => {
    const states = new Map<string, SweptState>();
    await connect(ports, {
      perSecond,
      startUntilMs: now() + LOOKS_APART_MS,
      now,
      found: (port, state) => states.set(key(port), state),
    });
    return states;
  };

  /** The differences that all further looks agree with. */
  const confirm = async ({ opened, closed }: Differences, perSecond: number, connect: Sweep): Promise<Differences> => {
    let [stillOpen, stillClosed] = [opened.slice(0, MOST_LOOKED_AT), closed.slice(0, MOST_LOOKED_AT)];
    for (let look = 0; look < LOOKS && stillOpen.length + stillClosed.length > 0; look++) {
      // After the end of the one before: a port may have been the last of many then, and be the first now.
      if (look > 0) await sleep(LOOKS_APART_MS);
      const states = await statesOf([...stillOpen, ...stillClosed], perSecond, connect);
      stillOpen = stillOpen.filter((port) => states.get(key(port)) === "open");
      stillClosed = stillClosed.filter((port) => ["closed", "filtered"].includes(states.get(key(port)) ?? ""));
    }
    return { opened: stillOpen, closed: stillClosed };
  };

  /** What is open once all that differs from the sweep before was looked at again. */
  const lookAgain = async (before: Hosts | undefined, swept: Swept, perSecond: number, connect: Sweep) => {
    const found = differences(before, swept);
    return confirmedHosts(before, swept, await confirm(found, perSecond, connect), found);
  };

  /** With the ports that only a second attempt finds open. */
  const lookForHidden = async (swept: Swept, watched: Ports, perSecond: number, connect: Sweep): Promise<Swept> => {
    const hidden = perhapsHidden(swept, watched, MOST_LOOKED_AT);
    const states = await statesOf(hidden, perSecond, connect);
    return withOpen(
      swept,
      hidden.filter((port) => states.get(key(port)) === "open"),
    );
  };

  /** UDP ports were asked in the protocol that they are for. */
  const asNamed = (hosts: Hosts): Hosts =>
    Object.fromEntries(
      Object.entries(hosts).map(([address, { open }]) => [
        address,
        { open, services: Object.fromEntries(portsIn(open).map((port) => [port, udpProtocolAt(port)!])) },
      ]),
    );

  /** Of the suspected addresses, those that accept connections on random ports too, or for which there was no time. */
  const answeringEverywhere = async (addresses: readonly string[], perSecond: number): Promise<string[]> => {
    const tried = Array.from({ length: TRIED_PORTS }, () =>
      addresses.map((address) => ({ address, port: 1 + Math.floor(Math.random() * 65_535) })),
    ).flat();
    if (tried.length === 0) return [];
    const states = await statesOf(tried, perSecond);
    return addresses.filter((address) => {
      const own = tried.filter((one) => one.address === address).map((one) => states.get(key(one)));
      const measured = own.filter((state) => state !== "unmeasured");
      return measured.length === 0 || measured.filter((state) => state === "open").length > measured.length / 2;
    });
  };

  const withServices = async (hosts: Readonly<Record<string, SweptHost>>, deadlineAtMs: number) => {
    const unknown = Object.entries(hosts).flatMap(([address, host]) =>
      openPorts(host)
        .filter((port) => host.services[port] === undefined)
        .map((port) => ({ address, port })),
    );
    const services = new Map(Object.entries(hosts).map(([address, host]) => [address, { ...host.services }]));
    const known = Object.values(hosts).reduce((count, host) => count + Object.keys(host.services).length, 0);
    const room = Math.max(0, Math.min(MOST_IDENTIFIED, MOST_SERVICES - known));
    await inParallel(unknown.slice(0, room), IDENTIFIED_AT_ONCE, async ({ address, port }) => {
      const service = await identify({ host: address, port }, deadlineAtMs);
      if (service !== undefined) services.get(address)![port] = service;
    });
    return Object.fromEntries(
      Object.entries(hosts).map(([address, { open }]) => [address, { open, services: services.get(address)! }]),
    );
  };

  /** What the UDP ports say; undefined where none are asked. */
  const measuredUdp = async (previous: SweepRecord | undefined, swept: Swept, tick: number, perSecond: number) => {
    if (swept.targets.count === 0) return undefined;
    // Ports that are asked for the first time, of a monitor that has been swept, differ from it.
    const before = previous && { tick: previous.tick, hosts: {}, ...previous.udp };
    const hosts = asNamed(await lookAgain(before?.hosts, swept, perSecond, tools.sweepUdp));
    return withSightings({ tick, hosts }, before, {
      isSeen: (address, port) => swept.open.get(address)?.has(port) === true,
      isWatched: swept.targets.isTried,
    });
  };

  const measured = async (
    job: SweepJob,
    member: Member,
    probe: SweepProbe,
    { swept, sweptUdp }: { readonly swept: Swept; readonly sweptUdp: Swept },
    deadlineAtMs: number,
  ) => {
    const { addresses } = swept;
    const watched = portsFrom(tools, probe);
    const { perSecond } = planSweep(loadFor({ ...probe, ports: watched }, addresses.length), tools.kind);
    // Of the same settings or not.
    const previous = await sweeps.lastMeasured({ id: job.id, location }, job.tick, new Date(now()));
    const before = previous?.hosts;
    const everywhere = [...new Set([...(await answeringEverywhere(suspects(swept), perSecond)), ...beyondRoom(swept)])];
    const counted = { ...swept, addresses: addresses.filter((address) => !everywhere.includes(address)) };
    // The first sweep with these settings may make a baseline.
    const isNew = previous?.settingsVersion !== job.settingsVersion;
    const complete = async (found: Swept, ports: Ports, connect: Sweep) =>
      isNew ? lookForHidden(found, ports, perSecond, connect) : found;
    const ofTcp = async () => lookAgain(before, await complete(counted, watched, tools.sweep), perSecond, tools.sweep);
    const ofUdp = async () =>
      measuredUdp(previous, await complete(sweptUdp, probe.udp, tools.sweepUdp), job.tick, perSecond);
    const [confirmed, udp] = await allEnded([ofTcp(), ofUdp()]);
    const sure = { ...confirmed };
    // What answers everywhere shows nothing: what was known of it stays.
    for (const address of everywhere) if (before?.[address]) sure[address] = before[address];
    const identified = probe.identify ? await withServices(sure, deadlineAtMs - RESERVED_MS) : sure;
    if (everywhere.length === addresses.length)
      return {
        state: "unmeasured" as const,
        reason: "answers-everywhere" as const,
        message: `${member.host} accepts connections on every port: something on the way answers in its place`,
        answersEverywhere: everywhere,
      };
    const [watchedPorts, sweptAddresses] = [new Set(watched), new Set(addresses)];
    const unclear = new Set(everywhere);
    const { hosts, closedPorts } = withSightings({ tick: job.tick, hosts: identified }, previous, {
      isSeen: (address, port) => !unclear.has(address) && swept.open.get(address)?.has(port) === true,
      isWatched: (address, port) => watchedPorts.has(port) && sweptAddresses.has(address),
    });
    const openCount = countOpen(hosts) + countOpen(udp?.hosts ?? {});
    return {
      state: openCount > 0 ? ("open" as const) : ("closed" as const),
      reason: null,
      message: describeHosts(member.host, hosts, addresses.length, udp?.hosts),
      hosts,
      closedPorts,
      ...(udp && { udp }),
      ...(parseCidr(member.host) && { silent: silentPlaces(swept, hosts), sinceFull: swept.short.sinceFull }),
      ...(swept.targets.shortAddresses.size > 0 && { shortCount: swept.targets.shortAddresses.size }),
      openCount,
      answersEverywhere: everywhere,
    };
  };

  const startOf = (parts: readonly SweepPart[], tick: number) =>
    parts.map(({ startedAt }) => startedAt).toSorted()[0] ?? new Date(tick * 1000).toISOString();

  return async (job, member, deadlineAtMs) => {
    const { id, tick, step, slices } = job;
    const probe = sweepOf(member);
    if (!probe) return undefined;
    const monitor = { id, location };
    const present = await sweeps.sweep(monitor, tick);
    if (present) return sweepOutcome(member.host, probe, present);
    // Slices of other settings looked at other ports.
    const parts = (await sweeps.parts(monitor, tick)).filter((part) => part.settingsVersion === job.settingsVersion);
    const failure = parts.find((part) => part.failure)?.failure;
    const isWhole = parts.length >= slices;
    const isOnline = (await control(now())) === "online";
    if ((!isOnline || !(isWhole || failure)) && !isLastLook(step, slices)) return undefined;
    const swept = putTogether(parts, portsFrom(tools, probe));
    const nothing = isOnline ? (failure ?? whyNothing(parts, swept, slices)) : OFFLINE;
    const result = nothing
      ? { ...nothing, answersEverywhere: [] }
      : await measured(job, member, probe, { swept, sweptUdp: putUdpTogether(parts, probe.udp) }, deadlineAtMs);
    const sweep: SweepRecord = {
      openCount: 0,
      ...result,
      tick,
      startedAt: startOf(parts, tick),
      endedAt: new Date(now()).toISOString(),
      settingsVersion: member.settingsVersion,
      addressCount: swept.addresses.length,
      closedCount: swept.closedCount,
      filteredCount: swept.filteredCount,
      unmeasuredCount: countUnmeasured(swept),
    };
    const kept = (await sweeps.putSweep(monitor, sweep)) ? sweep : await sweeps.sweep(monitor, tick);
    return kept && sweepOutcome(member.host, probe, kept);
  };
};
