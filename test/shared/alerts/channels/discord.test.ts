import { expect, test } from "vitest";
import { z } from "zod";
import { discord } from "../../../../shared/alerts/channels/discord.ts";
import { HOSTILE, hostile } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const message = z.strictObject({
  content: z.string().min(1).max(2000),
  allowed_mentions: z.strictObject({ parse: z.tuple([]) }),
});

const suite = channelSuite({
  channel: discord,
  settings: (url) => ({ url: `${url}/api/webhooks/1/token?thread_id=7` }),
  validate: ({ path, body }) => {
    expect(path).toBe("/api/webhooks/1/token?thread_id=7&wait=true");
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: { id: "1", content: "…" } },
  revoked: { status: 404, body: { message: "Unknown Webhook", code: 10015 } },
  limited: { status: 429, body: { message: "You are being rate limited.", retry_after: 6.4, global: false } },
});

test("names have no markup and mention nobody", async () => {
  const { content } = JSON.parse((await suite.sent(hostile(HOSTILE.markup!))).body);
  const [first] = content.split("\n");
  expect(first).toContain("\\*bold\\*");
  expect(first).toContain("\\[a\\](http://evil");
  expect(first).not.toMatch(/@(all|everyone)|(?<!\\)[<`~_]/);
});
