/**
 * Alert channel `teams`: a workflow of Microsoft Teams ("Post to a channel when a webhook request is received"), which
 * takes a message with an Adaptive Card and answers 202.
 * https://support.microsoft.com/en-us/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498.
 * Limits (28 KB, four requests a second):
 * https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook. Texts are
 * `TextRun`s, which have no Markdown and no mentions (https://adaptivecards.io/explorer/TextRun.html).
 */
import * as z from "zod/mini";
import { ACKNOWLEDGE, details, digestLines, digestTitle, markedTitle } from "../text.ts";
import { secret, url } from "./fields.ts";
import { httpChannel, postJson } from "./http-channel.ts";

const run = (text: string, how: object = {}) => ({
  type: "RichTextBlock",
  inlines: [{ type: "TextRun", text, ...how }],
});

const open = (title: string, url: string | null | undefined) => (url ? [{ type: "Action.OpenUrl", title, url }] : []);

const card = (webhook: string, title: string, lines: readonly string[], actions: object[]) =>
  postJson(webhook, {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          // What a notification shows.
          fallbackText: title,
          msteams: { width: "Full" },
          body: [run(title, { weight: "Bolder", size: "Medium" }), ...lines.map((line) => run(line))],
          ...(actions.length > 0 && { actions }),
        },
      },
    ],
  });

export const teams = httpChannel<{ readonly url: string }>({
  title: "Microsoft Teams",
  summary: "Posts to a channel or chat of Microsoft Teams, through a workflow.",
  reference:
    "https://support.microsoft.com/en-us/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498",
  audience: "people",
  rate: { messages: 4, seconds: 1 },
  settings: z.strictObject({
    url: secret(url(), "URL of the workflow that posts when a webhook request is received."),
  }),
  example: { url: "https://prod-00.westeurope.logic.azure.com/workflows/0123/triggers/manual/paths/invoke?sig=XXXX" },
  render: (alert, { url }) =>
    card(url, markedTitle(alert), details(alert), [
      ...open(ACKNOWLEDGE, alert.acknowledgeUrl),
      ...open("Details", alert.url),
    ]),
  renderDigest: (digest, { url }) => card(url, digestTitle(digest), digestLines(digest), open("Details", digest.url)),
});
