import { expect } from "vitest";
import { z } from "zod";
import { telegram } from "../../../../shared/alerts/channels/telegram.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const TOKEN = "123456789:AAExample-Token-of-35-characters_000";

/** HTML as Telegram parses it: known tags, balanced; all else is entities. */
const html = z.string().refine((text) => {
  const open: string[] = [];
  const rest = text.replace(/<(\/?)(b|a)( href="[^"<>]*")?>/g, (_, closing: string, tag: string) => {
    if (!closing) open.push(tag);
    else if (open.pop() !== tag) open.push("unbalanced");
    return "";
  });
  const parsed = rest.replace(/&(#\d+|lt|gt|amp|quot);/g, "x");
  return open.length === 0 && !/[<>&]/.test(parsed) && parsed.length >= 1 && parsed.length <= 4096;
}, "can't parse entities, or too long");

const message = z.strictObject({
  chat_id: z.literal("-1001234567890"),
  message_thread_id: z.literal(7),
  text: html,
  parse_mode: z.literal("HTML"),
  link_preview_options: z.strictObject({ is_disabled: z.literal(true) }),
});

channelSuite({
  channel: telegram,
  settings: () => ({ botToken: TOKEN, chatId: "-1001234567890", threadId: 7 }),
  validate: ({ path, body }) => {
    expect(path).toBe(`/bot${TOKEN}/sendMessage`);
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: { ok: true, result: { message_id: 1 } } },
  revoked: { status: 401, body: { ok: false, error_code: 401, description: "Unauthorized" } },
  limited: {
    status: 429,
    body: {
      ok: false,
      error_code: 429,
      description: "Too Many Requests: retry after 7",
      parameters: { retry_after: 7 },
    },
  },
  falseSuccesses: [
    { status: 200, body: { ok: false } },
    { status: 200, body: "<html>" },
  ],
});
