/** One attempt at one address: what goes in, and what comes out before anybody judges it. */

import type { Target } from "../contract/protocol.ts";
import type { Evidence, PortState, Timings, Traffic } from "../model.ts";
import type { Reason } from "../reasons.ts";
import type { TimerWheel } from "./timer-wheel.ts";

export interface Attempt {
  readonly target: Target;
  readonly family: 4 | 6;
  /** From the attempt's start to its forced end. */
  readonly timeoutMs: number;
  readonly wheel: TimerWheel;
  /** An error of ours, instead of `done`: never an outcome. */
  readonly crashed: (error: unknown) => void;
  /** The attempt is over. Called exactly once, with what closes its socket, or when that is closed already. */
  readonly release: (close?: () => void) => void;
}

/** What an attempt saw. Called back exactly once. */
export type Done = (measured: Measured) => void;

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

export const NO_TRAFFIC: Traffic = { bytesSent: 0, bytesReceived: 0 };

export function endpointOf({ host, address, port }: Target): string {
  const shown = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return host === address.replace(/%.*$/, "") ? shown : `${host} (${shown})`;
}
