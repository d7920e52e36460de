/**
 * The words of Harborlight as types: monitor, outcome, view, status, incident, alert.
 *
 * Moments are ISO 8601 strings in UTC with milliseconds: what the API returns, what the table stores and what sorts
 * as text. Ticks are whole epoch seconds, because they are divided and compared with intervals all the time.
 */
import type { JudgedPoll } from "./contract/poll.ts";
import type { Interval } from "./measures/counters.ts";
import type { CheckSettings, MonitorSettings } from "./monitor/fields.ts";
import type { Reason } from "./reasons.ts";
import type { Receiver } from "./receiver.ts";
import type { Baseline, RecordedChange } from "./rules/changes.ts";
import type { Sightings } from "./rules/facts.ts";
import type { FlapState } from "./rules/flapping.ts";
import type { Told } from "./rules/telling.ts";
import type { PageNews } from "./status-page/news.ts";
import type { SystemEvent, SystemMessage } from "./system-events.ts";

export type { CheckSettings, MonitorSettings };

/** Moment as ISO 8601 in UTC with milliseconds, for example `2026-11-22T10:00:00.000Z`. */
export type Timestamp = string;

/** Check intervals in seconds. Every monitor lives in one of these lanes. */
export const LANES = [10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 21600, 86400] as const;
export type Lane = (typeof LANES)[number];

/** Most members of a shard: as many as one probe invocation can check within the shortest interval. */
export const SHARD_CAPACITY = 250;

/** State of a port as one check found it. The index is stored in blocks: append only. */
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

/** Judgement of a check or a view. The index is stored in blocks: append only. */
export const HEALTHS = ["up", "degraded", "down", "unknown"] as const;
export type Health = (typeof HEALTHS)[number];

export type Status = "pending" | Health | "paused" | "maintenance";

/** Facts about what answered, for people; at most 1 KB of JSON. */
export type Evidence = Readonly<Record<string, unknown>>;

/**
 * What a service says of itself, by key such as `ssh.hostKey.ssh-ed25519`: a value that is not known yet is a change that people
 * may want to hear of. At most 40, and 1 KB of JSON.
 */
export type Facts = Readonly<Record<string, string>>;

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

/** Result of one check from one location. */
export interface Outcome {
  readonly state: PortState;
  /** Stable code; null only if the check succeeded and there is nothing to note. */
  readonly reason: Reason | null;
  /** One sentence: what was found and what was expected. */
  readonly message: string;
  /** Judged against the monitor's expectations. `unknown` for `unmeasured` and for silence under the policy `unknown`. */
  readonly health: Health;
  readonly address?: string | undefined;
  readonly timings: Timings;
  readonly traffic: Traffic;
  /** 0 to 100, UDP only. */
  readonly lossPercent?: number | undefined;
  readonly evidence: Evidence;
  /** Absent where nothing answered, or nothing that has facts. */
  readonly facts?: Facts | undefined;
  /** Counters that the check read, where its protocol reads them. */
  readonly poll?: JudgedPoll | undefined;
  /** What went over each interface lately, oldest first, where that is compared with its usual range. */
  readonly intervals?: ReadonlyMap<string, readonly Interval[]> | undefined;
  /** Whether each new fact was looked at several times, as sweeps do: it counts at once. */
  readonly isConfirmed?: boolean | undefined;
  /** Attempts made, retries included. */
  readonly attempts: number;
  /** Whether the event loop stalled during the measurement: the health counts, the latency is dropped. */
  readonly stalled?: boolean | undefined;
}

export const FAMILIES = ["ipv4", "ipv6"] as const;
export type Family = (typeof FAMILIES)[number];

/** The state of a monitor as one location sees it, after thresholds. */
export interface View {
  readonly health: Health;
  readonly state: PortState;
  readonly reason: Reason | null;
  readonly message: string;
  readonly evidence: Evidence;
  /** What the service has said of itself; null where nothing that has facts has answered. Absent in views of earlier versions. */
  readonly facts?: Sightings | null;
  readonly address: string | null;
  /** When this health began. */
  readonly since: Timestamp;
  /** The tick whose outcome wrote this view; for a spot check the second it ran in. */
  readonly tick: number;
}

/** A shard that a monitor is or was in. `toTick` is null for the present placement. */
export interface Placement {
  readonly shard: string;
  readonly fromTick: number;
  readonly toTick: number | null;
}

/**
 * `closed`: the incident ended without a recovery, because its target is not checked any more. `escalated`: others were told
 * of this level before. `reminder`: it goes on. `acknowledged`: somebody is at work on it. `flapping-started`:
 * the status changes so often that nothing else is told until `flapping-stopped`. `minority`: fewer locations see it down than the quorum asks. `changed`: the service
 * says something else of itself than before, until `change-accepted` or `change-reverted`. `baseline-learned`: which ports the first sweep found open.
 */
