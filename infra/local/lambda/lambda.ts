import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { parseMetricLine } from "../cloudwatch/metric-line.ts";
import type { PutMetric } from "../cloudwatch/metrics.ts";
import type { Disk } from "../disk/disk.ts";
import { LogFile } from "../disk/log-file.ts";
import { steadyNow } from "../scheduler/clock.ts";
import { type AccountConcurrency, checkPayload, isThrottled, refusalOfResponse, throttled } from "./limits.ts";
import type { InvocationRequest, WorkerAnswer, WorkerSettings } from "./worker.ts";

export interface FunctionSettings extends WorkerSettings {
  readonly name: string;
  readonly arn: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly logFile: string;
  /** Folder in which Node keeps compiled code (`NODE_COMPILE_CACHE`). */
  readonly compileCache: string;
  /** Limit of execution environments; further invocations wait. Each environment takes a thread and some 50 MB. */
  readonly maximumConcurrency?: number;
}

export interface InvocationResult {
  readonly requestId: string;
  /** JSON: what the handler returned, or `{errorType, errorMessage, trace}`. */
  readonly payload: string;
  readonly failed: boolean;
}

interface Environment {
  readonly worker: Worker;
  /** Reports the end of the running invocation; undefined between invocations. */
  settle: ((end: WorkerAnswer) => void) | undefined;
  isGone: boolean;
  idleTimer: NodeJS.Timeout | undefined;
  /** Resolves when the bundle is loaded, or cannot be loaded. */
  readonly ready: Promise<void>;
  /** Why the environment ended. */
  failure: WorkerAnswer | undefined;
}

const MAXIMUM_CONCURRENCY = 8;
/** Pauses between attempts of a throttled invocation. */
const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 5_000;
/** An idle environment ends after this time, for its memory; a new one takes 0.1 s. One stays warm for good. */
const IDLE_MS = 60_000;

/** One function: a pool of execution environments, each handling one event at a time, that grows on demand as on Lambda. */
export class LambdaFunction {
  readonly settings: FunctionSettings;
  readonly #log: LogFile;
  readonly #putMetric: PutMetric;
  readonly #account: AccountConcurrency;
  readonly #environments = new Set<Environment>();
  readonly #idle: Environment[] = [];
  readonly #waiting: ((environment: Environment) => void)[] = [];
  #running = 0;
  #stopped = false;

  /**
   * @param putMetric gets Lambda's own metrics, and those that the function prints
   * @param account the concurrency limit, shared by all functions
   */
  constructor(settings: FunctionSettings, putMetric: PutMetric, account: AccountConcurrency, disk?: Disk) {
    this.settings = settings;
    this.#putMetric = putMetric;
    this.#account = account;
    this.#log = new LogFile(settings.logFile, { disk });
  }

