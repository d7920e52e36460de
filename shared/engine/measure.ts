/**
 * Runs one attempt of a check: resolves the name, guards the addresses, waits for its turn to start, then checks one
 * address or all. An attempt that an event-loop stall of this process may have spoiled is repeated.
 */
import { isIPv6 } from "node:net";
import type { Measured } from "../contract/measured.ts";
import type { DialogProbe, Target, TcpProbe, UdpProbe } from "../contract/protocol.ts";
import type { CheckSettings, Facts, Family } from "../model.ts";
import type { Reason } from "../reasons.ts";
import { type LocationKind, refuseAddress } from "./address-guard.ts";
import { MAX_ADDRESSES, mergeAddresses } from "./addresses.ts";
import { type Attempt, NO_TRAFFIC } from "./attempt.ts";
import { attemptDialog } from "./dialog.ts";
import type { Names, Resolution, Resolved } from "./dns.ts";
import type { Failure } from "./failure.ts";
import type { Handshakes } from "./handshakes.ts";
import { type Address, networkOf } from "./name-answers.ts";
import type { Pacing } from "./pacing.ts";
import type { StallWatch } from "./stalls.ts";
import { attemptTcp } from "./tcp-attempt.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import { attemptUdp } from "./udp-attempt.ts";

export interface MeasureTools {
  readonly location: { readonly kind: LocationKind; readonly families: readonly Family[] };
  readonly names: Names;
  readonly pacing: Pacing;
  readonly handshakes: Handshakes;
  readonly wheel: TimerWheel;
  readonly stalls: StallWatch;
  readonly now: () => number;
  readonly random: (bytes: number) => Buffer;
}

type CheckProbe = TcpProbe | UdpProbe | DialogProbe;

/** A check whose settings are parsed, with its time limits. */
export interface PreparedCheck {
  readonly check: CheckSettings;
  readonly probe: CheckProbe;
  /** For the whole attempt: name, connection and answer; waiting for its turn is not counted. */
  readonly timeoutMs: number;
  /** Epoch milliseconds; no attempt starts that could last longer. */
  readonly deadlineAtMs: number;
  /** Priority: its attempts start before those of checks without it. */
  readonly first: boolean;
  /** The target is already believed down: another failure changes nothing, so it is not repeated after a stall. */
  readonly isDown: boolean;
}

/**
 * Calls back once, perhaps before it returns. Not a promise, which would cost a plain connect some seven percent of its
 * CPU, and thousands run at a time.
 * @param done receives undefined when the attempt's turn came too late for its deadline
 * @param crashed receives internal errors only; they may be thrown, too
 */
export type Measure = (
  prepared: PreparedCheck,
  done: (measured: Measured | undefined) => void,
  crashed: (error: unknown) => void,
) => void;

