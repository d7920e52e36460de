import { expect, test } from "vitest";
import { z } from "zod";
import { slack } from "../../../../shared/alerts/channels/slack.ts";
import { alertOf, HOSTILE, hostile } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

/** Slack's control sequences are `<…>` and `&…;`: others would be mentions or links of the sender's choice. */
const mrkdwn = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(
      (text) => !/[<>]|&(?!(amp|lt|gt);)/.test(text.replace(/<https:\/\/api\.example\.com\/[\w/.]+(\|Details)?>/g, "")),
      "not escaped",
    );
const plain = (max: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: z.string().min(1).max(max), emoji: z.boolean() });

const message = z.strictObject({
  text: mrkdwn(40_000),
  unfurl_links: z.boolean(),
  unfurl_media: z.boolean(),
  blocks: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("header"), text: plain(150) }),
        z.strictObject({ type: z.literal("section"), text: plain(3000) }),
        z.strictObject({
          type: z.literal("context"),
          elements: z.array(z.strictObject({ type: z.literal("mrkdwn"), text: mrkdwn(3000) })).max(10),
        }),
      ]),
    )
    .max(50),
});

const suite = channelSuite({
  channel: slack,
  settings: (url) => ({ url: `${url}/services/T0/B0/X` }),
  validate: ({ method, headers, body }) => {
    expect([method, headers["content-type"]]).toEqual(["POST", "application/json"]);
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: "ok" },
  revoked: { status: 404, body: "no_service" },
  falseSuccesses: [{ status: 200, body: "<html>Sign in to the proxy</html>" }],
});

test("the first line says what and where, then since when, why and from where", async () => {
  const { text, blocks } = JSON.parse((await suite.sent(alertOf())).body);
  expect(blocks[0].text.text).toBe("🔴 DOWN: Orders database is down (postgresql db.example.com:5432)");
  expect(blocks[1].text.text).toBe(
    "Since: 2026-11-27 10:31:30 UTC\nWhy: db.example.com:5432 refused the connection\nFrom local: down: refused\nTags: team=orders",
  );
  expect(text.split("\n")[0]).toBe(blocks[0].text.text);
  expect(text).toContain("<https://api.example.com/v1/monitors/19ea3a11ef31d1ea79c8>");
});

test("a name cannot mention anybody or end its line", async () => {
  const { text } = JSON.parse((await suite.sent(hostile(HOSTILE.markup!))).body);
  expect(text).toContain("&lt;!channel&gt;");
  expect(text.split("\n")[0]).toContain("# head - item next");
});
