import type { Evidence, Facts, PortState, Timings, Traffic } from "../model.ts";
import type { Reason } from "../reasons.ts";
import type { JudgedPoll } from "./poll.ts";

/** Result of one attempt, before `rules/health.ts` compares it with what the monitor expects. */
export interface Measured {
  readonly state: PortState;
  readonly reason: Reason | null;
  readonly message: string;
  readonly address?: string;
  readonly timings: Timings;
  readonly traffic: Traffic;
  readonly lossPercent?: number;
  readonly evidence: Evidence;
  readonly facts?: Facts | undefined;
  /** Counters that were read, where the protocol reads them. */
  readonly poll?: JudgedPoll | undefined;
  /** The port is open, but something is wrong (expiring certificate, bad stratum). */
  readonly degraded?: { readonly reason: Reason; readonly message: string } | undefined;
  /** What silence means for this monitor; set where nothing answered. */
  readonly silence?: "down" | "up" | "unknown";
  /** Loss thresholds, where datagrams were counted. */
  readonly lossLimits?: { readonly degradedAbove: number | null; readonly downAbove: number | null };
  /** The event loop stalled during the attempt, so its latency is not reliable. */
  readonly stalled?: boolean;
  /** The deadline ended the attempt, whatever reason the protocol then gave. */
  readonly isOverdue?: boolean;
}
