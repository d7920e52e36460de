/** Who else hears of a message about the monitoring itself, beside topic `system`: the alert that policies make of it. Pure. */
import type { Alert, Timestamp } from "../model.ts";
import type { Receiver } from "../receiver.ts";
import {
  ALL_SYSTEM_EVENTS,
  BEGINNINGS,
  SYSTEM_SEVERITIES,
  type SystemEvent,
  type SystemMessage,
} from "../system-events.ts";
import { type Policy, receiversOf } from "./policies.ts";

const hearsOf = ({ match, severities }: Policy, event: SystemEvent): boolean =>
  match?.events?.some((named) => named === ALL_SYSTEM_EVENTS || named === event) === true &&
  severities.some((severity) => severity === SYSTEM_SEVERITIES[event]);

/** Whoever hears that something began hears of its end, or a pager would never close what it opened; others only if they name the end. */
const takes = (policy: Policy, event: SystemEvent): boolean => {
  const beginnings = BEGINNINGS[event];
  if (!beginnings) return hearsOf(policy, event);
  return policy.match?.events?.includes(event) === true || beginnings.some((begun) => hearsOf(policy, begun));
};

/** The receivers of the first steps of the policies that take an event. */
export const systemReceivers = (event: SystemEvent, policies: readonly Policy[]): Receiver[] => [
  ...new Set(policies.filter((policy) => takes(policy, event)).flatMap(({ steps }) => receiversOf(steps[0]!))),
];

/**
 * Makes an alert of a message. Alerts about the same thing have one incident, so that pagers close what they opened.
 * @param sequence of the outbox entry
 */
export function systemAlert(
  { event, about, subject, message }: SystemMessage & { readonly event: SystemEvent },
  sequence: number,
  createdAt: Timestamp,
): Alert {
  const incidentId = `system.${about ?? "other"}`;
  const severity = SYSTEM_SEVERITIES[event];
  const isEnd = severity === "info";
  return {
    // Notices are items of their own, each of which begins to count anew.
    alertId: `${incidentId}.${Date.parse(createdAt)}.${sequence}`,
    event,
    severity,
    subject,
    monitor: { id: incidentId, name: "Harborlight", protocol: "system", host: "harborlight", port: 0, tags: {} },
    status: isEnd ? "up" : "unknown",
    previousStatus: isEnd ? "unknown" : "up",
    reason: null,
    message,
    locations: {},
    startedAt: createdAt,
    endedAt: isEnd ? createdAt : null,
    durationSeconds: null,
    incidentId,
    incidentState: isEnd ? "ended" : "open",
    endReason: isEnd ? "recovered" : null,
    url: null,
  };
}
