/** What the page reads of the API's answers (the OpenAPI document describes them whole). */
import type { Scope } from "../../../shared/tokens.ts";
import type { Policy } from "./alerts-model.ts";

export const STATUSES = ["down", "degraded", "unknown", "pending", "maintenance", "up", "paused"] as const;
export type Status = (typeof STATUSES)[number];
export type Tags = Readonly<Record<string, string>>;

/** `GET /v1/session` */
export interface Session {
  readonly id: string | null;
  readonly name: string;
  readonly tokenId: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: string | null;
  readonly version: string;
  readonly locations: readonly { readonly name: string }[];
}

/** An item of `GET /v1/locations`. */
export interface Location {
  readonly name: string;
  readonly kind: string;
  readonly region: string;
  readonly families: readonly string[];
  readonly port25: boolean;
  readonly condition: "working" | "silent" | "offline";
  readonly lastHeartbeatAt: string | null;
  readonly silentSince: string | null;
  readonly offlineSince: string | null;
  readonly lateTicks: readonly unknown[];
}

/** A row of `GET /v1/overview`. */
export interface Row {
  readonly id: string;
  readonly revision: number;
  readonly name: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly tags: Tags;
  readonly intervalSeconds: number;
  readonly status: Status;
  readonly since: string;
  readonly state: string | null;
  readonly reason: string | null;
  readonly message: string;
  /** Absent with `since`. */
  readonly latencyMs?: number | null;
  readonly uptimePercent: number | null;
  /** Null: people are told of trouble. */
  readonly maintenanceUntil: string | null;
  /** A letter for each step, see `shared/drawing/bars.ts`. */
  readonly bars: string;
  /** By number of the bar. */
  readonly downSeconds: Readonly<Record<string, number>>;
}

export type BarStep = "1h" | "6h" | "1d";

/** `GET /v1/overview` */
export interface Overview {
  readonly at: string;
  readonly changes: string;
  readonly counts: Readonly<Partial<Record<Status, number>>> | null;
  readonly bars: { readonly from: string; readonly step: BarStep; readonly count: number };
  readonly removed: readonly string[];
  readonly nextCursor: string | null;
  readonly items: readonly Row[];
}

export interface View {
  readonly health: "up" | "degraded" | "down" | "unknown";
  readonly state: string;
  readonly since: string;
  readonly reason: string | null;
  readonly message: string;
  readonly address: string | null;
  readonly evidence: Readonly<Record<string, unknown>>;
  /** What the service says of itself. */
  readonly facts: Readonly<Record<string, readonly string[]>>;
}

/** Marks of flap detection. */
export interface Flapping {
  readonly highPercent: number;
  readonly lowPercent: number;
}

/** `GET /v1/monitors/{id}` */
export interface Monitor {
  readonly id: string;
  readonly name: string;
  readonly key: string | null;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly tags: Tags;
  readonly paused: boolean;
  readonly status: Status;
  readonly since: string;
  readonly intervalSeconds: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly failureThreshold: number;
  readonly recoveryThreshold: number;
  readonly quorum: string | number;
  readonly alerts: Pick<Policy, "steps" | "remindEverySeconds" | "remindAtMost" | "until"> & {
    readonly afterSeconds: number;
    readonly emails: readonly string[];
    readonly policies: readonly string[];
  };
  readonly flapping: Flapping | null;
  /** Ids of the monitors without which it cannot be up. */
  readonly dependsOn: readonly string[];
  readonly maintenanceCountsAsDowntime: boolean;
  /** For `If-Match`. */
  readonly etag: string;
  readonly updatedAt: string;
  readonly updatedBy: { readonly name: string } | null;
  readonly lastCheckedAt: string | null;
  readonly latencyMs: number | null;
  readonly degradedAboveMs: number | null;
  readonly errorRate: { readonly percentAbove: number } | null;
  readonly timeToAlertSeconds: number;
  readonly locations: readonly string[];
  /** The maintenance window that it is in: nobody is told of trouble. */
  readonly maintenance: { readonly windowId: string; readonly until: string } | null;
  readonly flappingSince: string | null;
  readonly reachesNobody: boolean | null;
  readonly views: Readonly<Record<string, View>>;
  readonly incident: Incident | null;
}

/** Monitors that sweep many ports have none of their own. */
export const isSwept = ({ port }: Pick<Monitor, "port">) => port === 0;

export interface Incident {
  readonly id: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationSeconds: number | null;
  readonly severity: "down" | "degraded";
  readonly reason: string | null;
  readonly message: string;
  readonly endReason: string | null;
  /** Incidents of what the monitor depends on: while they last, nobody is told. */
  readonly heldBy: readonly { readonly monitorId: string; readonly incidentId: string }[];
  /** Who has taken it on; null while nobody has. */
  readonly acknowledged: { readonly at: string; readonly by: string; readonly note: string | null } | null;
}

export interface Figures {
  readonly from: string;
  readonly to: string;
  readonly checks: number;
  readonly uptimePercent: number | null;
  readonly seconds: Readonly<
    Record<"up" | "degraded" | "down" | "unknown" | "paused" | "maintenance" | "noData", number>
  >;
  readonly latencyMs: {
    readonly mean: number;
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
  } | null;
}

/** `GET /v1/monitors/{id}/stats` */
export interface Stats {
  readonly total: Figures & {
    /** Absent where one location is asked for: outages are the monitor's. */
    readonly outages?: number;
    readonly mttrSeconds?: number | null;
    readonly longestOutageSeconds?: number | null;
  };
  readonly items: readonly Figures[];
  /** With `by=location`. */
  readonly series?: readonly { readonly location: string; readonly items: readonly Figures[] }[];
}

export interface Result {
  readonly at: string;
  readonly location: string;
  readonly state: string;
  readonly health: View["health"];
  readonly reason: string | null;
  readonly latencyMs: number | null;
  readonly lossPercent: number | null;
  readonly offline: boolean;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}
