import { AwsError } from "../http-server/aws-error.ts";
import { matchesPattern, type Pattern, parsePattern } from "../lambda/event-pattern.ts";
import { type Attribute, filterable } from "./message.ts";
import { parseDeliveryPolicy } from "./retries.ts";

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly isConfirmed: boolean;
  /** Secret in the confirmation message, which proves that its reader owns the endpoint. */
  readonly token: string;
  readonly createdAtMs: number;
  /** As `SetSubscriptionAttributes` took them: `FilterPolicy`, `RawMessageDelivery`, `RedrivePolicy`, … */
  readonly attributes: Readonly<Record<string, string>>;
}

export type Protocol = "email" | "email-json" | "http" | "https" | "lambda" | "sms" | "sqs";

const invalid = (what: string) => new AwsError("InvalidParameter", `Invalid parameter: ${what}`);

/** Whether the endpoint's owner must confirm; endpoints of other protocols belong to this account. */
export const needsConfirmation = (protocol: Protocol): boolean =>
  ["email", "email-json", "http", "https"].includes(protocol);

const ENDPOINTS: Record<Protocol, RegExp> = {
  email: /^[^\s@]+@[^\s@]+$/,
  "email-json": /^[^\s@]+@[^\s@]+$/,
  http: /^http:\/\/[^\s/]+/,
  https: /^https:\/\/[^\s/]+/,
  lambda: /^arn:aws:lambda:/,
  sms: /^\+?[1-9][\d-]{4,18}$/,
  sqs: /^arn:aws:sqs:/,
};

export const checkEndpoint = (protocol: string, endpoint: string): Protocol => {
  const pattern = ENDPOINTS[protocol as Protocol];
  if (!Object.hasOwn(ENDPOINTS, protocol))
    throw invalid(`Amazon SNS does not support this protocol string: ${protocol}`);
  if (endpoint.length > 2_048 || !pattern.test(endpoint))
    throw invalid(`Endpoint Reason: ${endpoint} is no ${protocol} endpoint`);
  if ((protocol === "http" || protocol === "https") && !URL.canParse(endpoint))
    throw invalid("Endpoint Reason: no URL");
  return protocol as Protocol;
};

const CHECKS: Record<string, (value: string) => void> = {
  FilterPolicy: (value) => checkFilterPolicy(value),
  FilterPolicyScope: (value) => {
    if (value !== "MessageAttributes" && value !== "MessageBody") throw invalid("FilterPolicyScope: Invalid value");
  },
  RawMessageDelivery: (value) => {
    if (!/^(true|false)$/i.test(value)) throw invalid("RawMessageDelivery: must be true or false");
  },
  RedrivePolicy: (value) => {
    if (redriveArn(value) === undefined)
      throw invalid("RedrivePolicy: must have a deadLetterTargetArn that is a queue's ARN");
  },
  DeliveryPolicy: (value) => {
    parseDeliveryPolicy(value);
  },
};

/** @throws {AwsError} for a name or value that SNS refuses. An empty value removes the attribute. */
export const checkAttributeOfSubscription = (name: string, value: string): void => {
  const check = CHECKS[name];
  if (!check) throw invalid("AttributeName");
  if (value !== "") check(value);
};

/** Checks SNS's limits of a filter policy: five keys, no empty list. */
const checkFilterPolicy = (text: string): void => {
  let policy: Pattern;
  try {
    policy = parsePattern(text);
  } catch (error) {
    throw invalid(`FilterPolicy: ${(error as Error).message}`);
  }
  const names = Object.keys(policy);
  if (names.length > 5) throw invalid("FilterPolicy: Filter policy can not have more than 5 keys");
  const empty = names.find((name) => Array.isArray(policy[name]) && (policy[name] as unknown[]).length === 0);
  if (empty !== undefined) throw invalid("FilterPolicy: Empty arrays are not allowed");
};

const redriveArn = (text: string): string | undefined => {
  try {
    const arn: unknown = JSON.parse(text).deadLetterTargetArn;
    return typeof arn === "string" && arn.startsWith("arn:aws:sqs:") ? arn : undefined;
  } catch {
    return undefined;
  }
};

export const deadLetterArn = ({ attributes }: Subscription): string | undefined =>
  attributes.RedrivePolicy === undefined ? undefined : redriveArn(attributes.RedrivePolicy);

export const isRaw = ({ attributes, protocol }: Subscription): boolean =>
  attributes.RawMessageDelivery?.toLowerCase() === "true" && ["http", "https", "sqs"].includes(protocol);

/** Whether what was published matches the subscription's filter policy. */
export const wants = (
  { attributes }: Subscription,
  message: string,
  published: Readonly<Record<string, Attribute>>,
): boolean => {
  if (attributes.FilterPolicy === undefined) return true;
  const policy = JSON.parse(attributes.FilterPolicy) as Pattern;
  if (attributes.FilterPolicyScope !== "MessageBody") {
    return matchesPattern(policy, filterable(published));
  }
  try {
    return matchesPattern(policy, JSON.parse(message));
  } catch {
    return false;
  }
};
