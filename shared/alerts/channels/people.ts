/**
 * Alert channel `people`: publishes to topic `people`, which mail and SMS subscribe to. It is apart from topic `alerts` because SNS
 * deactivates a mail subscription that gets more than 10 messages a second, and deletes it 48 hours later:
 * https://repost.aws/knowledge-center/sns-email-subscription-disabled. So it is paced, and many alerts at once are one message.
 */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import * as z from "zod/mini";
import { digestPlainText, mailText } from "../mail.ts";
import { attributes, MAX_SUBJECT, sms, snsSubject, toAscii, unitedAttributes } from "../render.ts";
import { digestTitle, smsDigest } from "../text.ts";
import type { Channel } from "./channel.ts";
import { answerOf } from "./refusals.ts";
import { SMS_TYPE } from "./sns.ts";

/** The `Message` of a publication with `MessageStructure: json`. */
const messageOf = (email: string, smsText: string) => JSON.stringify({ default: email, email, sms: smsText });

export const people: Channel<object, PublishCommandInput> = {
  title: "Topic for people",
  summary: "Publishes to the topic `people`, for the mail and SMS subscribers of `/v1/subscriptions`.",
  reference: "https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html",
  audience: "people",
  // Less than half of what SNS takes for mail: two passes may follow each other, and tests of subscriptions come on top.
  rate: { messages: 4, seconds: 1 },
  settings: z.strictObject({}),
  example: {},
  target: null,
  isSetUp: () => true,
  render: (alert, _, { topics }) => ({
    TopicArn: topics.people,
    Subject: snsSubject(alert),
    Message: messageOf(mailText(alert), sms(alert)),
    MessageStructure: "json",
    MessageAttributes: { ...attributes(alert), ...SMS_TYPE },
  }),
  // Whoever filters gets the whole digest if any alert in it passes.
  renderDigest: (digest, _, { topics }) => ({
    TopicArn: topics.people,
    Subject: toAscii(digestTitle(digest)).slice(0, MAX_SUBJECT),
    Message: messageOf(digestPlainText(digest), smsDigest(digest)),
    MessageStructure: "json",
    MessageAttributes: { ...unitedAttributes(digest.alerts), ...SMS_TYPE },
  }),
  send: (message, { publish }, signal) => answerOf(publish(message, signal)),
};
