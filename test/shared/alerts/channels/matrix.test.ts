import { expect, test } from "vitest";
import { z } from "zod";
import { matrix } from "../../../../shared/alerts/channels/matrix.ts";
import { alertOf, HOSTILE, hostile } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const event = z.strictObject({
  msgtype: z.literal("m.text"),
  body: z.string().min(1),
  format: z.literal("org.matrix.custom.html"),
  formatted_body: z
    .string()
    .refine((html) => !/[<>]/.test(html.replace(/<\/?strong>|<br>|<a href="[^"<>]*">|<\/a>/g, "")), "unknown tags"),
  "m.mentions": z.strictObject({}),
});

const ROOM = "/_matrix/client/v3/rooms/!room%3Aexample.com/send/m.room.message";

const suite = channelSuite({
  channel: matrix,
  settings: (homeserver) => ({ homeserver: `${homeserver}/`, accessToken: "syt_x", roomId: "!room:example.com" }),
  validate: ({ method, path, headers, body }) => {
    expect([method, headers.authorization]).toEqual(["PUT", "Bearer syt_x"]);
    expect(path.startsWith(`${ROOM}/`)).toBe(true);
    expect(Buffer.byteLength(body)).toBeLessThan(65_536 - 2_000);
    event.parse(JSON.parse(body));
  },
  success: { status: 200, body: { event_id: "$1" } },
  revoked: { status: 401, body: { errcode: "M_UNKNOWN_TOKEN", error: "Unrecognised access token" } },
  limited: { status: 429, body: { errcode: "M_LIMIT_EXCEEDED", error: "Too many requests", retry_after_ms: 6_500 } },
  falseSuccesses: [{ status: 200, body: "<html>" }],
});

test("the transaction is the alert's id, so that a repeat is no second message", async () => {
  expect((await suite.sent(alertOf())).path).toBe(`${ROOM}/${alertOf().alertId}`);
});

test("markup in a name is shown, not rendered", async () => {
  const { formatted_body } = JSON.parse((await suite.sent(hostile(HOSTILE.markup!))).body);
  expect(formatted_body).toContain("&#60;b&#62;x&#60;/b&#62;");
});
