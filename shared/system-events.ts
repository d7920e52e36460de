/** Messages about the monitoring itself: one closed list of events, and how bad each is. */
import type { Severity } from "./model.ts";

/** `info` ends what an earlier event about the same began. */
export const SYSTEM_SEVERITIES = {
  "system.location-silent": "critical",
  "system.location-offline": "critical",
  "system.location-removed": "warning",
  "system.location-working": "info",
  "system.checks-stalled": "critical",
  "system.checks-resumed": "info",
  "system.monitors-unjudged": "warning",
  "system.undeliverable": "critical",
  "system.alerts-dropped": "critical",
  "system.fault": "critical",
  "system.policy-reaches-nobody": "warning",
  "system.subscription-gone": "warning",
  "system.alarm": "critical",
  "system.alarm-ended": "info",
} as const satisfies Record<`system.${string}`, Severity>;

export type SystemEvent = keyof typeof SYSTEM_SEVERITIES;
/** What each end ends. */
export const BEGINNINGS: Partial<Record<SystemEvent, readonly SystemEvent[]>> = {
  "system.location-working": ["system.location-silent", "system.location-offline"],
  "system.checks-resumed": ["system.checks-stalled"],
  "system.alarm-ended": ["system.alarm"],
};
export const SYSTEM_EVENTS = Object.keys(SYSTEM_SEVERITIES) as [SystemEvent, ...SystemEvent[]];

export const isSystemEvent = (event: string): event is SystemEvent => Object.hasOwn(SYSTEM_SEVERITIES, event);

/** A message about the monitoring itself. */
export interface SystemMessage {
  readonly subject: string;
  readonly message: string;
  /** What policies know it by. Without it only topic `system` is told. */
  readonly event?: SystemEvent;
  /** What it is about, for example `location.eu-west-1`. */
  readonly about?: string;
  /** Whether topic `system` has it already, so that only policies are to tell it. Default false. */
  readonly isPublished?: boolean;
}

/** What a policy names to hear of all of them. */
export const ALL_SYSTEM_EVENTS = "system.*";
