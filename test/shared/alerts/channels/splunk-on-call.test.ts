import { expect, test } from "vitest";
import { z } from "zod";
import { splunkOnCall } from "../../../../shared/alerts/channels/splunk-on-call.ts";
import { alertOf } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const event = z.strictObject({
  message_type: z.enum(["CRITICAL", "WARNING", "ACKNOWLEDGEMENT", "INFO", "RECOVERY"]),
  entity_id: z.string().min(1).max(512),
  entity_display_name: z.string().min(1),
  state_message: z.string().max(20_480),
  state_start_time: z.int(),
  monitoring_tool: z.string(),
  alert_id: z.string(),
  alert_url: z.url(),
});

const suite = channelSuite({
  channel: splunkOnCall,
  settings: (url) => ({ url: `${url}/integrations/generic/20131114/alert/key/ops` }),
  validate: ({ body }) => void event.parse(JSON.parse(body)),
  success: { status: 200, body: { result: "success", entity_id: "x" } },
  revoked: { status: 404, body: "" },
  falseSuccesses: [{ status: 200, body: { result: "failure", messages: ["no such key"] } }],
});

test.each([
  ["down", "CRITICAL"],
  ["degraded", "WARNING"],
  ["reminder", "CRITICAL"],
  ["acknowledged", "ACKNOWLEDGEMENT"],
  ["recovered", "RECOVERY"],
  ["closed", "RECOVERY"],
] as const)("%s is %s under the incident's id", async (name, type) => {
  const { message_type, entity_id } = JSON.parse((await suite.sent(alertOf(name))).body);
  expect([message_type, entity_id]).toEqual([type, alertOf().incidentId]);
});
