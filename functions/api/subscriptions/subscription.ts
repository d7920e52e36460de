/** Pure: what a receiver must look like, and our filters as SNS filter policies and back. */
import type { z } from "zod";
import type { FieldError } from "../../../shared/errors.ts";
import { show } from "../../../shared/issues.ts";
import { isMailAddress } from "../../../shared/monitor/mail-address.ts";
import type { Kind, subscriptionFilter, subscriptionInput } from "../http/schemas.ts";

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

/** Message attributes of topic `alerts`, by our names. */
const ATTRIBUTES = {
  events: "event",
  incidentStates: "incidentState",
  severities: "severity",
  tags: "tags",
  monitorIds: "monitorId",
  protocols: "protocol",
} as const satisfies Record<keyof Filter, string>;

/** SNS multiplies the numbers of values of all attributes and takes at most this. */
const MAX_COMBINATIONS = 150;

/** Rules between fields that are right by themselves. */
export const subscriptionErrors = ({
  topic,
  kind,
  endpoint,
  filter,
}: z.output<typeof subscriptionInput>): FieldError[] => {
  const errors: FieldError[] = [];
  const { expected, accepts } = ENDPOINTS[kind];
  if (!accepts(endpoint)) errors.push({ path: "endpoint", message: `must be ${expected}, got ${show(endpoint)}` });
  if (filter && topic === "system")
    errors.push({ path: "filter", message: "works with the topic alerts only: leave it out for system" });
  const combinations = Object.values(filter ?? {}).reduce((product, values) => product * values.length, 1);
  if (combinations > MAX_COMBINATIONS)
    errors.push({
      path: "filter",
      message: `SNS takes at most ${MAX_COMBINATIONS} combinations of values, got ${combinations}: use fewer, or several subscriptions`,
    });
  return errors;
};

/**
 * How SNS tries an HTTP receiver again: five times 5 s apart, then ever less often down to once a minute, for some 53
 * minutes. Without a policy SNS gives up after three tries 20 s apart; all delays together may be 3,600 s.
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

/** @returns undefined for receivers whose policy SNS alone sets */
export const deliveryPolicy = (kind: Kind): object | undefined =>
  kind === "http" || kind === "https" ? HTTP_DELIVERY_POLICY : undefined;

/** @returns undefined for a filter that lets everything through */
export const filterPolicy = (filter: Filter): Record<string, string[]> | undefined => {
  const policy = Object.entries(filter).flatMap(([name, values]) =>
    values ? [[ATTRIBUTES[name as keyof Filter], values] as const] : [],
  );
  return policy.length > 0 ? Object.fromEntries(policy) : undefined;
};

/** @returns null for a policy that lets everything through, or was not made here */
export const filterOf = (policy: string | undefined): Filter | null => {
  if (!policy) return null;
  const parsed: Record<string, unknown> = JSON.parse(policy);
  const filter = Object.entries(ATTRIBUTES).flatMap(([name, attribute]) =>
    Array.isArray(parsed[attribute]) ? [[name, parsed[attribute]]] : [],
  );
  return filter.length > 0 && filter.length === Object.keys(parsed).length ? Object.fromEntries(filter) : null;
};
