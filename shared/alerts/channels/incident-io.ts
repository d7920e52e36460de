/**
 * Alert channel `incident-io`: an alert source of the kind HTTP. `deduplication_key` is the incident's id: `firing` opens an
 * alert, `resolved` ends it. Accepted events are answered 202.
 * https://docs.incident.io/api-reference/alert-events-v2/create. A description is Markdown. Rate (1200 requests a minute and key):
 * https://docs.incident.io/api-reference/introduction.
 */
import * as z from "zod/mini";
import { details, MARKDOWN, title } from "../text.ts";
import { checking } from "./answer.ts";
import { key, matching, secret, shown } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

interface Settings {
  readonly alertSourceId: string;
  readonly token: string;
}

export const incidentIo = httpChannel<Settings>({
  title: "incident.io",
  summary: "Fires an alert at incident.io with each incident, and resolves it at the end.",
  reference: "https://docs.incident.io/api-reference/alert-events-v2/create",
  audience: "machines",
  opensIncidents: true,
  rate: { messages: 1200, seconds: 60 },
  settings: z.strictObject({
    alertSourceId: shown(
      matching(/^[A-Za-z0-9]{1,64}$/, "letters and digits: the last part of the alert source's URL"),
      "Id of the alert source: the last part of its URL.",
    ),
    token: secret(key(), "Token of the alert source."),
  }),
  example: { alertSourceId: "01GW2G3V0S59R238FAHPDS1R66", token: "XXXXXXXX" },
  render: (alert, { alertSourceId, token }) => {
    const { id, name, protocol, host, port, tags } = alert.monitor;
    return postJson(
      `https://api.incident.io/v2/alert_events/http/${alertSourceId}`,
      {
        title: title(alert),
        description: details(alert).map(MARKDOWN.escape).join("\n\n"),
        deduplication_key: alert.incidentId,
        status: alert.incidentState === "open" ? "firing" : "resolved",
        ...(alert.url && { source_url: alert.url }),
        metadata: { alertId: alert.alertId, severity: alert.severity, monitorId: id, name, protocol, host, port, tags },
      },
      { authorization: `Bearer ${token}` },
    );
  },
  judge: checking(({ status }) => status === 202),
});
