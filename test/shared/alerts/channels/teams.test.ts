import { expect, test } from "vitest";
import { z } from "zod";
import { teams } from "../../../../shared/alerts/channels/teams.ts";
import { alertOf } from "../../../support/alerts.ts";
import { channelSuite } from "../../../support/channel-suite.ts";

/** RichTextBlock and Action.OpenUrl of Adaptive Cards 1.2 and later; a TextRun has no markup. */
const card = z.strictObject({
  type: z.literal("message"),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal("application/vnd.microsoft.card.adaptive"),
      contentUrl: z.null(),
      content: z.strictObject({
        $schema: z.literal("http://adaptivecards.io/schemas/adaptive-card.json"),
        type: z.literal("AdaptiveCard"),
        version: z.literal("1.4"),
        fallbackText: z.string(),
        msteams: z.strictObject({ width: z.literal("Full") }),
        body: z
          .array(
            z.strictObject({
              type: z.literal("RichTextBlock"),
              inlines: z.tuple([
                z.strictObject({
                  type: z.literal("TextRun"),
                  text: z.string().min(1),
                  weight: z.enum(["Bolder"]).optional(),
                  size: z.enum(["Medium"]).optional(),
                }),
              ]),
            }),
          )
          .min(2),
        actions: z.array(z.strictObject({ type: z.literal("Action.OpenUrl"), title: z.string(), url: z.url() })),
      }),
    }),
  ]),
});

const suite = channelSuite({
  channel: teams,
  settings: (url) => ({ url: `${url}/workflows/1/triggers/manual/paths/invoke?sig=X` }),
  validate: ({ path, body }) => {
    expect(path).toBe("/workflows/1/triggers/manual/paths/invoke?sig=X");
    expect(Buffer.byteLength(body)).toBeLessThan(28 * 1024);
    card.parse(JSON.parse(body));
  },
  success: { status: 202 },
  revoked: { status: 404, body: { error: { code: "WorkflowNotFound", message: "The workflow could not be found." } } },
});

test("the card's first line says what and where", async () => {
  const { attachments } = JSON.parse((await suite.sent(alertOf())).body);
  expect(attachments[0].content.body[0].inlines[0].text).toBe(
    "🔴 DOWN: Orders database is down (postgresql db.example.com:5432)",
  );
});
