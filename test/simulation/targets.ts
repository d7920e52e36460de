/** What hosts answer, at a moment and from a location; and a check engine that asks them on virtual time. */
import type { BatchOptions, CheckRequest, Engine } from "../../shared/engine/run.ts";
import type { Job } from "../../shared/jobs.ts";
import type { CheckSettings, Facts, Health, Outcome } from "../../shared/model.ts";
import { draw } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { Process } from "./lambda.ts";
import { Sayings } from "./oracle/sayings.ts";
import { Script } from "./oracle/script.ts";
import { latencyOfSlow, type Scenario, type TargetEvent } from "./scenario.ts";

/** When TCP sends its SYN again, counted from the first (RFC 6298 with Linux' first timeout of a second). */
const RETRANSMISSIONS_MS = [1_000, 3_000, 7_000];
/** Starts of one batch are spread. */
const BETWEEN_STARTS_MS = 0.5;
const ROUND_TRIP_MS = { least: 10, spread: 50 };
/** A resolver that answers nothing is given up after so many round trips. */
const RESOLVER_ROUND_TRIPS = 10;

type Answer = Pick<Outcome, "state" | "reason" | "message" | "timings" | "health" | "facts">;

export interface TargetEngine extends Engine {
  /** What is being done: its tick is that of the outcomes. */
  job: Job | null;
}

interface Options {
  readonly scenario: Scenario;
  readonly location: string;
  readonly process: Process;
  /** True time, epoch milliseconds. */
  readonly now: () => number;
  readonly count: (name: string) => string;
  readonly journal: Journal;
}

export function createTargetEngine({ scenario, location, process, now, count, journal }: Options): TargetEngine {
  const script = new Script(scenario);
  const sayings = new Sayings(scenario);
  const at = () => (now() - scenario.startMs) / 1000;

  const eventAt = (host: string): TargetEvent | undefined =>
    scenario.events.find(
      (event) =>
        event.host === host &&
        at() >= event.from &&
        at() < event.to &&
        (!event.locations || event.locations.includes(location)),
    );

  /** What a host says of itself at this answer; servers that differ answer in turn. */
  const factsNow = (host: string): Facts | undefined => {
    const said = sayings.at(host, location, at());
    if (!said) return undefined;
    const turn = Number(/\d+$/.exec(count(`answer ${location} ${host} `))?.[0]);
    return Object.fromEntries([...said].map(([key, values]) => [key, values[turn % values.length]!]));
  };

  /** One attempt, in the time that it takes. */
  const attempt = async (check: CheckSettings, timeoutMs: number): Promise<Answer> => {
    const name = count(`attempt ${location} ${check.host}`);
    const tripMs = ROUND_TRIP_MS.least + draw(scenario.seed, name) * ROUND_TRIP_MS.spread;
    let waitedMs = 0;
    for (const nextMs of [...RETRANSMISSIONS_MS, Number.POSITIVE_INFINITY]) {
      const answer = script.isCut(location, at())
        ? undefined
        : answerOf(eventAt(check.host), check, timeoutMs, tripMs, waitedMs);
      if (answer) {
        await process.sleep(answer.afterMs);
        const facts = answer.state === "open" ? factsNow(check.host) : undefined;
        return facts ? { ...answer, facts } : answer;
      }
      const untilMs = Math.min(nextMs, timeoutMs);
      await process.sleep(untilMs - waitedMs);
      waitedMs = untilMs;
      if (waitedMs >= timeoutMs) break;
    }
    return {
      state: "filtered",
      reason: "timeout",
      message: `no answer within ${timeoutMs} ms`,
      timings: {},
      health: "down",
    };
  };

  /** A check with its retries; undefined when it does not fit before the deadline. */
  const run = async (
    { id, check, retry, effectiveTimeoutMs }: CheckRequest,
    batch: BatchOptions,
  ): Promise<Outcome | undefined> => {
    const timeoutMs = Math.min(effectiveTimeoutMs ?? check.timeoutMs, check.timeoutMs);
    const present = batch.presentHealth?.(id) ?? null;
    const fits = (waitMs: number) => process.now() + waitMs + timeoutMs <= batch.deadlineAtMs;
    if (!fits(0)) return undefined;
    const most = 1 + (retry === false ? 0 : check.retries.count);
    for (let attempts = 1; ; attempts++) {
      const answer = await attempt(check, timeoutMs);
      const isContrary = contradicts(answer.health, present);
      if (answer.health === "down" && present !== "down") batch.onFailure?.(id);
      if (!isContrary || attempts === most || !fits(check.retries.delayMs)) return outcomeOf(answer, attempts);
      await process.sleep(check.retries.delayMs);
    }
  };

  const engine: TargetEngine = {
    job: null,
    async runBatch(requests, batch) {
      const outcomes = new Map<string, Outcome>();
      const late: string[] = [];
      const spot = engine.job?.kind !== "tick";
      await Promise.all(
        requests.map(async (request, place) => {
          if (place > 0) await process.sleep(place * BETWEEN_STARTS_MS);
          const outcome = await run(request, batch);
          if (!outcome) return void late.push(request.id);
          outcomes.set(request.id, outcome);
          const tick = engine.job?.kind === "tick" ? engine.job.tick : Math.floor(now() / 1000);
          const { id, check } = request;
          journal.outcomes.push({
            at: at(),
            id,
            location,
            tick,
            health: outcome.health,
            spot,
            host: check.host,
            facts: outcome.facts,
          });
          batch.onOutcome?.(request.id, outcome);
        }),
      );
      return { outcomes, late, crashes: [] };
    },
    async runOne(check) {
      return outcomeOf(await attempt(check, check.timeoutMs), 1);
    },
  };
  return engine;
}

