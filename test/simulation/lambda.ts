/**
 * Functions and their processes. A process has a clock of its own, is cold or warm, and may be killed at any call,
 * frozen, or stopped by its time limit. All it can do to the world goes through `connect`: calls over the network, with
 * the SDK's attempts, backoff and time-outs, and a place for a fault before and after the effect.
 */
import type { Clock } from "./clock.ts";
import { draw } from "./clock.ts";
import { createCounter, type Faults, type Occasion } from "./faults.ts";

/** What everything in a simulated account shares. */
export interface Account {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly seed: string;
  /** Names the next occasion of a kind. */
  readonly count: (name: string) => string;
  /** Largest difference between the clock of a process and the true time, either way. */
  readonly maxSkewMs: number;
}

export const createAccount = (options: Omit<Account, "count">): Account => ({ ...options, count: createCounter() });

/** The SDK's own: three attempts (`AWS_RETRY_MODE=standard`), base of the backoff after errors and after throttling. */
const ATTEMPTS = 3;
const BACKOFF_MS = 100;
const THROTTLED_BACKOFF_MS = 500;
/** One way over the network. */
const WAY_MS = { least: 1, spread: 3 };
const CLOCK_SET_RIGHT_MS = 300_000;
const COLD_START_MS = { least: 150, spread: 1_200 };

interface Command {
  readonly input: object;
}

/** An AWS service as a process sees it. */
export interface Service {
  readonly name: "dynamodb" | "sqs" | "sns" | "ses" | "lambda";
  /** The client gives up an attempt that takes longer, and tries again; the service may still do it later. */
  readonly attemptTimeoutMs?: number;
  /** The caller gives up the whole call (its abort signal): no more attempts. */
  readonly callTimeoutMs?: number;
  /** Does it, now. @throws what the service answers */
  perform(command: Command, occasion: Occasion): unknown;
  describe(command: Command): Pick<Occasion, "operation" | "target" | "item">;
}

export const awsError = (name: string, message: string = name) => Object.assign(new Error(message), { name });

/** A promise of its own each time: a shared one would keep whatever waits for it in memory for ever. */
const never = <T>() => new Promise<T>(() => {});

const TRANSIENT = new Set(["ThrottlingException", "InternalServerError", "InternalFailure", "TimeoutError"]);

export class Process {
  readonly caller: string;
  readonly location: string | undefined;
  /** Such as `probe/a/3`. */
  readonly name: string;
  readonly #account: Account;
  #isDead = false;
  #frozenUntilMs = 0;
  #skewMs: number;
  /** Called when the process is killed: whoever waits for its answer hears that there is none. */
  onKill: () => void = () => {};