  get concurrency(): number {
    return this.settings.maximumConcurrency ?? MAXIMUM_CONCURRENCY;
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** Puts a value of one of Lambda's own metrics of this function. */
  measure(name: "Invocations" | "Errors" | "Throttles" | "Duration" | "IteratorAge", value: number): void {
    this.#putMetric({ namespace: "AWS/Lambda", name, dimensions: { FunctionName: this.settings.name } }, value);
  }

  /**
   * Runs the handler once. A failing handler is a result, not an exception.
   * @throws {AwsError} when the payload is too large, or the account runs as many invocations as it may
   */
  async invoke(payload: string): Promise<InvocationResult> {
    checkPayload(payload, "RequestResponse");
    if (!this.#account.enter()) {
      this.measure("Throttles", 1);
      throw throttled();
    }
    try {
      return await this.#invoke(payload);
    } finally {
      this.#account.leave();
    }
  }

  /**
   * Runs the handler once. While the account is at its concurrency limit, waits and retries, as Lambda's pollers do.
   * @returns a failure when the signal aborts first
   */
  async invokeWhenFree(payload: string, signal: AbortSignal): Promise<InvocationResult> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LAST_WAIT_MS, 2 * waitMs)) {
      try {
        return await this.invoke(payload);
      } catch (error) {
        if (!isThrottled(error)) throw error;
        if (signal.aborted) return { requestId: "", payload: JSON.stringify({ errorType: "Throttled" }), failed: true };
        await delay(waitMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #invoke(payload: string): Promise<InvocationResult> {
    const requestId = randomUUID();
    const environment = await this.#acquire();
    this.#running += 1;
    const startedAt = performance.now();
    this.measure("Invocations", 1);
    this.measure("Throttles", 0);
    try {
      const end = await this.#run(environment, payload, requestId);
      const refusal = end.kind === "result" ? refusalOfResponse(end.payload) : undefined;
      if (refusal) this.#write(`${refusal}\n`);
      const failed = refusal !== undefined || end.kind === "error" || end.kind === "init-failed";
      this.measure("Errors", failed ? 1 : 0);
      this.measure("Duration", performance.now() - startedAt);
      const answer = end.kind === "result" ? end.payload : "error" in end ? end.error : "null";
      return { requestId, failed, payload: refusal ?? answer };
    } finally {
      this.#running -= 1;
      this.#release(environment);
    }
  }

  /** Stops starting environments, lets running invocations end within `graceMs`, then ends every thread. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    const until = steadyNow() + graceMs;
    while (this.#running > 0 && steadyNow() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const give of this.#waiting.splice(0)) give(GONE);
    await Promise.all([...this.#environments].map((environment) => this.#end(environment)));
    this.#log.close();
  }

  /** Runs one invocation. As on Lambda, the function's timeout does not include loading the bundle. */
  async #run(environment: Environment, payload: string, requestId: string): Promise<WorkerAnswer> {
    const { name, arn, memoryMegabytes, timeoutSeconds } = this.settings;
    await environment.ready;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
        this.#write(`${errorMessage}\n`);
        void this.#end(environment);
        end({ kind: "error", error: JSON.stringify({ errorType: "Sandbox.Timedout", errorMessage }) });
      }, timeoutSeconds * 1_000);
      const end = (answer: WorkerAnswer) => {
        if (answer.kind === "ready") return;
        clearTimeout(timer);
        environment.settle = undefined;
        resolve(answer);
      };
      environment.settle = end;
      if (environment.isGone) return end(environment.failure ?? exited("the environment ended before the invocation"));
      const request: InvocationRequest = {
        payload,
        remainingMs: timeoutSeconds * 1_000,
        context: {
          awsRequestId: requestId,
          functionName: name,
          functionVersion: "$LATEST",
          invokedFunctionArn: arn,
          memoryLimitInMB: String(memoryMegabytes),
          logGroupName: `/aws/lambda/${name}`,
          logStreamName: "local",
        },
      };
      environment.worker.postMessage(request);
    });
  }

  #acquire(): Promise<Environment> {
    if (this.#stopped) return Promise.resolve(GONE);
    const idle = this.#idle.pop();
    if (idle) {
      clearTimeout(idle.idleTimer);
      return Promise.resolve(idle);
    }
    if (this.#environments.size < this.concurrency) return Promise.resolve(this.#start());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(environment: Environment): void {
    if (environment.isGone) {
      const next = this.#stopped ? undefined : this.#waiting.shift();
      if (next) next(this.#start());
      return;
    }
    const next = this.#waiting.shift();
    if (next) {
      next(environment);
      return;
    }
    this.#idle.push(environment);
    environment.idleTimer = setTimeout(() => {
      if (this.#idle.length > 1) void this.#end(environment);
    }, IDLE_MS).unref();
  }

  #start(): Environment {
    const { file, exportName, cpuShare, environment: env, memoryMegabytes, compileCache } = this.settings;
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      name: this.settings.name,
      workerData: { file, exportName, ...(cpuShare !== undefined && { cpuShare }) } satisfies WorkerSettings,
      // Compiled code of earlier environments halves the time and the memory of a start.
      env: { ...env, NODE_COMPILE_CACHE: compileCache },
      // Plain Node, without options that this process inherited (a test runner's loaders, a debugger).
      execArgv: ["--disable-warning=ExperimentalWarning"],
      // A small young generation: with the default, a burst of twenty environments holds 400 MB more at the same speed.
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes, maxYoungGenerationSizeMb: 8 },
      stdout: true,
      stderr: true,
    });
    const { promise: ready, resolve: becomeReady } = Promise.withResolvers<void>();
    const environment: Environment = {
      worker,
      ready,
      settle: undefined,
      failure: undefined,
      isGone: false,
      idleTimer: undefined,
    };
    this.#environments.add(environment);
    this.#capture(worker);
    const gone = (answer: WorkerAnswer) => {
      environment.isGone = true;
      environment.failure ??= answer;
      this.#forget(environment);
      environment.settle?.(answer);
      becomeReady();
    };
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.kind === "ready") becomeReady();
      else if (answer.kind === "init-failed") {
        this.#write(`${answer.error}\n`);
        gone(answer);
        void worker.terminate();
      } else environment.settle?.(answer);
    });
    worker.on("error", (error: Error & { code?: string }) => {
      this.#write(`${error.stack ?? error}\n`);
      const errorType = error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "Runtime.OutOfMemory" : "Runtime.ExitError";
      gone({ kind: "error", error: JSON.stringify({ errorType, errorMessage: error.message }) });
    });
    worker.on("exit", (code) => gone(exited(`Runtime exited with error: exit status ${code}`)));
    return environment;
  }

  async #end(environment: Environment): Promise<void> {
    environment.isGone = true;
    this.#forget(environment);
    await environment.worker.terminate();
  }

  #forget(environment: Environment): void {
    clearTimeout(environment.idleTimer);
    this.#environments.delete(environment);
    const index = this.#idle.indexOf(environment);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  #capture(worker: Worker): void {
    for (const stream of [worker.stdout, worker.stderr]) {
      let rest = "";
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#readMetrics(line);
        this.#write(text);
      });
    }
  }

  #readMetrics(line: string): void {
    const values = parseMetricLine(line);
    if (values === undefined) return;
    for (const { value, ...metric } of values) this.#putMetric(metric, value);
  }

  #write(text: string): void {
    if (!this.#stopped || this.#environments.size > 0) this.#log.write(text);
  }
}

/** Stands for the environment of an invocation that comes after the stop. */
const GONE = { isGone: true } as Environment;

const exited = (errorMessage: string): WorkerAnswer => ({
  kind: "error",
  error: JSON.stringify({ errorType: "Runtime.ExitError", errorMessage }),
});