export function createMeasure(tools: MeasureTools): Measure {
  const { location, names, pacing, handshakes, wheel, stalls, now, random } = tools;

  /** Whether a failure or packet loss may be our own fault: time ran out, and the event loop was stalled for much of it. */
  const isOurs = (
    { reason, isOverdue, lossPercent }: Pick<Measured, "reason" | "isOverdue" | "lossPercent">,
    startedAt: number,
    timeoutMs: number,
  ) =>
    (isOverdue || lossPercent || (reason !== null && TIMELY.has(reason))) &&
    stalls.lateSince(startedAt) >= STALLED_SHARE * timeoutMs;

  /**
   * Checks one address, and repeats what an event-loop stall may have spoiled: a failure until the deadline leaves no
   * time, packet loss once, a latency once and only for a plain connect, which costs the target just one connection.
   */
  const attempt = (
    { check, probe, deadlineAtMs, first, isDown }: PreparedCheck,
    { address, family }: Address,
    timeoutMs: number,
    resolve: Parameters<Measure>[1],
    crashed: Parameters<Measure>[2],
  ) => {
    const refusal = refuseAddress(address, location.kind);
    if (refusal) return resolve(notAllowed(check, address, refusal));
    const target: Target = { host: withoutZone(check.host), address, port: check.port, now, random };
    const isCostly = startsTls(probe, check.settings);
    /** @param kept earlier result, used when this attempt has no time or does worse */
    const begin = (kept?: Measured) =>
      pacing.start(address, first, () => {
        const latestAt = performance.now() + deadlineAtMs - timeoutMs - now();
        if (isCostly) handshakes.start(latestAt, first, (over) => run(kept, over));
        else run(kept);
      });
    const run = (kept: Measured | undefined, over?: () => void) => {
      if (now() + timeoutMs > deadlineAtMs) {
        over?.();
        pacing.release();
        return resolve(kept);
      }
      const startedAt = performance.now();
      const done = (measured: Measured) => {
        over?.();
        if (measured.state !== "open") {
          if (kept?.state === "open") resolve(kept);
          else if (!isDown && isOurs(measured, startedAt, timeoutMs)) begin(cutShortByStall(measured));
          else resolve(measured);
        } else if (!stalls.spoils(startedAt)) resolve(measured);
        else if (kept?.state === "open") resolve(kept);
        else if (isPlain(probe)) begin({ ...measured, stalled: true });
        else if (isOurs(measured, startedAt, timeoutMs)) begin(withoutLoss(measured));
        else resolve({ ...measured, stalled: true });
      };
      const started: Attempt = { target, family, timeoutMs, wheel, release: pacing.release, crashed };
      if (probe.transport === "tcp") attemptTcp(probe, started, done);
      else if ("converse" in probe) attemptDialog(probe, started, done);
      else attemptUdp(probe, started, done);
    };
    begin();
  };

  const promised = (prepared: PreparedCheck, address: Address, timeoutMs: number) =>
    new Promise<Measured | undefined>((resolve, reject) => attempt(prepared, address, timeoutMs, resolve, reject));

  const attemptAll = async (prepared: PreparedCheck, { addresses, skipped }: Resolved, timeoutMs: number) => {
    const chosen = addresses.slice(0, MAX_ADDRESSES);
    const measured = await Promise.all(chosen.map((address) => promised(prepared, address, timeoutMs)));
    const finished = measured.filter((one) => one !== undefined);
    if (finished.length < chosen.length) return undefined;
    const left = addresses.length - chosen.length;
    const merged = mergeAddresses(prepared.check, finished);
    const extra = {
      ...(left > 0 ? { addressesLeftOut: left } : {}),
      ...(skipped.length > 0 ? { skippedAddresses: skipped.slice(0, MAX_ADDRESSES) } : {}),
    };
    return { ...merged, evidence: { ...merged.evidence, ...extra } };
  };

  const attemptAt = (prepared: PreparedCheck, found: Resolved, timeoutMs: number) =>
    prepared.check.addresses === "all"
      ? attemptAll(prepared, found, timeoutMs)
      : promised(prepared, found.addresses[0]!, timeoutMs);

  const resolveFirst = async (
    prepared: PreparedCheck,
    resolving: Resolution | Promise<Resolution>,
  ): Promise<Measured | undefined> => {
    const startedAt = performance.now();
    const found = await resolving;
    const { dnsMs } = found;
    if ("state" in found) {
      if (prepared.isDown || !isOurs(found, startedAt, prepared.timeoutMs)) return unresolved(found);
      return now() + prepared.timeoutMs > prepared.deadlineAtMs
        ? cutShortByStall(unresolved(found))
        : resolveFirst(prepared, resolve(prepared));
    }
    const spentMs = Math.max(0, (dnsMs ?? 0) - stalls.lateSince(startedAt));
    const measured = await attemptAt(prepared, found, Math.max(1, Math.ceil(prepared.timeoutMs - spentMs)));
    if (!measured || dnsMs === undefined) return measured;
    const facts = measured.state === "open" ? { ...addressFacts(found), ...measured.facts } : measured.facts;
    return { ...measured, timings: { dnsMs, ...measured.timings }, facts };
  };

  const resolve = ({ check, timeoutMs }: PreparedCheck) => names.resolve(check, timeoutMs);

  return (prepared, done, crashed) => {
    const found = resolve(prepared);
    const isOne = !(found instanceof Promise) && !("state" in found) && prepared.check.addresses !== "all";
    if (isOne) attempt(prepared, found.addresses[0]!, prepared.timeoutMs, done, crashed);
    else resolveFirst(prepared, found).then(done, crashed);
  };
}

/** The networks that a name leads to. Single addresses often change within these; another network is often another owner. */
const addressFacts = ({ addresses }: Resolved): Facts => ({
  "dns.addresses": [...new Set(addresses.map(({ address }) => networkOf(address)))].toSorted().join(" "),
});

/** An IPv6 zone has a meaning on this machine only, and must not be sent to a peer (RFC 6874, section 4). */
const withoutZone = (host: string): string => (host.includes("%") && isIPv6(host) ? host.replace(/%.*$/, "") : host);

/** Failures that our own slowness can cause: timeouts, and peers that stop waiting for us. */
const TIMELY: ReadonlySet<Reason> = new Set([
  "timeout",
  "no-answer",
  "incomplete-answer",
  "connection-closed",
  "connection-reset",
  "tls-handshake-failed",
  "name-timeout",
]);
/** Share of an attempt's time. With a shorter stall the remaining time is enough for a healthy target. */
const STALLED_SHARE = 0.5;

const cutShortByStall = ({ message, evidence, address }: Measured): Measured => ({
  state: "unmeasured",
  reason: "cut-short",
  message: `not checked: this process was stalled meanwhile (${message})`,
  ...(address === undefined ? {} : { address }),
  timings: {},
  traffic: NO_TRAFFIC,
  evidence,
});

/** Keeps the state but drops the packet loss, and marks the latency as unreliable. */
const withoutLoss = ({ lossLimits: _none, ...measured }: Measured): Measured => ({ ...measured, stalled: true });

/** Whether the check does a TLS handshake: from the first byte on, or by STARTTLS (`settings.starttls` in every protocol). */
const startsTls = (probe: CheckProbe, { starttls = "off" }: CheckSettings["settings"]): boolean =>
  probe.transport === "tcp" && (probe.tls !== undefined || (probe.talk !== undefined && starttls !== "off"));

const isPlain = (probe: CheckProbe) => probe.transport === "tcp" && !probe.talk && !probe.tls;

function unresolved({ state, reason, message, evidence = {}, dnsMs }: Failure & { readonly dnsMs?: number }): Measured {
  return { state, reason, message, timings: dnsMs === undefined ? {} : { dnsMs }, traffic: NO_TRAFFIC, evidence };
}

/** `unresolved`, not `unmeasured`: the name's owner chose an address that must not be checked. */
function notAllowed({ host }: CheckSettings, address: string, refusal: string): Measured {
  return {
    state: "unresolved",
    reason: "address-not-allowed",
    message: `${host}: ${refusal}, which this location does not connect to`,
    address,
    timings: {},
    traffic: NO_TRAFFIC,
    evidence: { address },
  };
}
