import { expect, test } from "vitest";
import { z } from "zod";
import { pushover } from "../../../../shared/alerts/channels/pushover.ts";
import { alertOf } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const [TOKEN, USER] = ["azGDORePK8gMaC0QOYAMyEEuzJnyUi", "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"];
const message = z.strictObject({
  token: z.literal(TOKEN),
  user: z.literal(USER),
  device: z.string().optional(),
  title: z.string().min(1).max(250),
  message: z.string().min(1).max(1024),
  priority: z.int().min(-2).max(1),
  url: z.url().max(512).optional(),
  url_title: z.string().max(100).optional(),
});

const suite = channelSuite({
  channel: pushover,
  settings: () => ({ token: TOKEN, user: USER }),
  validate: ({ path, body }) => {
    expect(path).toBe("/1/messages.json");
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: { status: 1, request: "x" } },
  revoked: { status: 400, body: { token: "invalid", errors: ["application token is invalid"], status: 0 } },
  falseSuccesses: [{ status: 200, body: { status: 0 } }],
});

test("a link that is too long is left out", async () => {
  const url = `https://example.com/${"x".repeat(600)}`;
  expect(JSON.parse((await suite.sent(alertOf("down", { url }))).body).url).toBeUndefined();
});
