/** Lambda's limits that cannot be raised, with its own errors (Developer Guide, "Lambda quotas"). */
import { AwsError } from "../http-server/aws-error.ts";

/** Payload limits in bytes: 6 MB for synchronous invocations and their responses, 1 MB for asynchronous ones. */
const MAX_SYNCHRONOUS_BYTES = 6 * 1024 * 1024;
const MAX_ASYNCHRONOUS_BYTES = 1024 * 1024;
const MAX_RESPONSE_BYTES = MAX_SYNCHRONOUS_BYTES + 100;
/** Of all variables of a function together, as one JSON object: each quotation mark in a value counts twice. */
export const MAX_ENVIRONMENT_BYTES = 4_096;
/** Lambda's default concurrency quota; a new account has 10 until it asks for more. */
export const ACCOUNT_CONCURRENCY = 1_000;

/** @throws {AwsError} for a payload that Lambda would not take */
export const checkPayload = (text: string, invocationType: string): void => {
  if (!["RequestResponse", "Event", "DryRun"].includes(invocationType)) {
    throw new AwsError("InvalidParameterValueException", `InvocationType ${invocationType} is not known`);
  }
  const limit = invocationType === "Event" ? MAX_ASYNCHRONOUS_BYTES : MAX_SYNCHRONOUS_BYTES;
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) {
    throw new AwsError("RequestTooLargeException", `${bytes} byte payload is too large (limit ${limit} bytes)`, {
      status: 413,
    });
  }
  try {
    JSON.parse(text);
  } catch (error) {
    throw new AwsError(
      "InvalidRequestContentException",
      `Could not parse request body into json: ${(error as Error).message}`,
    );
  }
};

/** @returns Lambda's error for a response that is too large; undefined for any other response */
export const refusalOfResponse = (payload: string): string | undefined => {
  if (Buffer.byteLength(payload) <= MAX_RESPONSE_BYTES) return undefined;
  return JSON.stringify({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
  });
};

/** @throws {AwsError} for variables that Lambda would not take */
export const checkEnvironment = (variables: Readonly<Record<string, string>>): void => {
  const json = JSON.stringify(variables);
  if (Buffer.byteLength(json) <= MAX_ENVIRONMENT_BYTES) return;
  throw new AwsError(
    "InvalidParameterValueException",
    `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${json}`,
  );
};

/** Concurrency limit of all functions of the account together. Invocations beyond it are throttled, not queued. */
export class AccountConcurrency {
  readonly limit: number;
  #running = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** @returns false when no invocation may begin now; after true, `leave` must follow */
  enter(): boolean {
    if (this.#running >= this.limit) return false;
    this.#running += 1;
    return true;
  }

  leave(): void {
    this.#running -= 1;
  }
}

/** @returns Lambda's error for a throttled invocation */
export const throttled = () =>
  new AwsError("TooManyRequestsException", "Rate Exceeded.", {
    status: 429,
    fields: { Reason: "ConcurrentInvocationLimitExceeded" },
  });

export const isThrottled = (error: unknown): boolean =>
  error instanceof AwsError && error.code === "TooManyRequestsException";
