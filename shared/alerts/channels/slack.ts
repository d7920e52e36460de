/**
 * Alert channel `slack`: an incoming webhook, which posts to one channel of a workspace.
 * Format and errors: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. Limits of blocks (header
 * 150 characters, text 3000): https://docs.slack.dev/reference/block-kit/blocks. Rate (one message a second, 429 with
 * Retry-After): https://docs.slack.dev/apis/web-api/rate-limits. Texts are `plain_text`, which has no markup and no
 * mentions; only the link and the notification are `mrkdwn`, where `&`, `<` and `>` are escaped.
 */
import * as z from "zod/mini";
import {
  ACKNOWLEDGE,
  alertText,
  cut,
  details,
  digestLines,
  digestText,
  digestTitle,
  type Markup,
  markedTitle,
} from "../text.ts";
import { checking } from "./answer.ts";
import { secret, url } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const MAX_HEADER = 150;
const MAX_SECTION = 3000;

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** For notifications and old clients, which show no blocks. */
const FALLBACK: Markup = { escape: escaped, bold: (text) => text, link: (url) => `<${url}>`, limit: MAX_SECTION };

const plain = (text: string) => ({ type: "plain_text", text, emoji: false });

const linkOf = (url: string | null | undefined, label: string) => (url ? [`<${escaped(url)}|${label}>`] : []);

const message = (webhook: string, header: string, lines: readonly string[], links: string[], fallback: string) =>
  postJson(webhook, {
    text: fallback,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: "header", text: plain(cut(header, MAX_HEADER)) },
      { type: "section", text: plain(cut(lines.join("\n"), MAX_SECTION)) },
      ...(links.length > 0 ? [{ type: "context", elements: [{ type: "mrkdwn", text: links.join(" · ") }] }] : []),
    ],
  });

export const slack = httpChannel<{ readonly url: string }>({
  title: "Slack",
  summary: "Posts to one channel of a Slack workspace, through an incoming webhook.",
  reference: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
  audience: "people",
  rate: { messages: 1, seconds: 1 },
  settings: z.strictObject({
    url: secret(url(), "URL of the incoming webhook, https://hooks.slack.com/services/…"),
  }),
  example: { url: "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX" },
  render: (alert, { url }) =>
    message(
      url,
      markedTitle(alert, MAX_HEADER),
      details(alert),
      [...linkOf(alert.acknowledgeUrl, ACKNOWLEDGE), ...linkOf(alert.url, "Details")],
      alertText(alert, FALLBACK),
    ),
  renderDigest: (digest, { url }) =>
    message(url, digestTitle(digest), digestLines(digest), linkOf(digest.url, "Details"), digestText(digest, FALLBACK)),
  // A webhook answers "ok"; anything else in a 200 comes from something in between.
  judge: checking(({ body }) => body.trim() === "ok"),
});
