/** One attempt at one address: what goes in, and what comes out before anybody judges it. */

import type { Measured } from "../contract/measured.ts";
import type { Target } from "../contract/protocol.ts";
import type { Traffic } from "../model.ts";
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

/** Called back exactly once. */
export type Done = (measured: Measured) => void;

export const NO_TRAFFIC: Traffic = { bytesSent: 0, bytesReceived: 0 };

export function endpointOf({ host, address, port }: Target): string {
  const shown = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return host === address.replace(/%.*$/, "") ? shown : `${host} (${shown})`;
}
