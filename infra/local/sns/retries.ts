/**
 * SNS's retries of failed deliveries (SNS Developer Guide, "Message delivery retries"): four phases, which a delivery
 * policy sets for HTTP subscribers, and SNS for all others. Without SNS's jitter.
 */
import { AwsError } from "../http-server/aws-error.ts";
import type { Protocol, Subscription } from "./subscription.ts";

/** `healthyRetryPolicy` of a subscription's `DeliveryPolicy`; delays in seconds. */
export interface RetryPolicy {
  readonly minDelayTarget: number;
  readonly maxDelayTarget: number;
  /** Retries of all four phases together; those that the other three do not take are the backoff phase. */
  readonly numRetries: number;
  readonly numNoDelayRetries: number;
  readonly numMinDelayRetries: number;
  readonly numMaxDelayRetries: number;
  readonly backoffFunction: "linear" | "exponential";
}

const HTTP: RetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  numMaxDelayRetries: 0,
  backoffFunction: "linear",
};
/** Mailboxes and phones: 50 attempts over six hours. */
const CUSTOMER: RetryPolicy = {
  minDelayTarget: 10,
  maxDelayTarget: 600,
  numRetries: 50,
  numNoDelayRetries: 0,
  numMinDelayRetries: 2,
  numMaxDelayRetries: 38,
  backoffFunction: "exponential",
};
/** Queues and functions: 100,015 attempts over 23 days. */
const AWS: RetryPolicy = {
  minDelayTarget: 1,
  maxDelayTarget: 20,
  numRetries: 100_015,
  numNoDelayRetries: 3,
  numMinDelayRetries: 2,
  numMaxDelayRetries: 100_000,
  backoffFunction: "exponential",
};
const POLICIES: Record<Protocol, RetryPolicy> = {
  http: HTTP,
  https: HTTP,
  email: CUSTOMER,
  "email-json": CUSTOMER,
  sms: CUSTOMER,
  lambda: AWS,
  sqs: AWS,
};

const MAX_RETRIES = 100;
/** Hard limits of SNS, for one delay and for all of them together. */
const MAX_SECONDS = 3_600;

export const retryPolicy = ({ protocol, attributes }: Pick<Subscription, "protocol" | "attributes">): RetryPolicy =>
  attributes.DeliveryPolicy === undefined || POLICIES[protocol] !== HTTP
    ? POLICIES[protocol]
    : parseDeliveryPolicy(attributes.DeliveryPolicy);

/** @returns seconds until the next attempt, or undefined when it was the last */
export const retryDelay = (policy: RetryPolicy, failedAttempts: number): number | undefined => {
  const { minDelayTarget: min, maxDelayTarget: max, numRetries, numNoDelayRetries, numMinDelayRetries } = policy;
  const retry = failedAttempts - 1;
  if (retry >= numRetries) return undefined;
  if (retry < numNoDelayRetries) return 0;
  const step = retry - numNoDelayRetries - numMinDelayRetries;
  if (step < 0) return min;
  const steps = numRetries - numNoDelayRetries - numMinDelayRetries - policy.numMaxDelayRetries;
  if (step >= steps) return max;
  const share = steps === 1 ? 0 : step / (steps - 1);
  return policy.backoffFunction === "linear" ? min + (max - min) * share : min * (max / min) ** share;
};

const totalSeconds = (policy: RetryPolicy): number =>
  Array.from({ length: policy.numRetries }, (_, index) => retryDelay(policy, index + 1)!).reduce(
    (sum, seconds) => sum + seconds,
    0,
  );

const invalid = (what: string) => new AwsError("InvalidParameter", `Invalid parameter: DeliveryPolicy: ${what}`);

/**
 * Reads a subscription's `DeliveryPolicy`; members that are left out have SNS's defaults.
 * @throws {AwsError} for what SNS refuses, and for what is not supported here: throttling, another content type, and the
 * backoff functions that SNS names without saying how it computes them.
 */
export const parseDeliveryPolicy = (text: string): RetryPolicy => {
  let given: { healthyRetryPolicy?: Partial<RetryPolicy> } | null;
  try {
    given = JSON.parse(text);
  } catch {
    throw invalid("failed to parse JSON");
  }
  if (given === null || typeof given !== "object") throw invalid("must be a JSON object");
  const other = Object.keys(given).find((name) => name !== "healthyRetryPolicy");
  if (other !== undefined) throw invalid(`${other} is not supported on one machine`);
  const own = given.healthyRetryPolicy ?? {};
  const unknown = Object.keys(own).find((name) => !Object.hasOwn(HTTP, name));
  if (unknown !== undefined) throw invalid(`healthyRetryPolicy: unknown member ${unknown}`);
  const policy = { ...HTTP, ...own };
  check(policy);
  return policy;
};

const check = (policy: RetryPolicy): void => {
  const { backoffFunction, minDelayTarget, maxDelayTarget, numRetries, ...phases } = policy;
  const isWithin = (value: number, from: number, to: number) => Number.isInteger(value) && value >= from && value <= to;
  if (backoffFunction !== "linear" && backoffFunction !== "exponential")
    throw invalid(`backoffFunction must be linear or exponential on one machine, got ${String(backoffFunction)}`);
  if (!isWithin(maxDelayTarget, 1, MAX_SECONDS)) throw invalid("maxDelayTarget must be from 1 to 3600");
  if (!isWithin(minDelayTarget, 1, maxDelayTarget)) throw invalid("minDelayTarget must be from 1 to maxDelayTarget");
  if (!isWithin(numRetries, 0, MAX_RETRIES)) throw invalid("numRetries must be from 0 to 100");
  const sum = Object.entries(phases).reduce((total, [name, count]) => {
    if (!isWithin(count, 0, numRetries)) throw invalid(`${name} must be from 0 to numRetries`);
    return total + count;
  }, 0);
  if (sum > numRetries) throw invalid("the retries of the phases are more than numRetries");
  if (totalSeconds(policy) > MAX_SECONDS) throw invalid("Total policy retry time cannot be greater than 3600 seconds");
};
