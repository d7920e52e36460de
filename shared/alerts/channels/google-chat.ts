/**
 * Alert channel `google-chat`: a webhook of a space. Messages of one incident share a thread by their `threadKey`.
 * https://developers.google.com/workspace/chat/quickstart/webhooks. A message has at most 32,000 bytes
 * (https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create); one a second and space is
 * taken (https://developers.google.com/workspace/chat/limits). Text has markup and mentions (`<users/all>`) without a way
 * to escape them (https://developers.google.com/workspace/chat/format-messages).
 */
import * as z from "zod/mini";
import { alertText, breaking, digestText, type Markup } from "../text.ts";
import { secret, url } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const MARKUP: Markup = {
  escape: breaking(/[*_~`<>|@]/g),
  bold: (text) => `*${text}*`,
  link: (url, label) => `<${url}|${label}>`,
  limit: 32_000 - 1000,
  lengthOf: Buffer.byteLength,
};

/** @param thread undefined: a thread of its own */
const message = (webhook: string, text: string, thread?: string) => {
  const target = new URL(webhook);
  if (thread) target.searchParams.set("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
  return postJson(target.href, { text, ...(thread && { thread: { threadKey: thread } }) });
};

export const googleChat = httpChannel<{ readonly url: string }>({
  title: "Google Chat",
  summary: "Posts to one space of Google Chat, a thread for each incident, through a webhook.",
  reference: "https://developers.google.com/workspace/chat/quickstart/webhooks",
  audience: "people",
  rate: { messages: 1, seconds: 1 },
  settings: z.strictObject({
    url: secret(url(), "URL of the webhook, https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…"),
  }),
  example: { url: "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=XXXX&token=XXXX" },
  render: (alert, { url }) => message(url, alertText(alert, MARKUP), alert.incidentId),
  renderDigest: (digest, { url }) => message(url, digestText(digest, MARKUP)),
});
