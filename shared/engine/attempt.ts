/** Input and callbacks of one attempt at one address, shared by TCP (`tcp-attempt.ts`) and UDP (`udp-attempt.ts`). */

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
  /** Called instead of `done` with an internal error: a bug must not become an outcome. */
  readonly crashed: (error: unknown) => void;
  /** Frees the attempt's place. Called exactly once: with a function that closes the socket, or without if it is closed. */
  readonly release: (close?: () => void) => void;
}

/** Called exactly once per attempt, unless `crashed` is. */
export type Done = (measured: Measured) => void;

export const NO_TRAFFIC: Traffic = { bytesSent: 0, bytesReceived: 0 };

export function endpointOf({ host, address, port }: Target): string {
  const shown = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return host === address.replace(/%.*$/, "") ? shown : `${host} (${shown})`;
}
