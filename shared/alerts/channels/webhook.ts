/**
 * Alert channel `webhook`: any HTTP receiver. With a secret, requests are signed as Standard Webhooks describes it:
 * `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`; the id is
 * the alert's, the same each time it is sent again.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from "node:crypto";
import * as z from "zod/mini";
import { testAlert } from "../example.ts";
import type { HttpReply, HttpRequest } from "../http.ts";
import { type Answer, byStatus } from "./answer.ts";
import { matching, secret, shown, url } from "./fields.ts";
import { httpChannel } from "./http-channel.ts";
import { renderTemplate, templateError } from "./template.ts";

/** Headers that this channel or the connection sets. */
const OURS = /^(host|content-length|connection|transfer-encoding|upgrade|expect|te|trailer|user-agent|webhook-.*)$/i;

const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/; // a token, RFC 9110, section 5.6.2
const headers = z
  .record(
    z.string().check(
      z.regex(HEADER, "must be the name of a header"),
      z.refine((name) => !OURS.test(name), "is set by Harborlight: leave it out"),
    ),
    matching(/^[\t\x20-\x7e\x80-\xff]{0,2000}$/, "one line of up to 2000 characters of ISO 8859-1"),
  )
  .check(z.refine((all) => Object.keys(all).length <= 20, "must be at most 20 headers"));

const EXAMPLE = testAlert("example", "down", new Date(0), new Date(0));
const MAX_TEMPLATE = 8192;
const body = z.string().check(
  z.maxLength(MAX_TEMPLATE, `must be at most ${MAX_TEMPLATE} characters`),
  z.superRefine((template, { addIssue }) => {
    const message = templateError(template, EXAMPLE);
    if (message) addIssue({ code: "custom", message });
  }),
);

interface Settings {
  readonly url: string;
  readonly method?: HttpRequest["method"] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  readonly secret?: string | undefined;
}

/** Statuses that concern this request or this receiver for good; 401, 403 and 404 also come while it is deployed anew. */
const PERMANENT = new Set([400, 405, 410, 413, 415, 422]);

const judge = (reply: HttpReply): Answer => {
  const answer = byStatus(reply);
  if (answer.kind === "delivered") return answer;
  return { ...answer, isPermanent: PERMANENT.has(reply.status) || reply.status < 400 };
};

const signature = (key: string, id: string, timestamp: string, body: string) =>
  `v1,${createHmac("sha256", Buffer.from(key.replace(/^whsec_/, ""), "base64"))
    .update(`${id}.${timestamp}.${body}`)
    .digest("base64")}`;

export const webhook = httpChannel<Settings>({
  title: "Webhook",
  summary: "Sends each alert as JSON to a URL, signed if a secret is given.",
  reference: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
  audience: "machines",
  opensIncidents: true,
  rate: null,
  settings: z.strictObject({
    url: secret(url(), "Where requests go."),
    method: shown(z.optional(z.enum(["POST", "PUT", "PATCH"])), "Default POST."),
    headers: secret(z.optional(headers), "Further headers, by name, for example Authorization."),
    body: shown(
      z.optional(body),
      'Template of the body: JSON whose texts may name values of the alert, such as {"text": "{{monitor.name}} is {{status}}"}. Default: the alert.',
    ),
    secret: secret(
      z.optional(matching(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, "whsec_ and the base64 of 24 to 64 random bytes")),
      "Key of the signature: whsec_ and the base64 of 24 to 64 random bytes.",
    ),
  }),
  example: { url: "https://hooks.example.com/alerts", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  render: (alert, { url, method = "POST", headers = {}, body: template, secret }, { now }) => {
    const body = template === undefined ? JSON.stringify(alert) : renderTemplate(template, alert);
    const timestamp = String(Math.floor(now.getTime() / 1000));
    return {
      method,
      url,
      headers: {
        "content-type": "application/json",
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        "webhook-id": alert.alertId,
        "webhook-timestamp": timestamp,
        ...(secret && { "webhook-signature": signature(secret, alert.alertId, timestamp, body) }),
      },
      body,
    };
  },
  judge,
});
