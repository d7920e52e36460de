/**
 * The check engine: runs a batch of checks until an absolute deadline, retries those whose result differs from the
 * location's present view, and returns outcomes. It knows no protocol: the registry's rows create the probes, and what
 * these throw becomes an outcome.
 */
import { randomBytes } from "node:crypto";
import type { Measured } from "../contract/measured.ts";
import type { Protocol } from "../contract/protocol.ts";
import type { CheckSettings, Family, Health, Outcome } from "../model.ts";
import type { LocationKind } from "./address-guard.ts";
import { createNames, type Names } from "./dns.ts";
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
  /** Shorter timeout than `check.timeoutMs`, for targets known to be down. */
  readonly effectiveTimeoutMs?: number;
  /** Priority: starts before checks without it. For checks that will take longest, so that the others run meanwhile. */
  readonly first?: boolean;
}

export interface BatchOptions {
  /** Epoch milliseconds by which every check has ended. */
  readonly deadlineAtMs: number;
  /** The location's present view of the monitor. Default null: no view yet, so only `down` is retried. */
  readonly presentHealth?: (id: string) => Health | null;
  /** Called with each outcome as it comes. */
  readonly onOutcome?: (id: string, outcome: Outcome) => void;
  /** Called for each failed attempt, as it fails, at a target that the location does not believe down. */
  readonly onFailure?: (id: string) => void;
}

export interface BatchResult {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Checks that were not run, because no attempt fitted before the deadline. */
  readonly late: readonly string[];
  /** Internal errors, to be logged; the check they ended is `unmeasured`. */
  readonly crashes: readonly { readonly id: string; readonly error: unknown }[];
}

export interface Engine {
  runBatch(requests: readonly CheckRequest[], options: BatchOptions): Promise<BatchResult>;
  /**
   * Runs one check, without retries. @param deadlineAtMs epoch milliseconds; default: its timeout and a second from now
   * @returns undefined when it did not fit before the deadline
   * @throws internal errors, and InvalidInput for settings that the protocol refuses
   */
  runOne(check: CheckSettings, deadlineAtMs?: number): Promise<Outcome | undefined>;
}

/** Creates an engine. Keep it between batches: it caches DNS answers and limits the rate per address. */
export function createEngine(options: EngineOptions): Engine & Pick<Names, "resolve"> {
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
   * Runs one check with its retries.
   * @param done receives undefined when no attempt fitted before the deadline
   * @throws internal errors that occur before it returns; later ones go to `crashed`
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
    if (probe.transport === "sweep") throw new Error(`${check.protocol} is swept, not checked`);
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
    /** Called once per check: with its outcome, or without one when it did not fit before the deadline. */
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
    resolve: names.resolve,
    async runOne(check, deadlineAtMs = now() + check.timeoutMs + 1_000) {
      const { outcomes, crashes } = await runBatch([{ id: "one", check, retry: false }], { deadlineAtMs });
      if (crashes[0]) throw crashes[0].error;
      return outcomes.get("one");
    },
  };
}

/** Whether a result differs from the present view and needs a retry. Without a view only `down` does; `unknown` never does. */
function contradicts(health: Health, present: Health | null): boolean {
  if (health === "unknown") return false;
  if (present === null || present === "unknown") return health === "down";
  return health !== present;
}
