/**
 * Alert channel `opsgenie`: the alert's `alias` is the incident's id, by which it is opened once, acknowledged and closed. Requests are
 * answered 202 before they are carried out. Limits: message 130 characters, alias 512, description 15,000, 20 tags of 50
 * characters, entity 512, source 100, note 25,000. Texts may be HTML.
 * https://docs.opsgenie.com/docs/alert-api. Opsgenie ends on 5 April 2027; until then Jira Service Management takes the
 * same requests with the same keys.
 */
import * as z from "zod/mini";
import { source } from "../render.ts";
import { details, oneLine, title } from "../text.ts";
import { checking } from "./answer.ts";
import { key, secret, shown } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const HOSTS = { us: "https://api.opsgenie.com", eu: "https://api.eu.opsgenie.com" } as const;
const MAX_MESSAGE = 130;
const MAX_ENTITY = 512;
const MAX_TAG = 50;
const MAX_TAGS = 20;
const MAX_DESCRIPTION = 15_000;

/** Shows what looks like HTML as it is, at the same length. */
const withoutHtml = (text: string) => text.replaceAll("<", "‹").replaceAll(">", "›");

interface Settings {
  readonly apiKey: string;
  readonly region?: keyof typeof HOSTS | undefined;
}

export const opsgenie = httpChannel<Settings>({
  title: "Opsgenie",
  summary: "Opens an alert at Opsgenie with each incident, and closes it at the end.",
  reference: "https://docs.opsgenie.com/docs/alert-api",
  audience: "machines",
  opensIncidents: true,
  rate: null,
  settings: z.strictObject({
    apiKey: secret(key(), "Key of an API integration."),
    region: shown(z.optional(z.enum(["us", "eu"])), "Service region of the account. Default us."),
  }),
  example: { apiKey: "eb243592-faa2-4ba2-a551-1afdf565c889" },
  render: (alert, { apiKey, region = "us" }) => {
    const headers = { authorization: `GenieKey ${apiKey}` };
    const alerts = `${HOSTS[region]}/v2/alerts`;
    const text = withoutHtml(details(alert).join("\n").slice(0, MAX_DESCRIPTION));
    const action = alert.incidentState === "ended" ? "close" : alert.event === "acknowledged" && "acknowledge";
    if (action) {
      const path = `${alerts}/${encodeURIComponent(alert.incidentId)}/${action}?identifierType=alias`;
      return postJson(path, { source: "Harborlight", note: `${withoutHtml(title(alert))}\n${text}` }, headers);
    }
    const { tags } = alert.monitor;
    return postJson(
      alerts,
      {
        message: withoutHtml(title(alert, MAX_MESSAGE)),
        alias: alert.incidentId,
        description: text,
        entity: oneLine(source(alert), MAX_ENTITY),
        source: "Harborlight",
        priority: alert.severity === "critical" ? "P1" : "P3",
        tags: Object.entries(tags)
          .slice(0, MAX_TAGS)
          .map(([name, value]) => oneLine(`${name}=${value}`.replaceAll(",", " "), MAX_TAG)),
        details: { alertId: alert.alertId, ...(alert.url && { url: alert.url }) },
      },
      headers,
    );
  },
  judge: checking(({ status }) => status === 202),
});
