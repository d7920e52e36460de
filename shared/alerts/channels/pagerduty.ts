/**
 * Alert channel `pagerduty`: Events API v2. `dedup_key` is the incident's id: `trigger` opens an alert there, or updates
 * the open one; `acknowledge` stops its escalation, and `resolve` closes it.
 * Format and answers (202; 400 for a wrong event or key; 429): https://developer.pagerduty.com/docs/events-api-v2-overview.
 * Limits: summary 1024 characters, dedup_key 255, an event 512 KB
 * (https://developer.pagerduty.com/docs/send-alert-event). Hosts of the service regions:
 * https://support.pagerduty.com/main/docs/service-regions.
 */
import * as z from "zod/mini";
import type { Alert } from "../../model.ts";
import { source } from "../render.ts";
import { facts, oneLine, title } from "../text.ts";
import { checking } from "./answer.ts";
import { matching, secret, shown } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const HOSTS = { us: "https://events.pagerduty.com", eu: "https://events.eu.pagerduty.com" } as const;
const MAX_SUMMARY = 1024;
const MAX_SOURCE = 255;

const actionOf = ({ event, incidentState }: Alert) => {
  if (incidentState === "ended") return "resolve";
  return event === "acknowledged" ? "acknowledge" : "trigger";
};

interface Settings {
  readonly routingKey: string;
  readonly region?: keyof typeof HOSTS | undefined;
}

export const pagerduty = httpChannel<Settings>({
  title: "PagerDuty",
  summary: "Opens an alert at PagerDuty with each incident, and resolves it at the end.",
  reference: "https://developer.pagerduty.com/docs/events-api-v2-overview",
  audience: "machines",
  opensIncidents: true,
  // "120 events per minute and integration key": what PagerDuty guarantees to take without throttling.
  rate: { messages: 120, seconds: 60 },
  settings: z.strictObject({
    routingKey: secret(
      matching(/^[A-Za-z0-9]{32}$/, "the 32 letters and digits of an integration key"),
      "Integration key of an Events API v2 integration.",
    ),
    region: shown(z.optional(z.enum(["us", "eu"])), "Service region of the account. Default us."),
  }),
  example: { routingKey: "0123456789abcdef0123456789abcdef" },
  render: (alert, { routingKey, region = "us" }) => {
    const event_action = actionOf(alert);
    const { name, protocol, tags } = alert.monitor;
    return postJson(`${HOSTS[region]}/v2/enqueue`, {
      routing_key: routingKey,
      event_action,
      dedup_key: alert.incidentId,
      ...(event_action === "trigger" && {
        client: "Harborlight",
        ...(alert.url && { client_url: alert.url, links: [{ href: alert.url, text: "Details" }] }),
        payload: {
          summary: title(alert, MAX_SUMMARY),
          source: oneLine(source(alert), MAX_SOURCE),
          // Ours are names of theirs.
          severity: alert.severity,
          timestamp: alert.startedAt,
          component: oneLine(name, MAX_SOURCE),
          class: protocol,
          custom_details: { ...Object.fromEntries(facts(alert)), alertId: alert.alertId, tags },
        },
      }),
    });
  },
  judge: checking(({ status }) => status === 202),
});
