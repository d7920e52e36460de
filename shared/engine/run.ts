/**
 * The check engine: names, guards, paces, attempts, retries and judges, until an absolute deadline.
 * It knows no protocol: rows of the registry make the probes, and what they throw becomes an outcome.
 */
import { randomBytes } from "node:crypto";
import type { CheckSettings, Family, Health, Outcome } from "../model.ts";
import { protocols } from "../protocols/index.ts";
import type { Probe, Protocol, Target } from "../protocols/protocol.ts";
import { judgeHealth } from "../rules/health.ts";
import { type LocationKind, refuseAddress } from "./address-guard.ts";
import { type Measured, NO_TRAFFIC } from "./attempt.ts";
import { createNames, type Resolved } from "./dns.ts";
import { fitEvidence, printable } from "./evidence.ts";
import { createPacing } from "./pacing.ts";
import { createStallWatch } from "./stalls.ts";
import { attemptTcp } from "./tcp-attempt.ts";
import { TimerWheel } from "./timer-wheel.ts";
import { attemptUdp } from "./udp-attempt.ts";

export interface EngineOptions {
  readonly location: { readonly kind: LocationKind; readonly families: readonly Family[] };
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  readonly random?: (bytes: number) => Buffer;
  /** Sockets open at once. Default 900: Lambda has 1,024 descriptors, and Node and the AWS SDK need some. */
  readonly maxSockets?: number;
  /** Default: the registry. */
  readonly protocols?: Readonly<Record<string, Protocol>>;
}

export interface CheckRequest {
  readonly id: string;
  readonly check: CheckSettings;
  /** Default true. False for "check now" and "try", which answer once. */
  readonly retry?: boolean;
  /** Less than `check.timeoutMs` for targets known to be dead. */
  readonly effectiveTimeoutMs?: number;
}

export interface BatchOptions {
  /** Epoch milliseconds by which everything has ended. */
  readonly deadlineAtMs: number;
  /** What the location believes now. Default null: nothing, so only `down` is tried again. */
  readonly presentHealth?: (id: string) => Health | null;
  /** Told of each outcome as it comes. */
  readonly onOutcome?: (id: string, outcome: Outcome) => void;
}

export interface BatchResult {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Checks that could not fit one attempt before the deadline, and were not run. */
  readonly late: readonly string[];
  /** Errors of ours; the check they hit is `unmeasured`. To be logged. */
  readonly crashes: readonly { readonly id: string; readonly error: unknown }[];
}

export interface Engine {
  runBatch(requests: readonly CheckRequest[], options: BatchOptions): Promise<BatchResult>;
  /** One check, not retried. @returns undefined when it did not fit before the deadline */
  runOne(check: CheckSettings, deadlineAtMs?: number): Promise<Outcome | undefined>;
}

