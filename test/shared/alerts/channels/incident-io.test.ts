import { expect, test } from "vitest";
import { z } from "zod";
import { incidentIo } from "../../../../shared/alerts/channels/incident-io.ts";
import { alertOf } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const event = z.strictObject({
  title: z.string().min(1),
  description: z.string(),
  deduplication_key: z.string().min(1),
  status: z.enum(["firing", "resolved"]),
  source_url: z.url(),
  metadata: z.record(z.string(), z.unknown()),
});

const suite = channelSuite({
  channel: incidentIo,
  settings: () => ({ alertSourceId: "01GW2G3V0S59R238FAHPDS1R66", token: "t" }),
  validate: ({ path, headers, body }) => {
    expect([path, headers.authorization]).toEqual(["/v2/alert_events/http/01GW2G3V0S59R238FAHPDS1R66", "Bearer t"]);
    event.parse(JSON.parse(body));
  },
  success: {
    status: 202,
    body: { status: "success", message: "Event accepted for processing", deduplication_key: "x" },
  },
  revoked: { status: 401, body: { type: "authentication_error", status: 401 } },
  falseSuccesses: [{ status: 200, body: "<html>" }],
});

test.each([
  ["down", "firing"],
  ["degraded", "firing"],
  ["acknowledged", "firing"],
  ["recovered", "resolved"],
  ["closed", "resolved"],
] as const)("%s is %s under the incident's id", async (name, status) => {
  const body = JSON.parse((await suite.sent(alertOf(name))).body);
  expect([body.status, body.deduplication_key]).toEqual([status, alertOf().incidentId]);
});
