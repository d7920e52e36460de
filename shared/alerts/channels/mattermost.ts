/**
 * Alert channel `mattermost`: an incoming webhook, which answers "ok". Texts are Markdown of at most 16,383 characters; a
 * webhook's text may mention `@all` and, as in Slack, `<!channel>`, which escaping prevents.
 * https://developers.mattermost.com/integrate/webhooks/incoming/
 */
import * as z from "zod/mini";
import { alertText, digestText, MARKDOWN, type Markup } from "../text.ts";
import { checking } from "./answer.ts";
import { secret, url } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const MARKUP: Markup = { ...MARKDOWN, limit: 16_383 };

export const mattermost = httpChannel<{ readonly url: string }>({
  title: "Mattermost",
  summary: "Posts to one channel of Mattermost, through an incoming webhook.",
  reference: "https://developers.mattermost.com/integrate/webhooks/incoming/",
  audience: "people",
  rate: null,
  settings: z.strictObject({
    url: secret(url(), "URL of the incoming webhook, https://…/hooks/…"),
  }),
  example: { url: "https://mattermost.example.com/hooks/xxxxxxxxxxxxxxxxxxxxxxxxxx" },
  render: (alert, { url }) => postJson(url, { text: alertText(alert, MARKUP) }),
  renderDigest: (digest, { url }) => postJson(url, { text: digestText(digest, MARKUP) }),
  judge: checking(({ body }) => body.trim() === "ok"),
});
