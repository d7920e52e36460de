/**
 * Alert channel `telegram`: a bot's `sendMessage`, at most 4096 characters, in `parse_mode` HTML, where `<`, `>` and `&`
 * are escaped. Answers are JSON with `ok`; 429 says `parameters.retry_after` in seconds.
 * https://core.telegram.org/bots/api#sendmessage. Limits (one message a second and chat, 20 a minute in a group):
 * https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this.
 */
import * as z from "zod/mini";
import { escapeHtml } from "../render.ts";
import { alertText, digestText, type Markup } from "../text.ts";
import { checking, jsonOf, withPause } from "./answer.ts";
import { matching, secret, shown } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const MARKUP: Markup = {
  escape: escapeHtml,
  bold: (text) => `<b>${text}</b>`,
  link: (url, label) => `<a href="${escapeHtml(url)}">${label}</a>`,
  limit: 4096,
};

interface Settings {
  readonly botToken: string;
  readonly chatId: string;
  readonly threadId?: number | undefined;
}

const message = ({ botToken, chatId, threadId }: Settings, text: string) =>
  postJson(`https://api.telegram.org/bot${botToken}/sendMessage`, {
    chat_id: chatId,
    ...(threadId !== undefined && { message_thread_id: threadId }),
    text,
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
  });

const judged = checking((reply) => jsonOf(reply).ok === true);

export const telegram = httpChannel<Settings>({
  title: "Telegram",
  summary: "Sends to a chat, group or channel of Telegram, as a bot.",
  reference: "https://core.telegram.org/bots/api#sendmessage",
  audience: "people",
  rate: { messages: 20, seconds: 60 },
  settings: z.strictObject({
    botToken: secret(
      matching(/^\d{5,20}:[\w-]{30,60}$/, "the token that BotFather gave, such as 123456:ABC-…"),
      "Token of the bot, from BotFather.",
    ),
    chatId: shown(
      matching(/^(-?\d{1,20}|@\w{4,32})$/, "the number of a chat, or @ and the name of a channel"),
      "Number of the chat, or @ and the name of a public channel. The bot must be in it.",
    ),
    threadId: shown(z.optional(z.int().check(z.positive())), "Topic within a forum group. Default: the general one."),
  }),
  example: { botToken: "123456789:AAExample-Token-of-35-characters_000", chatId: "-1001234567890" },
  render: (alert, settings) => message(settings, alertText(alert, MARKUP)),
  renderDigest: (digest, settings) => message(settings, digestText(digest, MARKUP)),
  judge: (reply) =>
    withPause(judged(reply), (jsonOf(reply).parameters as { retry_after?: unknown } | undefined)?.retry_after),
});
