/** One attempt at a check: the name, the guard, the start in its turn, the address or all of them. */
import type { CheckSettings, Family } from "../model.ts";
import type { Probe, Target } from "../protocols/protocol.ts";
import { type LocationKind, refuseAddress } from "./address-guard.ts";
import { MAX_ADDRESSES, mergeAddresses } from "./addresses.ts";
import { type Attempt, type Measured, NO_TRAFFIC } from "./attempt.ts";
import type { Address, Names, Resolution, Resolved } from "./dns.ts";
import type { Failure } from "./failure.ts";
import type { Pacing } from "./pacing.ts";
import type { StallWatch } from "./stalls.ts";
import { attemptTcp } from "./tcp-attempt.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import { attemptUdp } from "./udp-attempt.ts";

export interface MeasureTools {
  readonly location: { readonly kind: LocationKind; readonly families: readonly Family[] };
  readonly names: Names;
  readonly pacing: Pacing;
  readonly wheel: TimerWheel;
  readonly stalls: StallWatch;
  readonly now: () => number;
  readonly random: (bytes: number) => Buffer;
}

/** What is checked, and within which bounds. */
export interface Job {
  readonly check: CheckSettings;
  readonly probe: Probe;
  /** Of the whole attempt: name and connection and answer; waiting for its turn is not counted. */
  readonly timeoutMs: number;
  /** Epoch milliseconds; nothing starts that could last longer. */
  readonly deadlineAtMs: number;
  /** Whether its attempts start before those that are not. */
  readonly first: boolean;
}

/**
 * Rejects with errors of ours only.
 * @returns undefined when the attempt's turn came too late for its deadline
 */
export type Measure = (job: Job) => Promise<Measured | undefined>;

export function createMeasure(tools: MeasureTools): Measure {
  const { location, names, pacing, wheel, stalls, now, random } = tools;

  /**
   * One address. A latency taken while the process stood still is taken again, once, where that costs the target one
   * connection.
   */
  const attempt = (
    { check, probe, deadlineAtMs, first }: Job,
    { address, family }: Address,
    timeoutMs: number,
  ): Promise<Measured | undefined> =>
    new Promise((resolve, reject) => {
      const refusal = refuseAddress(address, location.kind);
      if (refusal) return resolve(notAllowed(check, address, refusal));
      const target: Target = { host: check.host, address, port: check.port, now, random };
      const begin = (spoiled?: Measured) =>
        pacing.start(address, first, () => {
          if (now() + timeoutMs > deadlineAtMs) {
            pacing.release();
            return resolve(spoiled);
          }
          const startedAt = performance.now();
          const done = (measured: Measured) => {
            const isOpen = measured.state === "open";
            if (isOpen && !stalls.spoils(startedAt)) resolve(measured);
            else if (spoiled || !isOpen) resolve(spoiled ?? measured);
            else if (isPlain(probe)) begin({ ...measured, stalled: true });
            else resolve({ ...measured, stalled: true });
          };
          const started: Attempt = { target, family, timeoutMs, wheel, release: pacing.release, crashed: reject };
          if (probe.transport === "tcp") attemptTcp(probe, started, done);
          else attemptUdp(probe, started, done);
        });
      begin();
    });

  const attemptAll = async (job: Job, { addresses, skipped }: Resolved, timeoutMs: number) => {
    const chosen = addresses.slice(0, MAX_ADDRESSES);
    const measured = await Promise.all(chosen.map((address) => attempt(job, address, timeoutMs)));
    const finished = measured.filter((one) => one !== undefined);
    if (finished.length < chosen.length) return undefined;
    const left = addresses.length - chosen.length;
    const merged = mergeAddresses(job.check, finished);
    const extra = {
      ...(left > 0 ? { addressesLeftOut: left } : {}),
      ...(skipped.length > 0 ? { skippedAddresses: skipped.slice(0, MAX_ADDRESSES) } : {}),
    };
    return { ...merged, evidence: { ...merged.evidence, ...extra } };
  };

  const attemptAt = (job: Job, found: Resolved, timeoutMs: number) =>
    job.check.addresses === "all" ? attemptAll(job, found, timeoutMs) : attempt(job, found.addresses[0]!, timeoutMs);

  const resolveFirst = async (job: Job, resolving: Promise<Resolution>) => {
    const found = await resolving;
    const { dnsMs = 0 } = found;
    if ("state" in found) return unresolved(found);
    const measured = await attemptAt(job, found, Math.max(1, job.timeoutMs - dnsMs));
    return measured && { ...measured, timings: { dnsMs, ...measured.timings } };
  };

  // A literal address needs no resolving, and so no promise of its own.
  return (job) => {
    const found = names.resolve(job.check, job.timeoutMs);
    if (found instanceof Promise) return resolveFirst(job, found);
    return "state" in found ? Promise.resolve(unresolved(found)) : attemptAt(job, found, job.timeoutMs);
  };
}

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