export const ALERT_EVENTS = [
  "down",
  "degraded",
  "recovered",
  "closed",
  "escalated",
  "reminder",
  "acknowledged",
  "flapping-started",
  "flapping-stopped",
  "minority",
  "minority-ended",
  "changed",
  "change-accepted",
  "change-reverted",
  "baseline-learned",
] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];
export type NotUp = "degraded" | "down";
export type Severity = "critical" | "warning" | "info";

/** What a monitor checks. A changed target ends its incident; changed thresholds, interval or locations do not. */
export type Target = Pick<CheckSettings, "protocol" | "host" | "port">;

/** Version of a monitor's target. An incident of an earlier version is over. */
export interface TargetVersion {
  /** Incremented when protocol, host or port change, and when the monitor is paused. */
  readonly version: number;
  readonly changedAt: Timestamp;
  /** Why it was last incremented. */
  readonly reason: "created" | "changed" | "paused";
}

/** Why an incident ended: the target recovered, or the monitor was changed, paused or deleted. */
export type EndReason = "recovered" | "changed" | "paused" | "deleted";

/**
 * The beginning of a stretch of one status, which lasts until the next one begins. `deleted` ends the last one.
 */
export interface StretchStart {
  readonly status: Status | "deleted";
  readonly since: Timestamp;
}

/** Somebody has taken on an incident. */
export interface Acknowledgement {
  readonly at: Timestamp;
  /** Name of the token or of the receiver whose link was used. */
  readonly by: string;
  readonly note: string | null;
  /** How bad it was: what becomes worse is told again. */
  readonly severity: NotUp;
  /** Whether those who were told of the incident were told of this. */
  readonly isAnnounced: boolean;
}

/** A monitor that is down, and because of which alerts about another one are held back. */
export interface HeldBy {
  readonly monitorId: string;
  /** Start of its incident. */
  readonly startedAt: Timestamp;
}

/** A period in which a monitor was not up. */
export interface Incident {
  /** `<monitor id>.<epoch milliseconds of the start>`. */
  readonly id: string;
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | null;
  readonly target: Target;
  /** Version of the target (`TargetVersion`) when it began. */
  readonly targetVersion: number;
  /** Worst status so far. */
  readonly severity: NotUp;
  /** Start of the present down phase; null while it is not down. */
  readonly downSince: Timestamp | null;
  readonly reason: Reason | null;
  readonly message: string;
  readonly evidence: Evidence;
  /** Views by location when it began or became worse. */
  readonly locations: Readonly<Record<string, Pick<View, "health" | "state" | "reason" | "message">>>;
  /** The last level or end that was alerted; reminders and the like leave it. */
  readonly announced: "down" | "degraded" | "recovered" | "closed" | null;
  readonly alertCount: number;
  /** What each receiver of its alerts was told; all of them also get the alert about its end. */
  readonly told: Readonly<Partial<Record<Receiver, Told>>>;
  readonly acknowledged: Acknowledgement | null;
  /** What holds its alerts back, as the monitor depends on it; absent where nothing does. */
  readonly heldBy?: readonly HeldBy[];
  readonly endReason: EndReason | null;
}

/** A message to people about one change; topic `alerts` carries it as JSON. */
export interface Alert {
  readonly alertId: string;
  readonly event: AlertEvent | SystemEvent;
  readonly severity: Severity;
  /** First line of an alert about the monitoring itself; there is none in those about monitors. */
  readonly subject?: string;
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
  /** Whether the incident is still open; lets a paging service open and close its incident. */
  readonly incidentState: "open" | "ended";
  readonly endReason: EndReason | null;
  readonly url: string | null;
  /** Monitors that depend on it and of which nobody was told because of this incident; in reminders and recoveries, if there are any. */
  readonly held?: { readonly count: number; readonly names: readonly string[] };
  /** What it is about, if it is about changes of what the service says of itself. */
  readonly changes?: readonly {
    readonly changeId: string;
    readonly key: string;
    readonly from: readonly string[];
    readonly to: string;
  }[];
  /** What subscribers of a status page are told, in place of all else here; alerts about monitors have none. */
  readonly page?: PageNews;
  /** IANA zone in which people are told times: that of the first policy which takes the monitor. Default UTC. */
  readonly timeZone?: string;
}

/**
 * Content of a delivery: an alert, a copy of the incident for its own item, a stretch of status for the history, or a
 * message about the monitoring itself.
 */
export type OutboxContent =
  | { readonly kind: "alert"; readonly alert: Alert }
  | { readonly kind: "incident"; readonly incident: Incident }
  | { readonly kind: "status"; readonly stretch: StretchStart }
  | { readonly kind: "change"; readonly change: RecordedChange }
  | ({ readonly kind: "system" } & SystemMessage);