  constructor(account: Account, caller: string, location?: string) {
    this.#account = account;
    this.caller = caller;
    this.location = location;
    this.name = account.count(`process ${caller}/${location ?? ""}`);
    this.#skewMs = Math.round((2 * draw(account.seed, `skew ${this.name}`) - 1) * account.maxSkewMs);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Epoch milliseconds as this process believes them to be; whole, as `Date.now` gives them. */
  readonly now = (): number => Math.floor(this.#account.clock.now() + this.#skewMs);
  readonly date = (): Date => new Date(this.now());

  readonly sleep = async (ms: number): Promise<void> => {
    await this.#account.clock.sleep(Math.max(0, ms));
    return this.#resume(undefined);
  };

  /** Runs no more, from this moment on. What it sent before is still on its way. */
  kill(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.onKill();
  }

  freeze(ms: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.#account.clock.now() + ms);
  }

  stepClock(ms: number): void {
    this.#skewMs += ms;
  }

  /** A client of a service, for `send(command)`. Abort signals are real timers, so none is heeded: see `Service`. */
  connect<Client>(service: Service): Client {
    return { send: (command: Command) => this.#call(service, command) } as Client;
  }

  /** Goes on where something was waited for: never in a dead process, later in a frozen one. */
  async #resume<T>(value: T): Promise<T> {
    const { clock } = this.#account;
    while (!this.#isDead && this.#frozenUntilMs > clock.now()) await clock.sleep(this.#frozenUntilMs - clock.now());
    return this.#isDead ? never() : value;
  }

  async #call(service: Service, command: Command): Promise<unknown> {
    const { clock, seed, count } = this.#account;
    const about = service.describe(command);
    const { caller, location } = this;
    const name = count(`${caller}/${location ?? ""} ${about.operation} ${about.target ?? ""} ${about.item ?? ""}`);
    const deadlineMs = clock.now() + (service.callTimeoutMs ?? Number.POSITIVE_INFINITY);
    for (let attempt = 1; ; attempt++) {
      if (this.#isDead) return never();
      const occasion = { ...about, name: `${name}.${attempt}`, caller, location, service: service.name };
      const reply = await this.#resume(await this.#attempt(service, command, occasion, deadlineMs));
      if (!("error" in reply)) return reply.value;
      const { error } = reply;
      if (attempt === ATTEMPTS || !TRANSIENT.has(error.name)) throw error;
      const base = error.name === "ThrottlingException" ? THROTTLED_BACKOFF_MS : BACKOFF_MS;
      await this.sleep(draw(seed, `backoff ${occasion.name}`) * base * 2 ** (attempt - 1));
      if (clock.now() >= deadlineMs) throw awsError("AbortError", "Request aborted");
    }
  }

  /** One request and its answer. The promise settles when the client knows how it went, or never in a killed process. */
  #attempt(service: Service, command: Command, occasion: Occasion, deadlineMs: number): Promise<Reply> {
    const { clock, faults, seed } = this.#account;
    faults.call(occasion);
    const strike = (fault: Parameters<Faults["strike"]>[0]) => faults.strike(fault, occasion);
    const frozenMs = strike("freeze");
    if (frozenMs !== undefined) this.freeze(frozenMs);
    if (strike("kill-before") !== undefined) {
      this.kill();
      return never();
    }
    const drawn = draw(seed, `way ${occasion.name}`);
    const thereMs = WAY_MS.least + drawn * WAY_MS.spread;
    const backMs = WAY_MS.least + ((drawn * 65_536) % 1) * WAY_MS.spread;
    const { refusal, refusedMs, delayMs, lostMs, stallMs, dies } = this.#fate(strike);

    return new Promise((resolve) => {
      const startMs = clock.now();
      const giveUpMs = Math.min(startMs + (service.attemptTimeoutMs ?? Number.POSITIVE_INFINITY), deadlineMs);
      let hasGivenUp = false;
      /** Answers at a moment, or gives up before it. */
      const answer = (atMs: number, reply: Reply) => {
        if (hasGivenUp) return;
        if (atMs <= giveUpMs) clock.at(atMs, () => resolve(reply));
        else giveUp();
      };
      const giveUp = () => {
        hasGivenUp = true;
        const error =
          giveUpMs === deadlineMs
            ? awsError("AbortError", "Request aborted")
            : awsError("TimeoutError", "no answer in time");
        clock.at(giveUpMs, () => resolve({ error }));
      };
      if (refusal) {
        answer(startMs + thereMs + refusedMs + backMs, { error: refusal });
        return;
      }
      const arrivesMs = startMs + thereMs + delayMs;
      if (arrivesMs > giveUpMs) giveUp();
      clock.at(arrivesMs, () => {
        const reply = attempt(() => service.perform(command, occasion));
        if (dies) return this.kill();
        if (reply instanceof Promise) {
          if (Number.isFinite(giveUpMs)) clock.at(giveUpMs, giveUp);
          return void reply.then((later) => answer(clock.now() + backMs, later));
        }
        if (lostMs !== undefined)
          return answer(arrivesMs + lostMs, { error: awsError("InternalServerError", "the answer was lost") });
        answer(arrivesMs + stallMs + backMs, reply);
      });
    });
  }

  /** What becomes of an attempt, by the faults that strike it. */
  #fate(strike: (fault: Parameters<Faults["strike"]>[0]) => number | undefined) {
    const refused = (name: string, ms = 0) => ({ refusal: awsError(name), refusedMs: ms, ...UNHARMED });
    const awayMs = strike("outage");
    if (awayMs !== undefined) return refused("InternalServerError", awayMs);
    if (strike("throttle") !== undefined) return refused("ThrottlingException");
    if (strike("refuse") !== undefined) return refused("InternalFailure");
    if (strike("refuse-for-good") !== undefined) return refused("InvalidParameter");
    return {
      refusal: undefined,
      refusedMs: 0,
      dies: strike("kill-after") !== undefined,
      lostMs: strike("lost"),
      delayMs: strike("delay") ?? 0,
      stallMs: strike("stall") ?? 0,
    };
  }
}

const UNHARMED = { dies: false, lostMs: undefined, delayMs: 0, stallMs: 0 };

type Reply = { readonly value: unknown } | { readonly error: Error };

/** What a service answers: at once, or later where it has to wait itself (a function that was invoked). */
function attempt(perform: () => unknown): Reply | Promise<Reply> {
  try {
    const value = perform();
    if (!(value instanceof Promise)) return { value };
    return value.then(
      (later: unknown) => ({ value: later }),
      (error: Error) => ({ error }),
    );
  } catch (error) {
    return { error: error as Error };
  }
}

// ---- functions ------------------------------------------------------------------------------------------------------

/** How an invocation ended, for who invoked it. */
export type Ended<Result> =
  | { readonly how: "answered"; readonly value: Result }
  | { readonly how: "failed"; readonly error: unknown }
  /** Killed, or out of time: nobody knows how far it came. */
  | { readonly how: "killed" };

export interface FunctionOptions<Event, Result> {
  readonly name: string;
  readonly location?: string;
  readonly timeoutMs: number;
  /** Makes the handler in a new process, as the module's own code does at a cold start. */
  readonly start: (process: Process) => (event: Event) => Promise<Result>;
  /** Hears of each error that a handler threw: a TypeError in one is a bug whatever came of it. */
  readonly onError?: (error: unknown, process: Process) => void;
}

export interface SimulatedFunction<Event, Result> {
  readonly name: string;
  readonly location: string | undefined;
  /** One event to one process: an idle warm one, else a new one. */
  invoke(event: Event): Promise<Ended<Result>>;
  /** New code: processes that are at work end with the old one, all others start anew. */
  deploy(start: FunctionOptions<Event, Result>["start"]): void;
}

interface Environment<Event, Result> {
  readonly process: Process;
  /** What it was started with. */
  readonly code: FunctionOptions<Event, Result>["start"];
  readonly handle: (event: Event) => Promise<Result>;
}

export function createFunction<Event, Result>(
  account: Account,
  { name, location, timeoutMs, start, onError }: FunctionOptions<Event, Result>,
): SimulatedFunction<Event, Result> {
  const { clock, faults, seed, count } = account;
  /** Warm processes that wait for work, the one that worked last at the end. */
  const idle: Environment<Event, Result>[] = [];

  const warm = (occasion: Occasion) => {
    if (faults.strike("cold", occasion) !== undefined) return undefined;
    let environment = idle.pop();
    // What an invocation left behind may have died while nobody used it.
    while (environment?.process.isDead) environment = idle.pop();
    return environment;
  };

  let code = start;
  const make = () => {
    const process = new Process(account, name, location);
    return { process, code, handle: code(process) };
  };

  const run = (environment: Environment<Event, Result>, event: Event, waitMs: number) =>
    new Promise<Ended<Result>>((resolve) => {
      const { process, handle } = environment;
      let isOver = false;
      const end = (ended: Ended<Result>) => {
        if (isOver) return;
        isOver = true;
        callOffTimeout();
        if (!process.isDead && environment.code === code) idle.push(environment);
        resolve(ended);
      };
      process.onKill = () => end({ how: "killed" });
      let callOffTimeout = () => {};
      const work = () => {
        callOffTimeout = clock.after(timeoutMs, () => process.kill());
        handle(event).then(
          (value) => end({ how: "answered", value }),
          (error: unknown) => {
            onError?.(error, process);
            end({ how: "failed", error });
          },
        );
      };
      if (waitMs > 0) clock.after(waitMs, work);
      else work();
    });

  /** Its clock jumps back, until the host's time service notices. */
  const stepBack = (process: Process, ms: number) => {
    process.stepClock(-ms);
    clock.after(CLOCK_SET_RIGHT_MS, () => process.stepClock(ms));
  };

  return {
    name,
    location,
    deploy(start) {
      code = start;
      idle.length = 0;
    },
    invoke(event) {
      const occasion = { name: count(`invoke ${name}/${location ?? ""}`), caller: name, location };
      const environment = warm(occasion);
      const steppedMs = faults.strike("clock-step", occasion);
      if (environment) {
        if (steppedMs !== undefined) stepBack(environment.process, steppedMs);
        return run(environment, event, 0);
      }
      const fresh = make();
      if (steppedMs !== undefined) stepBack(fresh.process, steppedMs);
      const coldMs = COLD_START_MS.least + draw(seed, `cold ${occasion.name}`) * COLD_START_MS.spread;
      return run(fresh, event, coldMs);
    },
  };
}
