/**
 * The words of Harborlight as types: monitor, outcome, view, status, incident, alert.
 *
 * Moments are ISO 8601 strings in UTC with milliseconds: what the API returns, what the table stores and what sorts
 * as text. Ticks are whole epoch seconds, because they are divided and compared with intervals all the time.
 */

import type { CheckSettings, MonitorSettings } from "./monitor/fields.ts";
import type { Reason } from "./reasons.ts";
import type { Receiver } from "./receiver.ts";

export type { CheckSettings, MonitorSettings };

/** Moment as ISO 8601 in UTC with milliseconds, for example `2026-11-22T10:00:00.000Z`. */
export type Timestamp = string;

/** Check intervals in seconds. Every monitor lives in one of these lanes. */
export const LANES = [10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 21600, 86400] as const;
export type Lane = (typeof LANES)[number];

/** Members a shard holds at most: what one probe invocation checks within the shortest interval. */
export const SHARD_CAPACITY = 250;

/** What a check saw. The order is stored in blocks: append only. */
export const PORT_STATES = [
  "open",
  "closed",
  "filtered",
  "open|filtered",
  "unresolved",
  "mismatch",
  "tls-error",
  "unmeasured",
] as const;
export type PortState = (typeof PORT_STATES)[number];

/** What a check or a view says of a monitor. The order is stored in blocks: append only. */
export const HEALTHS = ["up", "degraded", "down", "unknown"] as const;
export type Health = (typeof HEALTHS)[number];

export type Status = "pending" | Health | "paused" | "maintenance";

/** Readable facts about what answered; its JSON is at most 1 KB. */
export type Evidence = Readonly<Record<string, unknown>>;

/** Milliseconds; a stage that did not take place is absent. */
export interface Timings {
  readonly dnsMs?: number;
  readonly connectMs?: number;
  readonly tlsMs?: number;
  readonly firstByteMs?: number;
  /** Connect for plain TCP, round trip for UDP, the whole exchange for a spoken protocol. */
  readonly latencyMs?: number;
}

