/** What the page reads of the API's answers about alerts: policies, channels, subscriptions, maintenance. */
import type { Tags } from "./model.ts";

export interface PolicyStep {
  readonly afterSeconds: number;
  readonly channels: readonly string[];
  readonly emails: readonly string[];
}
export type Trouble = "critical" | "warning";

/** `GET /v1/policies/{id}` */
export interface Policy {
  readonly id: string;
  readonly name: string;
  readonly match: { readonly tags?: Tags; readonly events?: readonly string[] } | null;
  readonly severities: readonly Trouble[];
  readonly steps: readonly PolicyStep[];
  readonly remindEverySeconds: number | null;
  readonly remindAtMost: number;
  readonly until: "acknowledged" | "recovered";
  readonly timeZone: string;
  readonly updatedAt: string;
}

/** A row of `GET /v1/monitors/{id}/receivers`. */
export interface Hearer {
  readonly receiver: string;
  readonly severities: readonly Trouble[];
  readonly afterSeconds: number;
  readonly policy: { readonly id: string; readonly name: string; readonly by: "name" | "tags" } | null;
}

/** `GET /v1/channels/{id}` */
export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly updatedAt: string;
}

/** A row of `GET /v1/channels/{id}/deliveries`. */
export interface Delivery {
  readonly alertId: string;
  readonly event: string;
  readonly monitor: { readonly id: string; readonly name: string };
  readonly incidentId: string;
  readonly createdAt: string;
  readonly state: "waiting" | "sent" | "undeliverable";
  readonly attempts: number;
  readonly attemptedAt: string | null;
  readonly nextAttemptAt: string | null;
  readonly answer: string | null;
  readonly digest: string | null;
}

export interface SubscriptionFilter {
  readonly events?: readonly string[];
  readonly incidentStates?: readonly ("open" | "ended")[];
  readonly severities?: readonly string[];
  readonly tags?: readonly string[];
  readonly monitorIds?: readonly string[];
  readonly protocols?: readonly string[];
}

/** A row of `GET /v1/subscriptions`. */
export interface Subscription {
  readonly id: string | null;
  readonly topic: "alerts" | "people" | "system";
  readonly kind: string;
  readonly endpoint: string;
  /** Null: everything, or not known yet. */
  readonly filter: SubscriptionFilter | null;
  readonly status: "pending" | "confirmed" | "gone";
}

export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

interface Recurring {
  readonly timeZone: string;
  readonly durationSeconds: number;
}
export type Schedule =
  | { readonly kind: "once"; readonly startsAt: string; readonly endsAt: string }
  | ({ readonly kind: "daily"; readonly at: string } & Recurring)
  | ({ readonly kind: "weekly"; readonly at: string; readonly days: readonly Weekday[] } & Recurring)
  | ({ readonly kind: "monthly"; readonly at: string; readonly days: readonly (number | "last")[] } & Recurring)
  | ({ readonly kind: "cron"; readonly pattern: string } & Recurring);

export interface Occurrence {
  readonly startsAt: string;
  readonly endsAt: string;
}

/** `GET /v1/maintenance-windows/{id}` */
export interface MaintenanceWindow {
  readonly id: string;
  readonly name: string;
  readonly all: boolean;
  readonly monitorIds: readonly string[];
  readonly tags: Tags;
  readonly schedule: Schedule;
  readonly active: Occurrence | null;
  readonly next: readonly Occurrence[];
  readonly updatedAt: string;
}
