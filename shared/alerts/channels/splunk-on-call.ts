/**
 * Alert channel `splunk-on-call`: the REST endpoint of Splunk On-Call (VictorOps). `entity_id` is the incident's id:
 * CRITICAL and WARNING open an incident there, ACKNOWLEDGEMENT stops its escalation, RECOVERY closes it. Success is `{"result":"success"}`.
 * https://help.splunk.com/splunk-observability-cloud/splunk-on-call/integrations-with-splunk-on-call/rest-endpoint-integration-for-splunk-on-call
 */
import * as z from "zod/mini";
import type { Alert } from "../../model.ts";
import { details, title } from "../text.ts";
import { checking, jsonOf } from "./answer.ts";
import { secret, url } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const typeOf = ({ event, incidentState, severity }: Alert) => {
  if (incidentState === "ended") return "RECOVERY";
  if (event === "acknowledged") return "ACKNOWLEDGEMENT";
  return severity === "critical" ? "CRITICAL" : "WARNING";
};

export const splunkOnCall = httpChannel<{ readonly url: string }>({
  title: "Splunk On-Call",
  summary: "Opens an incident at Splunk On-Call with each incident, and closes it at the end.",
  reference:
    "https://help.splunk.com/splunk-observability-cloud/splunk-on-call/integrations-with-splunk-on-call/rest-endpoint-integration-for-splunk-on-call",
  audience: "machines",
  opensIncidents: true,
  rate: null,
  settings: z.strictObject({
    url: secret(url(), "URL of the REST endpoint, with the routing key at its end."),
  }),
  example: { url: "https://alert.victorops.com/integrations/generic/20131114/alert/00000000-0000/ops" },
  render: (alert, { url }) =>
    postJson(url, {
      message_type: typeOf(alert),
      entity_id: alert.incidentId,
      entity_display_name: title(alert),
      state_message: details(alert).join("\n"),
      state_start_time: Math.floor(Date.parse(alert.startedAt) / 1000),
      monitoring_tool: "Harborlight",
      alert_id: alert.alertId,
      ...(alert.url && { alert_url: alert.url }),
    }),
  judge: checking((reply) => jsonOf(reply).result === "success"),
});