/**
 * What a target answers now to a first or repeated packet; undefined while it is silent.
 * @param waitedMs since the attempt began, which is part of the latency
 */
function answerOf(
  event: TargetEvent | undefined,
  check: CheckSettings,
  timeoutMs: number,
  tripMs: number,
  waitedMs: number,
): (Answer & { readonly afterMs: number }) | undefined {
  const plain = { reason: null, timings: {}, afterMs: tripMs } as const;
  switch (event?.kind) {
    case "silent":
      return undefined;
    case "refused":
      return {
        ...plain,
        state: "closed",
        reason: "connection-refused",
        message: "the connection was refused",
        health: "down",
      };
    case "nxdomain":
      return {
        ...plain,
        state: "unresolved",
        reason: "name-not-found",
        message: "the name does not exist",
        health: "down",
      };
    case "resolver":
      return {
        ...plain,
        afterMs: tripMs * RESOLVER_ROUND_TRIPS,
        state: "unmeasured",
        reason: "resolver-unavailable",
        message: "the resolver does not answer",
        health: "unknown",
      };
    default: {
      const afterMs = event ? latencyOfSlow(event, check) : tripMs;
      const latencyMs = waitedMs + afterMs;
      if (latencyMs >= timeoutMs) return undefined;
      const isSlow = check.degradedAboveMs !== null && latencyMs > check.degradedAboveMs;
      return {
        state: "open",
        reason: isSlow ? "slow" : null,
        message: `it answered within ${Math.round(latencyMs)} ms`,
        timings: { connectMs: latencyMs, latencyMs },
        health: isSlow ? "degraded" : "up",
        afterMs,
      };
    }
  }
}

const outcomeOf = (answer: Answer, attempts: number): Outcome => {
  const { state, reason, message, timings, health, facts } = answer;
  return {
    state,
    reason,
    message,
    timings,
    health,
    attempts,
    address: "192.0.2.1",
    traffic: { bytesSent: 0, bytesReceived: 0 },
    evidence: {},
    facts,
  };
};

/** Nothing believed yet is contradicted by an outage only; what says nothing contradicts nothing. */
function contradicts(health: Health, present: Health | null): boolean {
  if (health === "unknown") return false;
  if (present === null || present === "unknown") return health === "down";
  return health !== present;
}