/** State of a delivery to one receiver. Removed once delivered. */
export interface Delivery {
  readonly attempts: number;
  readonly nextAttemptAt: Timestamp;
}

/** One entry of an item's outbox: the content, and the deliveries still to be made, by receiver (`receiver.ts`). */
export interface PendingAlert {
  readonly content: OutboxContent;
  readonly createdAt: Timestamp;
  /** Increases within an item. Receivers get entries in this order, independent of clocks. */
  readonly sequence: number;
  readonly deliveries: Readonly<Record<string, Delivery>>;
}

/** A stored monitor: settings, state and outbox. */
export interface Monitor extends MonitorSettings {
  readonly id: string;
  /** Incremented with every change of what is checked; such a change clears the views. */
  readonly settingsVersion: number;
  /** Incremented with every write; the optimistic lock of decisions. (The ETag is made of `updatedAt`.) */
  readonly revision: number;
  readonly shard: string;
  readonly placements: readonly Placement[];
  readonly views: Readonly<Record<string, View>>;
  readonly status: Status;
  readonly since: Timestamp;
  readonly incident: Incident | null;
  readonly target: TargetVersion;
  /** Null where flap detection is off, and until the status changes. */
  readonly flapState: FlapState | null;
  /** The advisory that people were told of (`rules/minority.ts`): like an incident, without an item of its own. Null: none is open. */
  readonly minority: Incident | null;
  /** What its service is expected to say of itself (`rules/changes.ts`). Null: nothing is known, or changes are not watched. */
  readonly baseline: Baseline | null;
  /** When its last incident ended; the next one begins later, so that their ids differ. */
  readonly lastIncidentEndedAt: Timestamp | null;
  /** The stretch of status that was recorded last (`rules/stretch.ts`); null in items of earlier versions. */
  readonly lastStretch: StretchStart | null;
  /** The outbox, keyed by `alertId` (or `incident#<id>`, `status#<since>#<status>`, `system#<id>`). */
  readonly pendingAlerts: Readonly<Record<string, PendingAlert>>;
  /** Since when the views have proved no status; after a grace period it becomes `unknown`. */
  readonly undecidedSince: Timestamp | null;
  /** When `decide` must run again even if nothing changes. Only decisions set and clear it. */
  readonly nextEvaluationAt: Timestamp | null;
  /**
   * Watchdog: by when a change must have been processed. Set by the write that makes the change, cleared by the
   * decision. If the stream's record of that write is lost, dispatch finds the item by it.
   */
  readonly lookBy: Timestamp | null;
  /** Since when decisions about this monitor have not converged (a bug of ours, which topic `system` was told). */
  readonly unsettledSince: Timestamp | null;
  readonly createdAt: Timestamp;
  /** When the settings last changed. */
  readonly updatedAt: Timestamp;
  /** When what is checked last changed; there are no older views. */
  readonly settingsChangedAt: Timestamp;
  readonly deletedAt: Timestamp | null;
}

/** Where a location's probe runs: Lambda outside a VPC, Lambda in a VPC, or the one-machine stack. */
export const LOCATION_KINDS = ["public", "vpc", "local"] as const;

/** A location that checks run from, as configured at deployment. */
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

/** Health of a location. */
export interface LocationHealth {
  readonly name: string;
  readonly lastHeartbeatAt: Timestamp | null;
  /** Since when dispatch has been requesting heartbeats without a break. */
  readonly askingSince: Timestamp | null;
  /** Set while its own control targets fail. */
  readonly offlineSince: Timestamp | null;
  /** When it last returned from being silent or offline; null if it never was. */
  readonly backSince: Timestamp | null;
  /** Shards that are or recently were not checked from here although heartbeats came. */
  readonly stalled: Readonly<Record<string, Stall>>;
}

/** A shard without fresh blocks from a location that works. */
export interface Stall {
  /** When it was detected. */
  readonly since: Timestamp;
  /** Tick of the first block after the stall; null while it lasts. */
  readonly backSince: Timestamp | null;
}

/** Whether a location's views can be used. */
export type LocationCondition = "working" | "silent" | "offline";

/**
 * Whether a monitor's view from a location can be used. `stalled`: its shard is not checked although the location
 * works; `unproven`: the location is back, and no tick since then has confirmed the view. `doubtful`: it is old, and no recent
 * tick has confirmed it; it counts, but nobody is told of it alone.
 */
export type ViewCondition = LocationCondition | "stalled" | "unproven" | "doubtful";

/** Condition of a location in messages to the operator. `removed`: it is no longer configured. */
export type LocationNews = LocationCondition | "removed";

/** Key of an item in table `monitors`. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}
