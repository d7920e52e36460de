/**
 * Alert channel `discord`: a webhook of a channel. Content has at most 2000 characters of Markdown; `allowed_mentions`
 * with an empty list lets nobody be mentioned; with `wait=true` the answer comes after the message was stored.
 * https://docs.discord.com/developers/resources/webhook#execute-webhook. Limits (429 with `retry_after` in seconds; by
 * their headers 30 messages a minute): https://docs.discord.com/developers/topics/rate-limits.
 */
import * as z from "zod/mini";
import { alertText, digestText, MARKDOWN, type Markup } from "../text.ts";
import { byStatus, jsonOf, withPause } from "./answer.ts";
import { secret, url } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

/** In angle brackets, a link has no preview. */
const MARKUP: Markup = { ...MARKDOWN, link: (url) => `<${url}>`, limit: 2000 };

const message = (webhook: string, content: string) => {
  const target = new URL(webhook);
  target.searchParams.set("wait", "true");
  return postJson(target.href, { content, allowed_mentions: { parse: [] } });
};

export const discord = httpChannel<{ readonly url: string }>({
  title: "Discord",
  summary: "Posts to one channel of a Discord server, through a webhook.",
  reference: "https://docs.discord.com/developers/resources/webhook#execute-webhook",
  audience: "people",
  rate: { messages: 30, seconds: 60 },
  settings: z.strictObject({
    url: secret(url(), "URL of the webhook, https://discord.com/api/webhooks/…; ?thread_id=… posts to a thread."),
  }),
  example: { url: "https://discord.com/api/webhooks/000000000000000000/XXXXXXXX" },
  render: (alert, { url }) => message(url, alertText(alert, MARKUP)),
  renderDigest: (digest, { url }) => message(url, digestText(digest, MARKUP)),
  judge: (reply) => withPause(byStatus(reply), jsonOf(reply).retry_after),
});