export function createEngine(options: EngineOptions): Engine {
  const { location, now = Date.now, random = randomBytes, maxSockets = 900 } = options;
  const wheel = new TimerWheel();
  const pacing = createPacing({ wheel, maxSockets });
  const stalls = createStallWatch();
  const names = createNames({ families: location.families });
  const registry = options.protocols ?? protocols;

  const attemptOnce = async (check: CheckSettings, probe: Probe, timeoutMs: number): Promise<Measured> => {
    const resolved = await names.resolve(check, timeoutMs);
    if ("state" in resolved)
      return { ...resolved, timings: {}, traffic: NO_TRAFFIC, evidence: resolved.evidence ?? {} };
    const first = resolved.addresses[0]!;
    const refusal = refuseAddress(first.address, location.kind);
    if (refusal)
      return {
        state: "unresolved",
        reason: "address-not-allowed",
        message: `${check.host}: ${refusal}, which this location does not connect to`,
        timings: {},
        traffic: NO_TRAFFIC,
        evidence: {},
      };
    return attemptAddress(check, probe, first, resolved, timeoutMs);
  };

  const attemptAddress = (
    check: CheckSettings,
    probe: Probe,
    { address, family }: Resolved["addresses"][number],
    { dnsMs }: Resolved,
    timeoutMs: number,
  ) =>
    new Promise<Measured>((resolve, reject) => {
      const target: Target = { host: check.host, address, port: check.port, now, random };
      pacing.start(address, () => {
        const startedAt = performance.now();
        const attempt = {
          target,
          family,
          timeoutMs: Math.max(1, timeoutMs - (dnsMs ?? 0)),
          wheel,
          released: pacing.release,
          crashed: reject,
        };
        const done = (measured: Measured) => {
          const stalled = measured.state === "open" && stalls.stalledSince(startedAt);
          const timings = dnsMs === undefined ? measured.timings : { dnsMs, ...measured.timings };
          resolve({ ...measured, timings, ...(stalled ? { stalled } : {}) });
        };
        if (probe.transport === "tcp") attemptTcp(probe, attempt, done);
        else attemptUdp(probe, attempt, done);
      });
    });

  const run = async (
    { id, check, retry, effectiveTimeoutMs }: CheckRequest,
    { deadlineAtMs, presentHealth }: BatchOptions,
  ) => {
    const timeoutMs = Math.min(effectiveTimeoutMs ?? check.timeoutMs, check.timeoutMs);
    const present = presentHealth?.(id) ?? null;
    const protocol = registry[check.protocol];
    if (!protocol) throw new Error(`unknown protocol ${check.protocol}`);
    const probe = protocol.prepare(check.settings);
    const allowed = retry === false ? 1 : 1 + check.retries.count;
    let outcome: Outcome | undefined;
    for (let attempts = 1; attempts <= allowed; attempts++) {
      const wait = attempts === 1 ? 0 : check.retries.delayMs;
      if (now() + wait + timeoutMs > deadlineAtMs) break;
      if (wait > 0) await new Promise<void>((resolve) => wheel.after(wait, resolve));
      const measured = await attemptOnce(check, probe, timeoutMs);
      outcome = conclude(check, measured, attempts);
      if (!contradicts(outcome.health, present)) break;
    }
    return outcome;
  };

  const runBatch: Engine["runBatch"] = async (requests, batch) => {
    const outcomes = new Map<string, Outcome>();
    const late: string[] = [];
    const crashes: { id: string; error: unknown }[] = [];
    stalls.start();
    await Promise.all(
      requests.map(async (request) => {
        try {
          const outcome = await run(request, batch);
          if (!outcome) return void late.push(request.id);
          outcomes.set(request.id, outcome);
          batch.onOutcome?.(request.id, outcome);
        } catch (error) {
          crashes.push({ id: request.id, error });
          outcomes.set(request.id, crashed(error));
        }
      }),
    );
    stalls.stop();
    return { outcomes, late, crashes };
  };

  return {
    runBatch,
    async runOne(check, deadlineAtMs = now() + check.timeoutMs + 1000) {
      const { outcomes, crashes } = await runBatch([{ id: "one", check, retry: false }], { deadlineAtMs });
      if (crashes[0]) throw crashes[0].error;
      return outcomes.get("one");
    },
  };
}

/** Nothing believed yet is contradicted by an outage only; `unmeasured` contradicts nothing. */
function contradicts(health: Health, present: Health | null): boolean {
  if (health === "unknown") return false;
  if (present === null || present === "unknown") return health === "down";
  return health !== present;
}

function conclude(check: CheckSettings, measured: Measured, attempts: number): Outcome {
  const { health, reason, message } = judgeHealth(check, measured);
  const { state, address, timings, traffic, lossPercent, evidence, fingerprint, stalled } = measured;
  return {
    state,
    reason,
    message: printable(message, 400),
    health,
    timings,
    traffic,
    evidence: fitEvidence(evidence),
    attempts,
    ...(address === undefined ? {} : { address }),
    ...(lossPercent === undefined ? {} : { lossPercent }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(stalled ? { stalled } : {}),
  };
}

function crashed(error: unknown): Outcome {
  return {
    state: "unmeasured",
    reason: "cut-short",
    message: `not checked: an error of Harborlight itself (${error instanceof Error ? error.message : String(error)})`,
    health: "unknown",
    timings: {},
    traffic: NO_TRAFFIC,
    evidence: {},
    attempts: 1,
  };
}
