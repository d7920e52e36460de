/**
 * A scenario: everything that happens in a run, as plain JSON data, so that it replays and shrinks. Moments are seconds
 * since its start. Seeds become scenarios in `generate.ts`; those in `named/` are written by hand.
 */
import type { FaultName, Only } from "./faults.ts";
import type { Quorum } from "./oracle/quorum.ts";

export const LOCATIONS = ["a", "b", "c"] as const;
/** Queue of a location's jobs. */
export const queueUrl = (location: string) => `https://sqs.simulated/000000000000/jobs-${location}`;

/** What the oracle needs to know of a monitor's settings. */
export interface WatchedSettings {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly intervalSeconds: number;
  readonly timeoutMs: number;
  readonly retries: { readonly count: number; readonly delayMs: number };
  readonly degradedAboveMs: number | null;
  readonly degradedAboveMsByLocation?: Readonly<Record<string, number>>;
  readonly failureThreshold: number;
  readonly recoveryThreshold: number;
  readonly locations: readonly string[];
  readonly quorum: Quorum;
  readonly alerts: {
    readonly afterSeconds: number;
    readonly emails: readonly string[];
    readonly degraded?: boolean;
    readonly minorityAfterSeconds?: number | null;
    readonly steps?: readonly {
      readonly afterSeconds: number;
      readonly channels?: readonly string[];
      readonly emails?: readonly string[];
    }[];
  };
  readonly flapping?: { readonly highPercent: number; readonly lowPercent: number } | null;
  /** Ids of monitors. */
  readonly dependsOn?: readonly string[];
}

/** Whom a later step of an escalation tells. */
export const SECOND = "second@example.com";

/** How long trouble lasts until the topics are told of it. */
export const topicsAfterSeconds = ({
  alerts: { afterSeconds, steps = [] },
}: Pick<WatchedSettings, "alerts">): number =>
  steps.length === 0
    ? afterSeconds
    : Math.min(...steps.filter(({ channels }) => channels?.includes("sns")).map((step) => step.afterSeconds));

/** A monitor as it is sent to the API. */
export type SentSettings = Partial<WatchedSettings> & {
  readonly name: string;
  readonly key: string;
  readonly paused?: boolean;
  /** Of the protocol. */
  readonly settings?: Readonly<Record<string, unknown>>;
};

export type TargetKind = "refused" | "silent" | "slow" | "nxdomain" | "resolver";

/** A host is not up for a while. Of events that overlap, the first in the list holds. */
export interface TargetEvent {
  readonly host: string;
  readonly from: number;
  readonly to: number;
  readonly kind: TargetKind;
  /** Of `slow`. Default: half as much again as is called slow, but in time. */
  readonly latencyMs?: number;
  /** As seen from these alone. Default: from everywhere. */
  readonly locations?: readonly string[];
}

/** What a host says of itself for a while, wherever it answers. Of those that overlap with the same key, the first in the list holds. */
export interface Saying {
  readonly host: string;
  readonly from: number;
  readonly to: number;
  /** Of a fact. Default: `HOST_KEY`. */
  readonly key?: string;
  /** Several: servers that differ answer in turn. */
  readonly values: readonly string[];
  /** To these locations alone. Default: to all. */
  readonly locations?: readonly string[];
}

/** The address whose ports are swept, and which of them are. */
export const SWEPT = { host: "93.184.216.34", firstPort: 8_000, lastPort: 8_059 } as const;

/** Something listens on a port of that address for a while. */
export interface Listener {
  readonly port: number;
  readonly from: number;
  readonly to: number;
  /** As seen from these alone. Default: from everywhere. */
  readonly locations?: readonly string[];
}

export const HOST_KEY = "ssh.hostKey.ssh-ed25519";
/** What is said of a fact while nothing else is, by hosts that say anything of it at any time. */
export const FIRST_VALUE = "first";

/** How long a slow target takes to answer. */
export const latencyOfSlow = (
  { latencyMs }: Pick<TargetEvent, "latencyMs">,
  { timeoutMs, degradedAboveMs }: Pick<WatchedSettings, "timeoutMs" | "degradedAboveMs">,
) => latencyMs ?? Math.min(timeoutMs - 100, (degradedAboveMs ?? 400) * 1.5);

/** A location loses its way to the targets, or to everything. */
export interface Cut {
  readonly location: string;
  readonly from: number;
  readonly to: number;
  readonly how: "targets" | "all";
}

/** What a client asks of the API. It tries again until it hears of success, as a client does. */
export interface Edit {
  readonly at: number;
  readonly key: string;
  readonly action:
    | "create"
    | "apply"
    | "pause"
    | "resume"
    | "patch"
    | "delete"
    /** All open changes of what its service says of itself are right. */
    | "accept"
    /** What its service says of itself now is right. */
    | "learn"
    | "maintain";
  /** Of `create` and `apply` all settings, of `patch` those that change. */
  readonly settings?: Partial<SentSettings>;
  /** Of `maintain`: how long. */
  readonly seconds?: number;
  /** Sends the ETag that it read first. */
  readonly ifMatch?: boolean;
}

export interface FaultWindow {
  readonly fault: FaultName;
  readonly strength: number;
  readonly from: number;
  readonly to: number;
  readonly only?: Only;
  /** How much of it, instead of chance (see FAULTS). */
  readonly amount?: number;
  /** Passes over so many occasions first, and lets itself be asked so often at most after those. */
  readonly skip?: number;
  readonly most?: number;
}

/** A fault that struck in another run, to strike again. */
export interface ExplicitFault {
  readonly fault: FaultName;
  readonly occasion: string;
  readonly amount: number;
  /** When it struck: what follows soon after is not held to the bounds of calm. */
  readonly at: number;
}

/** The clocks of a function's processes jump. */
export interface ClockStep {
  readonly at: number;
  /** Of all functions when absent. */
  readonly caller?: string;
  /** Positive: ahead. */
  readonly ms: number;
}

/** New code comes, in new processes; the old ones with what they remember go on beside them for a while. */
export interface Deploy {
  readonly at: number;
  readonly overlapSeconds: number;
}

export interface Scenario {
  /** Such as `hot-2057`. */
  readonly seed: string;
  readonly startMs: number;
  readonly seconds: number;
  /** Clocks of processes differ from the true time by at most so much. */
  readonly skewMs: number;
  /** The schedule fires anywhere within so much of its minute. */
  readonly jitterMs: number;
  readonly monitors: readonly { readonly at: number; readonly settings: SentSettings }[];
  /** Seats of a lane's first shard that are taken from the start, so that monitors come into further shards. */
  readonly seatsTaken?: Readonly<Record<number, number>>;
  readonly events: readonly TargetEvent[];
  readonly says?: readonly Saying[];
  readonly listeners?: readonly Listener[];
  readonly cuts: readonly Cut[];
  readonly edits: readonly Edit[];
  readonly faults: readonly FaultWindow[];
  /** These instead of the windows' chances. */
  readonly replay?: readonly ExplicitFault[];
  readonly clockSteps?: readonly ClockStep[];
  readonly deploys?: readonly Deploy[];
  /** Spot jobs wait so much longer in their queues. */
  readonly spotDelaySeconds?: number;
  /** Days after which history expires; default: the product's. */
  readonly retention?: {
    readonly blockDays: number;
    readonly rosterDays: number;
    readonly chunkDays: number;
    readonly dayMonths: number;
  };
}
