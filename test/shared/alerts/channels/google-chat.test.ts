import { expect, test } from "vitest";
import { z } from "zod";
import { googleChat } from "../../../../shared/alerts/channels/google-chat.ts";
import { alertOf, HOSTILE, hostile } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const message = z.strictObject({
  text: z.string().min(1),
  thread: z.strictObject({ threadKey: z.string().min(1).max(4000) }).optional(),
});

const suite = channelSuite({
  channel: googleChat,
  settings: (url) => ({ url: `${url}/v1/spaces/A/messages?key=k&token=t` }),
  validate: ({ path, body }) => {
    const { thread } = message.parse(JSON.parse(body));
    const option = thread ? "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD" : "";
    expect(path).toBe(`/v1/spaces/A/messages?key=k&token=t${option}`);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(32_000);
  },
  success: { status: 200, body: { name: "spaces/A/messages/1" } },
  revoked: { status: 404, body: { error: { code: 404, status: "NOT_FOUND" } } },
});

test("all messages of an incident share a thread", async () => {
  const threads = [];
  for (const event of ["down", "recovered"] as const)
    threads.push(JSON.parse((await suite.sent(alertOf(event))).body).thread.threadKey);
  expect(threads).toEqual([alertOf().incidentId, alertOf().incidentId]);
});

test("a name mentions nobody", async () => {
  const { text } = JSON.parse((await suite.sent(hostile(HOSTILE.markup!))).body);
  expect(text).not.toMatch(/<users|\*bold|@all/);
});
