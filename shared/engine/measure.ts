/** One attempt at a check: the name, the guard, the start in its turn, the address or all of them. */
import { isIPv6 } from "node:net";
import type { Measured } from "../contract/measured.ts";
import type { Probe, Target } from "../contract/protocol.ts";
import type { CheckSettings, Family } from "../model.ts";
import type { Reason } from "../reasons.ts";
import { type LocationKind, refuseAddress } from "./address-guard.ts";
import { MAX_ADDRESSES, mergeAddresses } from "./addresses.ts";
import { type Attempt, NO_TRAFFIC } from "./attempt.ts";
import type { Names, Resolution, Resolved } from "./dns.ts";
import type { Failure } from "./failure.ts";
import type { Handshakes } from "./handshakes.ts";
import type { Address } from "./name-answers.ts";
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

/** What is checked, and within which bounds. */
export interface PreparedCheck {
  readonly check: CheckSettings;
  readonly probe: Probe;
  /** Of the whole attempt: name and connection and answer; waiting for its turn is not counted. */
  readonly timeoutMs: number;
  /** Epoch milliseconds; nothing starts that could last longer. */
  readonly deadlineAtMs: number;
  /** Whether its attempts start before those that are not. */
  readonly first: boolean;
  /** Believed down already: a failure is no news, and not worth another attempt. */
  readonly isDown: boolean;
}

/**
 * Calls back once, perhaps at once: thousands of checks at a time are the reason why this is no promise, which would cost a
 * plain connect some seven percent of its CPU.
 * @param done with undefined when the attempt's turn came too late for its deadline
 * @param crashed with errors of ours only; they may be thrown, too
 */
export type Measure = (
  prepared: PreparedCheck,
  done: (measured: Measured | undefined) => void,
  crashed: (error: unknown) => void,
) => void;

export function createMeasure(tools: MeasureTools): Measure {
  const { location, names, pacing, handshakes, wheel, stalls, now, random } = tools;

  /** Whether a failure or a loss may be of our own making: time ran out, and the process stood still for much of it. */
  const isOurs = (
    { reason, isOverdue, lossPercent }: Pick<Measured, "reason" | "isOverdue" | "lossPercent">,
    startedAt: number,
    timeoutMs: number,
  ) =>
    (isOverdue || lossPercent || (reason !== null && TIMELY.has(reason))) &&
    stalls.lateSince(startedAt) >= STALLED_SHARE * timeoutMs;

  /**
   * One address. What was taken while the process stood still is taken again: a failure until there is no time for it,
   * datagrams and latencies once, these where that costs the target one connection.
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
    /** @param kept for when there is no time for this attempt, or it does worse */
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
          else if (!isDown && isOurs(measured, startedAt, timeoutMs)) begin(stoodStill(measured));
          else resolve(measured);
        } else if (!stalls.spoils(startedAt)) resolve(measured);
        else if (kept?.state === "open") resolve(kept);
        else if (isPlain(probe)) begin({ ...measured, stalled: true });
        else if (isOurs(measured, startedAt, timeoutMs)) begin(withoutLoss(measured));
        else resolve({ ...measured, stalled: true });
      };
      const started: Attempt = { target, family, timeoutMs, wheel, release: pacing.release, crashed };
      if (probe.transport === "tcp") attemptTcp(probe, started, done);
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
        ? stoodStill(unresolved(found))
        : resolveFirst(prepared, resolve(prepared));
    }
    const spentMs = Math.max(0, (dnsMs ?? 0) - stalls.lateSince(startedAt));
    const measured = await attemptAt(prepared, found, Math.max(1, Math.ceil(prepared.timeoutMs - spentMs)));
    return measured && (dnsMs === undefined ? measured : { ...measured, timings: { dnsMs, ...measured.timings } });
  };

  const resolve = ({ check, timeoutMs }: PreparedCheck) => names.resolve(check, timeoutMs);

  return (prepared, done, crashed) => {
    const found = resolve(prepared);
    const isOne = !(found instanceof Promise) && !("state" in found) && prepared.check.addresses !== "all";
    if (isOne) attempt(prepared, found.addresses[0]!, prepared.timeoutMs, done, crashed);
    else resolveFirst(prepared, found).then(done, crashed);
  };
}

/** A zone means nothing to a peer, and is not to be told to it (RFC 6874, section 4). */
const withoutZone = (host: string): string => (host.includes("%") && isIPv6(host) ? host.replace(/%.*$/, "") : host);

/** What time alone can bring about: silence, and peers that lose patience with us. */
const TIMELY: ReadonlySet<Reason> = new Set([
  "timeout",
  "no-answer",
  "incomplete-answer",
  "connection-closed",
  "connection-reset",
  "tls-handshake-failed",
  "name-timeout",
]);
/** Of the time that an attempt had: what is left is enough for a target that is well. */
const STALLED_SHARE = 0.5;

const stoodStill = ({ message, evidence, address }: Measured): Measured => ({
  state: "unmeasured",
  reason: "cut-short",
  message: `not checked: this process stood still meanwhile (${message})`,
  ...(address === undefined ? {} : { address }),
  timings: {},
  traffic: NO_TRAFFIC,
  evidence,
});

/** Open; how fast, and how much was lost on the way, nobody knows. */
const withoutLoss = ({ lossLimits: _none, ...measured }: Measured): Measured => ({ ...measured, stalled: true });

/** From the first byte on, or by an upgrade that the settings ask for (`settings.starttls`, as all protocols have it). */
const startsTls = (probe: Probe, { starttls = "off" }: CheckSettings["settings"]): boolean =>
  probe.transport === "tcp" && (probe.tls !== undefined || (probe.talk !== undefined && starttls !== "off"));

const isPlain = (probe: Probe) => probe.transport === "tcp" && !probe.talk && !probe.tls;

function unresolved({ state, reason, message, evidence = {}, dnsMs }: Failure & { readonly dnsMs?: number }): Measured {
  return { state, reason, message, timings: dnsMs === undefined ? {} : { dnsMs }, traffic: NO_TRAFFIC, evidence };
}

/** `unresolved`, because the name does not lead to anything that may be checked: its owner's doing, not a fault of ours. */
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
