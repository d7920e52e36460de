import { expect, test } from "vitest";
import { z } from "zod";
import { mattermost } from "../../../../shared/alerts/channels/mattermost.ts";
import { HOSTILE, hostile } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const message = z.strictObject({ text: z.string().min(1).max(16_383) });

const suite = channelSuite({
  channel: mattermost,
  settings: (url) => ({ url: `${url}/hooks/x` }),
  validate: ({ path, body }) => {
    expect(path).toBe("/hooks/x");
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: "ok" },
  revoked: { status: 400, body: { id: "web.incoming_webhook.invalid.app_error", message: "Invalid webhook." } },
  falseSuccesses: [{ status: 200, body: "<html>" }],
});

test("a name mentions nobody and links nowhere", async () => {
  const { text } = JSON.parse((await suite.sent(hostile(HOSTILE.markup!))).body);
  expect(text).not.toMatch(/@(all|everyone)|<!channel>|(?<!\\)\]\(http:/);
});
