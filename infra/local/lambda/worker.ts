/**
 * Lambda execution environment: a worker thread that loads a function's bundle once and then handles one event after
 * another, as Lambda's Node runtime does. Its `process.env` holds only variables of the template and of Lambda.
 */
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { limitCpu } from "./cpu-share.ts";

export interface WorkerSettings {
  /** Absolute path of the bundle, CommonJS. */
  readonly file: string;
  readonly exportName: string;
  /** Share of a processor after the bundle is loaded; Lambda loads it with a whole one. Default 1. */
  readonly cpuShare?: number;
}

export interface InvocationRequest {
  readonly payload: string;
  /** Time until the function's timeout, when the invocation begins. */
  readonly remainingMs: number;
  readonly context: {
    readonly awsRequestId: string;
    readonly functionName: string;
    readonly functionVersion: string;
    readonly invokedFunctionArn: string;
    readonly memoryLimitInMB: string;
    readonly logGroupName: string;
    readonly logStreamName: string;
  };
}

export type WorkerAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "init-failed"; readonly error: string }
  | { readonly kind: "result"; readonly payload: string }
  | { readonly kind: "error"; readonly error: string };

type Handler = (event: unknown, context: unknown) => unknown;

// Node has read it; a function sees the variables of Lambda only.
delete process.env.NODE_COMPILE_CACHE;

const port = parentPort!;
const answer = (message: WorkerAnswer): void => port.postMessage(message);

/** The payload of a failed invocation: `{errorType, errorMessage, trace}`. */
const describe = (error: unknown): string =>
  JSON.stringify(
    error instanceof Error
      ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") }
      : { errorType: typeof error, errorMessage: String(error), trace: [] },
  );

const load = (): Handler => {
  const { file, exportName } = workerData as WorkerSettings;
  const handler = (createRequire(file)(file) as Record<string, unknown>)[exportName];
  if (typeof handler !== "function") throw new TypeError(`${file} has no function named ${exportName}`);
  return handler as Handler;
};

try {
  const handler = load();
  port.on("message", async ({ payload, remainingMs, context }: InvocationRequest) => {
    const deadlineMs = performance.now() + remainingMs;
    try {
      const result = await handler(JSON.parse(payload), {
        ...context,
        callbackWaitsForEmptyEventLoop: true,
        getRemainingTimeInMillis: () => Math.max(0, deadlineMs - performance.now()),
      });
      answer({ kind: "result", payload: JSON.stringify(result) ?? "null" });
    } catch (error) {
      console.error(error instanceof Error ? error.stack : error);
      answer({ kind: "error", error: describe(error) });
    }
  });
  limitCpu((workerData as WorkerSettings).cpuShare ?? 1);
  answer({ kind: "ready" });
} catch (error) {
  answer({ kind: "init-failed", error: describe(error) });
}