export interface Traffic {
  readonly packetsSent?: number;
  readonly packetsReceived?: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** What one check saw from one location. */
export interface Outcome {
  readonly state: PortState;
  /** Stable code; null only when the state is what it should be and nothing is worth saying. */
  readonly reason: Reason | null;
  /** One sentence with value and expectation. */
  readonly message: string;
  /** Judged against the monitor's expectations. `unknown` for `unmeasured` and for silence under the policy `unknown`. */
  readonly health: Health;
  readonly address?: string | undefined;
  readonly timings: Timings;
  readonly traffic: Traffic;
  /** 0 to 100, UDP only. */
  readonly lossPercent?: number | undefined;
  readonly evidence: Evidence;
  /** What identifies the software that answered (version, certificate, host key); never salts, dates or offsets. */
  readonly fingerprint?: string | undefined;
  /** Attempts made, retries included. */
  readonly attempts: number;
  /** Whether the process stalled while the latency was taken: the verdict holds, the latency is not kept. */
  readonly stalled?: boolean | undefined;
}

export const FAMILIES = ["ipv4", "ipv6"] as const;
export type Family = (typeof FAMILIES)[number];

/** What one location believes about a monitor after thresholds. */
export interface View {
  readonly health: Health;
  readonly state: PortState;
  readonly reason: Reason | null;
  readonly message: string;
  readonly evidence: Evidence;
  readonly fingerprint: string | null;
  readonly address: string | null;
  /** When this health began. */
  readonly since: Timestamp;
  /** The tick whose outcome wrote this view; for a spot check the second it ran in. */
  readonly tick: number;
}

/** Where a monitor stands in the schedule, and where it stood. `toTick` is null for the present one. */
export interface Placement {
  readonly shard: string;
  readonly fromTick: number;
  readonly toTick: number | null;
}

/** `closed`: the incident ended without a recovery, because its target is not checked any more. */
export type AlertEvent = "down" | "degraded" | "recovered" | "closed";
export type Severity = "critical" | "warning" | "info";

/** What a check looks at. Another target is another story; how it is looked at (thresholds, lane, locations) is not. */
export type Target = Pick<CheckSettings, "protocol" | "host" | "port">;

/** Which target a monitor has, counted: what happened to another one, or before a pause, is over. */
export interface TargetVersion {
  /** Adds 1 with every other protocol, host or port, and with every pause. */
  readonly version: number;
  readonly changedAt: Timestamp;
  /** Why it was last counted up. */
  readonly reason: "created" | "changed" | "paused";
}

/** Why an incident ended: the port came back, or its target was changed, paused or deleted. */
export type EndReason = "recovered" | "changed" | "paused" | "deleted";

/** One stretch of not-up. */
export interface Incident {
  /** `<monitor id>.<epoch milliseconds of the start>`. */
  readonly id: string;
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | null;
  readonly target: Target;
  /** Version of the target (`TargetVersion`) that it happened to. */
  readonly targetVersion: number;
  /** The worst it has been. */
  readonly severity: "degraded" | "down";
  /** Since when it has been down without being any better; null while it is not down. */
  readonly downSince: Timestamp | null;
  readonly reason: Reason | null;
  readonly message: string;
  readonly evidence: Evidence;
  /** Views by location at the start, or when it became worse. */
  readonly locations: Readonly<Record<string, Pick<View, "health" | "state" | "reason" | "message">>>;
  /** The last event people were told of, and how many alerts the incident has had. */
  readonly announced: AlertEvent | null;
  readonly alertCount: number;
  /** Everybody who was told of it, and so will be told of its end. */
  readonly receivers: readonly Receiver[];
  readonly endReason: EndReason | null;
}

/** One message to people about one change. The JSON that topic `alerts` carries. */
export interface Alert {
  readonly alertId: string;
  readonly event: AlertEvent;
  readonly severity: Severity;
  readonly monitor: {
    readonly id: string;
    readonly name: string;
    readonly protocol: string;
    readonly host: string;
    readonly port: number;
    readonly tags: Readonly<Record<string, string>>;
  };
  readonly status: Status;
  readonly previousStatus: Status;
  readonly reason: Reason | null;
  readonly message: string;
  readonly locations: Incident["locations"];
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | null;
  readonly durationSeconds: number | null;
  readonly incidentId: string;
  /** Whether the incident goes on: what opens and closes a page. */
  readonly incidentState: "open" | "ended";
  readonly endReason: EndReason | null;
  readonly url: string | null;
}

/** What a delivery carries: a message to people, the incident's projection, or news of the monitoring itself. */
export type OutboxContent =
  | { readonly kind: "alert"; readonly alert: Alert }
  | { readonly kind: "incident"; readonly incident: Incident }
  | { readonly kind: "system"; readonly subject: string; readonly message: string };

/** How the delivery to one receiver stands. Delivered ones are removed. */
export interface Delivery {
  readonly attempts: number;
  readonly nextAttemptAt: Timestamp;
  /** A fault of ours kept it from being sent once, and `system` was told. */
  readonly hadFault?: boolean;
}

/**
 * One entry of the outbox inside an item: what to say, and who has not heard it yet (`Receiver` of
 * `receiver.ts`).
 */
export interface PendingAlert {
  readonly content: OutboxContent;
  readonly createdAt: Timestamp;
  /** Grows within an item; a receiver hears of entries in this order, whatever the clocks of their writers said. */
  readonly sequence: number;
  readonly deliveries: Readonly<Record<string, Delivery>>;
}

/** A monitor as stored: settings, how it stands, and what still has to be told. */
export interface Monitor extends MonitorSettings {
  readonly id: string;
  /** Adds 1 with every change of what is checked; such a change clears the views. */
  readonly settingsVersion: number;
  /** Adds 1 with every write of any kind; the guard of all decisions and the ETag. */
  readonly revision: number;
  readonly shard: string;
  readonly placements: readonly Placement[];
  readonly views: Readonly<Record<string, View>>;
  readonly status: Status;
  readonly since: Timestamp;
  readonly incident: Incident | null;
  readonly target: TargetVersion;
  /** When its last incident ended: the next one begins later, so that no two share an id. */
  readonly lastIncidentEndedAt: Timestamp | null;
  /** The outbox, keyed by `alertId` (or `incident#<id>`, `system#<id>`). */
  readonly pendingAlerts: Readonly<Record<string, PendingAlert>>;
  /** Since when the quorum cannot tell; after a grace time the status becomes `unknown`. */
  readonly undecidedSince: Timestamp | null;
  /** When `decide` has to look again without anything having changed. Only decisions set and clear it. */
  readonly nextEvaluationAt: Timestamp | null;
  /**
   * By when somebody must have looked, because something changed: set in the write that changed it, cleared by the
   * decision. Should the stream's record of that write be lost, dispatch finds it.
   */
  readonly lookBy: Timestamp | null;
  /** Since when decisions of this monitor do not settle: a fault of ours, which was told. */
  readonly unsettledSince: Timestamp | null;
  readonly createdAt: Timestamp;
  /** Of the settings. */
  readonly updatedAt: Timestamp;
  /** Of what is checked; views older than this do not exist. */
  readonly settingsChangedAt: Timestamp;
  readonly deletedAt: Timestamp | null;
}

/** Where a location's probe runs: Lambda outside a VPC, Lambda in a VPC, or the one-machine stack. */
export const LOCATION_KINDS = ["public", "vpc", "local"] as const;

/** A place checks run from, as configured at deployment. */
export interface Location {
  readonly name: string;
  readonly region: string;
  readonly kind: (typeof LOCATION_KINDS)[number];
  readonly families: readonly Family[];
  /** Whether AWS lifted its block of outbound TCP 25 here. */
  readonly port25: boolean;
  readonly jobsQueueUrl: string;
  readonly probeFunctionName: string;
}

/** What is known of a location's own health. */
export interface LocationHealth {
  readonly name: string;
  readonly lastHeartbeatAt: Timestamp | null;
  /** Since when dispatch has been asking for heartbeats without a break. */
  readonly askingSince: Timestamp | null;
  /** Set while its own control targets fail. */
  readonly offlineSince: Timestamp | null;
  /** When it last came back from silence, or found its control targets again; null when it was never away. */
  readonly backSince: Timestamp | null;
  /** Shards that are, or lately were, not checked from here although heartbeats came. */
  readonly stalled: Readonly<Record<string, Stall>>;
}

/** A shard without fresh blocks from a location that works. */
export interface Stall {
  /** When it was noticed. */
  readonly since: Timestamp;
  /** The tick of the first block that was seen again; null while there is none. */
  readonly backSince: Timestamp | null;
}

/** Whether a location's views can be used. */
export type LocationCondition = "working" | "silent" | "offline";

/**
 * Whether one monitor's view of a location can be used. `stalled`: its shard is not checked though the location works;
 * `unproven`: the location is back, and no tick since then has confirmed what it believed before.
 */
export type ViewCondition = LocationCondition | "stalled" | "unproven";

/** What people are told of a location. `removed`: it had heartbeats once, and is not configured any more. */
export type LocationNews = LocationCondition | "removed";

/** The key of an item that has a timer: a monitor, or a location's state. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** An item's own timer: the `nextEvaluationAt` that it had when the timer was read or set. */
export interface Timer extends ItemKey {
  readonly dueAt: Timestamp;
}

/** What the queue of a location carries. */
export type Job =
  | { readonly kind: "tick"; readonly shards: readonly string[]; readonly tick: number }
  | { readonly kind: "touch"; readonly timers: readonly Timer[] }
  | { readonly kind: "heartbeat"; readonly at: number }
  | { readonly kind: "spot"; readonly monitors: readonly Pick<Monitor, "id" | "settingsVersion">[] };

/** A job for the queue of a location. */
export interface PlannedJob {
  readonly location: string;
  readonly job: Job;
  /** Epoch seconds; it waits in its queue until then. A moment that has passed: at once. */
  readonly dueAtSeconds: number;
}
