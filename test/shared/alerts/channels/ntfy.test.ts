import { expect, test } from "vitest";
import { z } from "zod";
import { ntfy } from "../../../../shared/alerts/channels/ntfy.ts";
import { alertOf } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const message = z.strictObject({
  topic: z.literal("harborlight"),
  title: z.string().min(1),
  message: z.string().refine((text) => Buffer.byteLength(text) <= 4096, "would become a file"),
  priority: z.int().min(1).max(5),
  click: z.url(),
});

const suite = channelSuite({
  channel: ntfy,
  settings: (server) => ({ server, topic: "harborlight", token: "tk_x" }),
  validate: ({ method, path, headers, body }) => {
    expect([method, path, headers.authorization]).toEqual(["POST", "/", "Bearer tk_x"]);
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: { id: "sPs71M8A2T", event: "message", topic: "harborlight" } },
  revoked: { status: 401, body: { code: 40101, http: 401, error: "unauthorized" } },
  falseSuccesses: [{ status: 200, body: "<html>" }],
});

test.each([
  ["down", 5],
  ["degraded", 4],
  ["recovered", 3],
] as const)("%s has priority %i", async (event, priority) => {
  expect(JSON.parse((await suite.sent(alertOf(event))).body).priority).toBe(priority);
});
