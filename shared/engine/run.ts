/**
 * The check engine: runs checks until an absolute deadline, retries those that contradict what is believed, and answers with outcomes.
 * It knows no protocol: rows of the registry make the probes, and what they throw becomes an outcome.
 */
import { randomBytes } from "node:crypto";
import type { Measured } from "../contract/measured.ts";
import type { Protocol } from "../contract/protocol.ts";
import type { CheckSettings, Family, Health, Outcome } from "../model.ts";
import type { LocationKind } from "./address-guard.ts";
import { createNames } from "./dns.ts";
import { createHandshakes } from "./handshakes.ts";
import { SYSTEM_HOSTS } from "./hosts.ts";
import { createMeasure } from "./measure.ts";
import { type NameServiceFiles, SYSTEM_FILES } from "./name-service.ts";
import { crashedOutcome, toOutcome } from "./outcome.ts";
import { createPacing } from "./pacing.ts";
import { createStallWatch } from "./stalls.ts";
import { TimerWheel } from "./timer-wheel.ts";

export interface EngineOptions {
  readonly location: { readonly kind: LocationKind; readonly families: readonly Family[] };
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  readonly random?: (bytes: number) => Buffer;
  /** Sockets open at once. Default 900: Lambda has 1,024 descriptors, and Node and the AWS SDK need some. */
  readonly maxSockets?: number;
  /** Name servers, `address` or `address:port`. Default: the system's. */
  readonly nameServers?: readonly string[];
  /** Default: the system's for a local location, none elsewhere. */
  readonly hostsFile?: string | null;
  /** How the machine finds names. Default: the system's for a local location whose name servers are its own, none elsewhere. */
  readonly nameService?: NameServiceFiles | null;
  /** The registry; the engine itself knows no protocol. */
  readonly protocols: Readonly<Record<string, Protocol>>;
}

export interface CheckRequest {
  readonly id: string;
  readonly check: CheckSettings;
  /** Default true. False for "check now" and "try", which answer once. */
  readonly retry?: boolean;
  /** Less than `check.timeoutMs` for targets known to be dead. */
  readonly effectiveTimeoutMs?: number;
  /** Starts before all that are not: for those that will be waited for longest, so that the others fit into that time. */
  readonly first?: boolean;
}

export interface BatchOptions {
  /** Epoch milliseconds by which everything has ended. */
  readonly deadlineAtMs: number;
  /** What the location believes now. Default null: nothing, so only `down` is tried again. */
  readonly presentHealth?: (id: string) => Health | null;
  /** Told of each outcome as it comes. */
  readonly onOutcome?: (id: string, outcome: Outcome) => void;
  /** Told of each attempt that failed although the location does not believe the target down, as it fails. */
  readonly onFailure?: (id: string) => void;
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
  /**
   * One check, not retried. @param deadlineAtMs default: as long as its timeout takes
   * @returns undefined when it did not fit before the deadline
   * @throws errors of ours, and InvalidInput for settings that the protocol refuses
   */
  runOne(check: CheckSettings, deadlineAtMs?: number): Promise<Outcome | undefined>;
}

/** Cheap to keep, and worth keeping between batches: the names it knows, the addresses it has just been to. */
export function createEngine(options: EngineOptions): Engine {
  const { location, protocols, now = Date.now, random = randomBytes, maxSockets = 900, nameServers } = options;
  const { hostsFile = location.kind === "local" ? SYSTEM_HOSTS : null } = options;
  const { nameService = location.kind === "local" && !nameServers ? SYSTEM_FILES : null } = options;
  const wheel = new TimerWheel();
  const pacing = createPacing({ wheel, maxSockets });
  const stalls = createStallWatch();
  const handshakes = createHandshakes({ wheel, stalls });
  const names = createNames({
    families: location.families,
    wheel,
    hostsFile,
    machine: nameService && { files: nameService },
    ...(nameServers ? { servers: nameServers } : {}),
  });
  const measure = createMeasure({ location, names, pacing, handshakes, wheel, stalls, now, random });

  /**
   * @param done with undefined when it did not fit before the deadline
   * @throws errors of ours, unless they come later
   */
  const run = (
    request: CheckRequest,
    { deadlineAtMs, presentHealth, onFailure }: BatchOptions,
    done: (outcome: Outcome | undefined) => void,
    crashed: (error: unknown) => void,
  ) => {
    const { id, check } = request;
    const timeoutMs = Math.min(request.effectiveTimeoutMs ?? check.timeoutMs, check.timeoutMs);
    const fits = (waitMs: number) => now() + waitMs + timeoutMs <= deadlineAtMs;
    if (!fits(0)) return done(undefined);
    const protocol = protocols[check.protocol];
    if (!protocol) throw new Error(`there is no protocol ${check.protocol}`);
    const { first = false } = request;
    const present = presentHealth?.(id) ?? null;
    const probe = protocol.prepare(check.settings);
    const prepared = { check, probe, timeoutMs, deadlineAtMs, first, isDown: present === "down" };
    const retries = request.retry === false ? 0 : check.retries.count;
    let attempts = 0;
    let outcome: Outcome | undefined;
    const guarded = (act: () => void) => {
      try {
        act();
      } catch (error) {
        crashed(error);
      }
    };
    const seen = (measured: Measured | undefined) =>
      guarded(() => {
        if (!measured) return done(outcome);
        attempts += 1;
        outcome = toOutcome(check, measured, attempts);
        if (outcome.health === "down" && present !== "down") onFailure?.(id);
        const isTriedAgain = attempts <= retries && contradicts(outcome.health, present) && fits(check.retries.delayMs);
        if (isTriedAgain) wheel.after(check.retries.delayMs, () => guarded(attempt));
        else done(outcome);
      });
    const attempt = () => measure(prepared, seen, crashed);
    attempt();
  };

  const runBatch: Engine["runBatch"] = async (requests, batch) => {
    const outcomes = new Map<string, Outcome>();
    const late: string[] = [];
    const crashes: { id: string; error: unknown }[] = [];
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    let left = requests.length;
    /** To be called once per check: with its outcome, or without one when it came too late. */
    const settle = (id: string, outcome: Outcome | undefined) => {
      try {
        if (outcome) {
          outcomes.set(id, outcome);
          batch.onOutcome?.(id, outcome);
        } else late.push(id);
      } catch (error) {
        reject(error);
      }
      left -= 1;
      if (left === 0) resolve();
    };
    stalls.start();
    try {
      if (left === 0) resolve();
      for (const request of requests) {
        const { id } = request;
        let hasEnded = false;
        const done = (outcome: Outcome | undefined) => {
          if (hasEnded) return;
          hasEnded = true;
          settle(id, outcome);
        };
        const crashed = (error: unknown) => {
          crashes.push({ id, error });
          done(crashedOutcome(error));
        };
        try {
          run(request, batch, done, crashed);
        } catch (error) {
          crashed(error);
        }
      }
      await ended;
    } finally {
      stalls.stop();
      names.release();
    }
    return { outcomes, late, crashes };
  };

  return {
    runBatch,
    async runOne(check, deadlineAtMs = now() + check.timeoutMs + 1_000) {
      const { outcomes, crashes } = await runBatch([{ id: "one", check, retry: false }], { deadlineAtMs });
      if (crashes[0]) throw crashes[0].error;
      return outcomes.get("one");
    },
  };
}

/** Nothing believed yet is contradicted by an outage only; what says nothing contradicts nothing. */
function contradicts(health: Health, present: Health | null): boolean {
  if (health === "unknown") return false;
  if (present === null || present === "unknown") return health === "down";
  return health !== present;
}
