/**
 * Runs one slice of a sweep: connects to its share of all ports of all addresses, and keeps what it found. A slice that comes twice
 * finds its result; one that comes too late runs no more, because attempts would come faster than allowed.
 */
import { isIP } from "node:net";
import { addressesOf as addressesIn, parseCidr } from "../../shared/cidr.ts";
import type { SweepProbe } from "../../shared/contract/protocol.ts";
import { type LocationKind, refuseAddress } from "../../shared/engine/address-guard.ts";
import type { Names } from "../../shared/engine/dns.ts";
import type { Sweep, SweepTarget } from "../../shared/engine/sweep.ts";
import { refuseSweep, type SweepRights } from "../../shared/engine/sweep-permission.ts";
import type { SweepJob } from "../../shared/jobs.ts";
import type { CheckSettings } from "../../shared/model.ts";
import { formatPorts } from "../../shared/port-list.ts";
import { sweepOf } from "../../shared/protocols/sweeps.ts";
import type { SweepPart } from "../../shared/rules/sweep-findings.ts";
import {
  ADDRESSES_AT_ONCE,
  planSweep,
  SLICE_LATE_SECONDS,
  SLICE_SECONDS,
  sliceOf,
} from "../../shared/rules/sweep-plan.ts";
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
  readonly rights: SweepRights;
}

type Failure = NonNullable<SweepPart["failure"]>;

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
  const addressesFor = async (job: SweepJob, member: Member): Promise<readonly string[] | Failure | undefined> => {
    if (job.step === 0) return sweptAddresses(member, tools);
    // A name may have other addresses by now.
    const first = await sweeps.part({ id: job.id, location }, job.tick, 0);
    if (!first || first.failure || first.settingsVersion !== job.settingsVersion) return undefined;
    const allowed = await sweptAddresses(member, tools);
    return "state" in allowed ? allowed : first.addresses;
  };

  return async (job: SweepJob): Promise<void> => {
    const { id, tick, step: slice, slices } = job;
    const startedAtMs = now();
    const lateSeconds = startedAtMs / 1000 - (tick + slice * SLICE_SECONDS);
    if (lateSeconds > SLICE_LATE_SECONDS || (await sweeps.part({ id, location }, tick, slice))) return;
    const member = await memberOf(job, location, views);
    const probe = member && sweepOf(member);
    if (!probe) return;
    const addresses = await addressesFor(job, member);
    if (!addresses) return;
    let failure = "state" in addresses ? addresses : undefined;
    const swept = "state" in addresses ? [] : addresses;
    const ports = portsFrom(tools, probe);
    const counts = { closed: 0, filtered: 0 };
    const open = new Map<string, number[]>();
    const unmeasured = new Map<string, number[]>();
    const load = { addresses: swept.length, ports: ports.length, perSecond: probe.perSecond };
    const count = swept.length * ports.length;
    function* targets(): Generator<SweepTarget> {
      for (const place of sliceOf(id, tick, count, slice, slices))
        yield { address: swept[place % swept.length]!, port: ports[Math.floor(place / swept.length)]! };
    }
    if (count > 0)
      await tools.sweep(targets(), {
        perSecond: planSweep(load, tools.kind).perSecond,
        startUntilMs: startedAtMs + STARTS_MS,
        now,
        found({ address, port }, state) {
          if (state === "closed" || state === "filtered") counts[state]++;
          else {
            const byAddress = state === "open" ? open : unmeasured;
            const own = byAddress.get(address);
            if (own) own.push(port);
            else byAddress.set(address, [port]);
          }
        },
      });
    // Else the first sweep would take all ports for closed, and the next one for newly open.
    if (counts.filtered > 0 && (await control(now())) === "offline") failure = OFFLINE;
    await sweeps.putPart({ id, location }, tick, {
      slice,
      settingsVersion: job.settingsVersion,
      startedAt: new Date(startedAtMs).toISOString(),
      endedAt: new Date(now()).toISOString(),
      addresses: slice === 0 ? swept : [],
      open: asText(open),
      unmeasured: asText(unmeasured),
      closedCount: counts.closed,
      filteredCount: counts.filtered,
      ...(failure && { failure }),
    });
  };
};

const asText = (ports: ReadonlyMap<string, readonly number[]>) =>
  Object.fromEntries([...ports].map(([address, own]) => [address, formatPorts(own.slice(0, MOST_OPEN))]));
