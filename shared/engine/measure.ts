/** One attempt at a check: the name, the guard, the start in its turn, the address or all of them. */
import type { CheckSettings, Family } from "../model.ts";
import type { Probe, Target } from "../protocols/protocol.ts";
import { type LocationKind, refuseAddress } from "./address-guard.ts";
import { MAX_ADDRESSES, mergeAddresses } from "./addresses.ts";
import { type Attempt, type Measured, NO_TRAFFIC } from "./attempt.ts";
import type { Address, Names, Resolved } from "./dns.ts";
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
}

/**
 * Rejects with errors of ours only.
 * @returns undefined when the attempt's turn came too late for its deadline
 */
export type Measure = (job: Job) => Promise<Measured | undefined>;

export function createMeasure(tools: MeasureTools): Measure {
  const { location, names, pacing, wheel, stalls, now, random } = tools;

  const attempt = ({ check, probe, deadlineAtMs }: Job, address: Address, timeoutMs: number) =>
    new Promise<Measured | undefined>((resolve, reject) => {
      const refusal = refuseAddress(address.address, location.kind);
      if (refusal) return resolve(notAllowed(check, address.address, refusal));
      pacing.start(address.address, () => {
        if (now() + timeoutMs > deadlineAtMs) {
          pacing.release();
          return resolve(undefined);
        }
        const target: Target = { host: check.host, address: address.address, port: check.port, now, random };
        const { family } = address;
        const started: Attempt = { target, family, timeoutMs, wheel, released: pacing.release, crashed: reject };
        const startedAt = performance.now();
        const done = (measured: Measured) =>
          resolve(measured.state === "open" && stalls.spoils(startedAt) ? { ...measured, stalled: true } : measured);
        if (probe.transport === "tcp") attemptTcp(probe, started, done);
        else attemptUdp(probe, started, done);
      });
    });

  /** A latency taken while the process stood still is taken again, once, where that costs the target one connection. */
  const attemptCalmly = async (job: Job, address: Address, timeoutMs: number) => {
    const measured = await attempt(job, address, timeoutMs);
    return measured?.stalled && isPlain(job.probe) ? retake(job, address, timeoutMs, measured) : measured;
  };
  const retake = async (job: Job, address: Address, timeoutMs: number, measured: Measured) => {
    const again = await attempt(job, address, timeoutMs);
    return again?.state === "open" && !again.stalled ? again : measured;
  };

  const attemptAll = async (job: Job, { addresses, skipped }: Resolved, timeoutMs: number) => {
    const chosen = addresses.slice(0, MAX_ADDRESSES);
    const measured = await Promise.all(chosen.map((address) => attemptCalmly(job, address, timeoutMs)));
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

  return async (job) => {
    const resolved = names.resolve(job.check, job.timeoutMs);
    const found = resolved instanceof Promise ? await resolved : resolved;
    const { dnsMs } = found;
    if ("state" in found) return unresolved(found, dnsMs);
    const timeoutMs = dnsMs === undefined ? job.timeoutMs : Math.max(1, job.timeoutMs - dnsMs);
    const measured =
      job.check.addresses === "all"
        ? await attemptAll(job, found, timeoutMs)
        : await attemptCalmly(job, found.addresses[0]!, timeoutMs);
    return measured && dnsMs !== undefined ? { ...measured, timings: { dnsMs, ...measured.timings } } : measured;
  };
}

const isPlain = (probe: Probe) => probe.transport === "tcp" && !probe.talk && !probe.tls;

function unresolved({ state, reason, message, evidence = {} }: Failure, dnsMs: number | undefined): Measured {
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
