/** Subscriptions: what each gets in words, and the form's texts of one. Pure. */
import type { Subscription, SubscriptionFilter } from "../alerts-model.ts";
import { addressesFrom } from "../parts/texts.ts";
import { listed } from "../words.ts";

/** Kinds of receivers, and what their address is. */
export const KINDS = {
  email: { title: "Mail", endpoint: "Mail address", example: "ops@example.com" },
  sms: { title: "SMS", endpoint: "Phone number", example: "+41791234567" },
  https: { title: "HTTPS", endpoint: "URL", example: "https://example.com/alerts" },
  http: { title: "HTTP", endpoint: "URL", example: "http://10.0.0.7/alerts" },
  sqs: { title: "Queue (SQS)", endpoint: "ARN of the queue", example: "arn:aws:sqs:eu-central-1:123456789012:alerts" },
  lambda: {
    title: "Function (Lambda)",
    endpoint: "ARN of the function",
    example: "arn:aws:lambda:eu-central-1:123456789012:function:alerts",
  },
} as const;
export type Kind = keyof typeof KINDS;

export const TOPICS = {
  alerts: "alerts about monitors",
  system: "messages about the monitoring itself",
} as const;
export const SEVERITIES = {
  critical: "critical: down",
  warning: "warning: degraded",
  info: "info: recovered and the like",
} as const;
export const STATES = { open: "while it lasts", ended: "its end" } as const;

const PARTS: readonly (readonly [keyof SubscriptionFilter, (values: readonly string[]) => string])[] = [
  ["events", (values) => `of ${listed(values)}`],
  ["severities", (values) => `of severity ${listed(values)}`],
  [
    "incidentStates",
    (values) =>
      values.length > 1 ? "" : values[0] === "open" ? "while the incident lasts" : "with which an incident ends",
  ],
  ["tags", (values) => `of monitors with ${values.join(" or ")}`],
  ["monitorIds", (values) => `of ${values.length === 1 ? "one monitor" : `${values.length} monitors`}`],
  ["protocols", (values) => `of ${values.join(" or ")} monitors`],
];

/** What it gets. */
export const filterInWords = ({ topic, filter, status }: Pick<Subscription, "topic" | "filter" | "status">): string => {
  if (topic === "system") return "Messages about the monitoring itself.";
  if (status === "gone") return "Nothing.";
  if (!filter) return status === "pending" ? "Alerts, once it has confirmed." : "All alerts.";
  const parts = PARTS.map(([name, words]) => (filter[name] ? words(filter[name]) : "")).filter(Boolean);
  return `Alerts ${parts.join(", ")}.`;
};

/** Nothing chosen of a field: everything. */
export interface FilterDraft {
  readonly severities: readonly (keyof typeof SEVERITIES)[];
  readonly incidentStates: readonly (keyof typeof STATES)[];
  /** `name=value`, with commas between them. */
  readonly tags: string;
  readonly events: string;
  readonly protocols: string;
  readonly monitorIds: readonly string[];
}

export interface SubscriptionDraft extends FilterDraft {
  readonly topic: keyof typeof TOPICS;
  readonly kind: Kind;
  readonly endpoint: string;
}

export const draftOfFilter = (filter: SubscriptionFilter): FilterDraft => ({
  severities: (filter.severities ?? []) as FilterDraft["severities"],
  incidentStates: filter.incidentStates ?? [],
  tags: filter.tags?.join(", ") ?? "",
  events: filter.events?.join(", ") ?? "",
  protocols: filter.protocols?.join(", ") ?? "",
  monitorIds: filter.monitorIds ?? [],
});

export const EMPTY_SUBSCRIPTION: SubscriptionDraft = {
  ...{ topic: "alerts", kind: "email", endpoint: "" },
  ...draftOfFilter({}),
};

/** What the API takes; undefined: all alerts. */
export const filterFrom = (draft: FilterDraft): SubscriptionFilter | undefined => {
  const values: SubscriptionFilter = {
    severities: draft.severities,
    incidentStates: draft.incidentStates,
    tags: draft.tags
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean),
    events: addressesFrom(draft.events),
    protocols: addressesFrom(draft.protocols),
    monitorIds: draft.monitorIds,
  };
  const chosen = Object.entries(values).filter(([, some]) => some.length > 0);
  return chosen.length > 0 ? Object.fromEntries(chosen) : undefined;
};

/** What the API takes. */
export const bodyOfSubscription = ({ topic, kind, endpoint, ...wanted }: SubscriptionDraft) => {
  const filter = topic === "alerts" ? filterFrom(wanted) : undefined;
  return { topic, kind, endpoint: endpoint.trim(), ...(filter && { filter }) };
};
