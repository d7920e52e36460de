import type { Evidence, PortState, Timings, Traffic } from "../model.ts";
import type { Reason } from "../reasons.ts";

/** What an attempt of the engine saw, before the rules hold it against what the monitor expects. */
export interface Measured {
  readonly state: PortState;
  readonly reason: Reason | null;
  readonly message: string;
  readonly address?: string;
  readonly timings: Timings;
  readonly traffic: Traffic;
  readonly lossPercent?: number;
  readonly evidence: Evidence;
  readonly fingerprint?: string | undefined;
  /** Open, yet something is not well. */
  readonly degraded?: { readonly reason: Reason; readonly message: string } | undefined;
  /** Which silence policy applies, where nothing answered. */
  readonly silence?: "down" | "up" | "unknown";
  /** Loss thresholds, where datagrams were counted. */
  readonly lossLimits?: { readonly degradedAbove: number | null; readonly downAbove: number | null };
  readonly stalled?: boolean;
  /** Ended by the deadline, whatever the protocol made of it. */
  readonly isOverdue?: boolean;
}
