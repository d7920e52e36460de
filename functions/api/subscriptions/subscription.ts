/** Validates subscriptions, and converts filters to SNS filter policies and back. Pure. */
import type { z } from "zod";
import type { FieldError } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import { isMailAddress } from "../../../shared/monitor/mail-address.ts";
import type { Kind, subscriptionFilter, subscriptionInput, Topic } from "../http/schemas.ts";

export type Filter = z.output<typeof subscriptionFilter>;

const isUrl = (scheme: string) => (endpoint: string) =>
  URL.canParse(endpoint) && new URL(endpoint).protocol === scheme && new URL(endpoint).hash === "";

const ENDPOINTS: Record<Kind, { readonly expected: string; readonly accepts: (endpoint: string) => boolean }> = {
  email: { expected: "a mail address", accepts: isMailAddress },
  sms: { expected: "a phone number such as +41791234567", accepts: (endpoint) => /^\+[1-9]\d{6,14}$/.test(endpoint) },
  http: { expected: "a URL that starts with http://", accepts: isUrl("http:") },
  https: { expected: "a URL that starts with https://", accepts: isUrl("https:") },
  sqs: {
    expected: "the ARN of a standard queue",
    accepts: (endpoint) => /^arn:aws[\w-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}$/.test(endpoint),
  },
  lambda: {
    expected: "the ARN of a function",
    accepts: (endpoint) => /^arn:aws[\w-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,64}(:[\w$-]+)?$/.test(endpoint),
  },
};

/** Names of the message attributes of topics `alerts` and `people`, by the filter's field. */
const ATTRIBUTES = {
  events: "event",
  incidentStates: "incidentState",
  severities: "severity",
  tags: "tags",
  monitorIds: "monitorId",
  protocols: "protocol",
} as const satisfies Record<keyof Filter, string>;

/** Limits of SNS: the product of the numbers of values of all attributes, and the number of attributes. */
const MAX_COMBINATIONS = 150;
const MAX_FIELDS = 5;

/** Kinds of receivers that are people, who are told through a topic of their own. */
const FOR_PEOPLE: ReadonlySet<Kind> = new Set(["email", "sms"]);
export const isForPeople = (topic: Topic, kind: Kind) => topic !== "system" && FOR_PEOPLE.has(kind);

/** Validates rules between fields. */
export const subscriptionErrors = ({
  topic,
  kind,
  endpoint,
  filter,
}: z.output<typeof subscriptionInput>): FieldError[] => {
  const errors: FieldError[] = [];
  const { expected, accepts } = ENDPOINTS[kind];
  if (topic === "people" && !isForPeople(topic, kind))
    errors.push({ path: "topic", message: `must be alerts or system for ${kind}: people is for mail and SMS` });
  if (!accepts(endpoint)) errors.push({ path: "endpoint", message: `must be ${expected}, got ${show(endpoint)}` });
  return [...errors, ...filterErrors(topic, filter)];
};

/** Validates a filter. */
export const filterErrors = (topic: Topic, filter: Filter | undefined): FieldError[] => {
  const errors: FieldError[] = [];
  if (filter && topic === "system")
    errors.push({ path: "filter", message: "works for alerts about monitors only: leave it out for system" });
  const combinations = Object.values(filter ?? {}).reduce((product, values) => product * values.length, 1);
  const fields = Object.values(filter ?? {}).filter((values) => values !== undefined).length;
  if (fields > MAX_FIELDS)
    errors.push({ path: "filter", message: `SNS takes at most ${MAX_FIELDS} fields, got ${fields}: use fewer` });
  if (combinations > MAX_COMBINATIONS)
    errors.push({
      path: "filter",
      message: `SNS takes at most ${MAX_COMBINATIONS} combinations of values, got ${combinations}: use fewer, or several subscriptions`,
    });
  return errors;
};

/**
 * Retry policy for HTTP receivers: five retries 5 s apart, then exponential backoff up to a minute, for some 53 minutes
 * in all. SNS allows 3,600 s; its default gives up after three retries 20 s apart.
 */
const HTTP_DELIVERY_POLICY = {
  healthyRetryPolicy: {
    minDelayTarget: 5,
    maxDelayTarget: 60,
    numRetries: 60,
    numMinDelayRetries: 5,
    numMaxDelayRetries: 50,
    backoffFunction: "exponential",
  },
};

/** @returns undefined for kinds whose policy SNS does not let us set */
export const deliveryPolicy = (kind: Kind): object | undefined =>
  kind === "http" || kind === "https" ? HTTP_DELIVERY_POLICY : undefined;

/** @returns undefined for a filter without conditions */
export const filterPolicy = (filter: Filter): Record<string, string[]> | undefined => {
  const policy = Object.entries(filter).flatMap(([name, values]) =>
    values ? [[ATTRIBUTES[name as keyof Filter], values] as const] : [],
  );
  return policy.length > 0 ? Object.fromEntries(policy) : undefined;
};

/** @returns null for a policy without conditions, or one that was not made here */
export const filterOf = (policy: string | undefined): Filter | null => {
  if (!policy) return null;
  const parsed: Record<string, unknown> = JSON.parse(policy);
  const filter = Object.entries(ATTRIBUTES).flatMap(([name, attribute]) =>
    Array.isArray(parsed[attribute]) ? [[name, parsed[attribute]]] : [],
  );
  return filter.length > 0 && filter.length === Object.keys(parsed).length ? Object.fromEntries(filter) : null;
};
