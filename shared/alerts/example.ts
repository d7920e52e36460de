/** Makes the alerts that channels are tested with. They are marked as a test, and belong to no monitor. */
import type { Alert } from "../model.ts";

/** Id of the monitor in test alerts. */
const TEST_MONITOR = "test";

/** @param event `down` opens an incident, `recovered` ends it */
export const testAlert = (channelName: string, event: "down" | "recovered", startedAt: Date, now: Date): Alert => {
  const isDown = event === "down";
  const message = `This is a test of channel ${channelName}. Nothing is wrong.`;
  return {
    alertId: `${TEST_MONITOR}.${startedAt.getTime()}.${isDown ? 1 : 2}`,
    event,
    severity: isDown ? "critical" : "info",
    monitor: {
      id: TEST_MONITOR,
      name: "Test of Harborlight",
      protocol: "tcp",
      host: "test.invalid",
      port: 443,
      tags: { test: "true" },
    },
    status: isDown ? "down" : "up",
    previousStatus: isDown ? "up" : "down",
    reason: null,
    message,
    locations: { test: { health: isDown ? "down" : "up", state: isDown ? "closed" : "open", reason: null, message } },
    startedAt: startedAt.toISOString(),
    endedAt: isDown ? null : now.toISOString(),
    durationSeconds: isDown ? null : Math.round((now.getTime() - startedAt.getTime()) / 1000),
    incidentId: `${TEST_MONITOR}.${startedAt.getTime()}`,
    incidentState: isDown ? "open" : "ended",
    endReason: isDown ? null : "recovered",
    url: null,
  };
};
