import { expect, test } from "vitest";
import { z } from "zod";
import { rocketChat } from "../../../../shared/alerts/channels/rocket-chat.ts";
import { HOSTILE, hostile } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const message = z.strictObject({ text: z.string().min(1).max(5000) });

const suite = channelSuite({
  channel: rocketChat,
  settings: (url) => ({ url: `${url}/hooks/a/b` }),
  validate: ({ path, body }) => {
    expect(path).toBe("/hooks/a/b");
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: { success: true } },
  revoked: { status: 400, body: { success: false, error: "Invalid integration id or token provided." } },
  falseSuccesses: [{ status: 200, body: { success: false } }],
});

test("a name mentions nobody and links nowhere", async () => {
  const { text } = JSON.parse((await suite.sent(hostile(HOSTILE.markup!))).body);
  expect(text.split("\n")[0]).not.toMatch(/@(all|everyone)|\]\(|\*bold/);
});
