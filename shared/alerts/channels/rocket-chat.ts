/**
 * Alert channel `rocket-chat`: an incoming webhook, which answers `{"success":true}`. By default a message has at most 5000
 * characters. https://docs.rocket.chat/docs/integrations. Its parser knows few escapes, so that markup and mentions
 * (`@all`, `@here`) are broken by invisible spaces.
 */
import * as z from "zod/mini";
import { alertText, breaking, digestText, type Markup } from "../text.ts";
import { checking, jsonOf } from "./answer.ts";
import { secret, url } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const MARKUP: Markup = {
  escape: breaking(/[*_~`#@[\]<>|]/g),
  bold: (text) => `*${text}*`,
  link: (url, label) => `[${label}](${url})`,
  limit: 5000,
};

export const rocketChat = httpChannel<{ readonly url: string }>({
  title: "Rocket.Chat",
  summary: "Posts to one channel of Rocket.Chat, through an incoming webhook.",
  reference: "https://docs.rocket.chat/docs/integrations",
  audience: "people",
  rate: null,
  settings: z.strictObject({
    url: secret(url(), "URL of the incoming webhook, https://…/hooks/…/…"),
  }),
  example: { url: "https://chat.example.com/hooks/xxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxx" },
  render: (alert, { url }) => postJson(url, { text: alertText(alert, MARKUP) }),
  renderDigest: (digest, { url }) => postJson(url, { text: digestText(digest, MARKUP) }),
  judge: checking((reply) => jsonOf(reply).success === true),
});
