/** Alert channel `sns`: publishes to topic `alerts`, for programs, which choose what they get by filter policies. */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import * as z from "zod/mini";
import type { Alert } from "../../model.ts";
import { mailText } from "../mail.ts";
import { attributes, MAX_SUBJECT, sms, snsSubject, toAscii } from "../render.ts";
import type { Channel, RenderContext } from "./channel.ts";
import { answerOf } from "./refusals.ts";

/** Without it SNS sends SMS as "Promotional", which carriers may delay or drop. */
export const SMS_TYPE = { "AWS.SNS.SMS.SMSType": { DataType: "String", StringValue: "Transactional" } };

/** The `Message` of a publication with `MessageStructure: json`: the alert for machines, text for people. */
export const snsMessage = (alert: Alert): string =>
  JSON.stringify({ default: JSON.stringify(alert), email: mailText(alert), sms: sms(alert) });

export const sns: Channel<object, PublishCommandInput> = {
  title: "Topic for programs",
  summary: "Publishes to the topic `alerts`, for the programs that subscribe by `/v1/subscriptions`.",
  reference: "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html",
  audience: "machines",
  // The lowest quota of a standard topic in any region.
  rate: { messages: 300, seconds: 1 },
  settings: z.strictObject({}),
  example: {},
  target: null,
  isSetUp: () => true,
  render: (alert, _, { topics }) => ({
    TopicArn: topics.alerts,
    Subject: snsSubject(alert),
    Message: snsMessage(alert),
    MessageStructure: "json",
    MessageAttributes: { ...attributes(alert), ...SMS_TYPE },
  }),
  send: (message, { publish }, signal) => answerOf(publish(message, signal)),
};

/** A message for topic `system`, about the monitoring itself. */
export const systemNotice = (
  { subject, message }: { readonly subject: string; readonly message: string },
  { topics }: Pick<RenderContext, "topics">,
): PublishCommandInput => ({
  TopicArn: topics.system,
  Subject: toAscii(subject).slice(0, MAX_SUBJECT),
  Message: message,
  MessageAttributes: SMS_TYPE,
});
