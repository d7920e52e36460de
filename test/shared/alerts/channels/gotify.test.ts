import { expect } from "vitest";
import { z } from "zod";
import { gotify } from "../../../../shared/alerts/channels/gotify.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

const message = z.strictObject({
  title: z.string().min(1),
  message: z.string().min(1),
  priority: z.int().min(0).max(10),
  extras: z.strictObject({
    "client::display": z.strictObject({ contentType: z.literal("text/plain") }),
    "client::notification": z.strictObject({ click: z.strictObject({ url: z.url() }) }),
  }),
});

channelSuite({
  channel: gotify,
  settings: (server) => ({ server: `${server}/gotify/`, token: "AbC" }),
  validate: ({ path, headers, body }) => {
    expect([path, headers["x-gotify-key"]]).toEqual(["/gotify/message", "AbC"]);
    message.parse(JSON.parse(body));
  },
  success: { status: 200, body: { id: 25, appid: 5 } },
  revoked: { status: 401, body: { error: "Unauthorized", errorCode: 401 } },
  falseSuccesses: [{ status: 200, body: "<html>" }],
});
