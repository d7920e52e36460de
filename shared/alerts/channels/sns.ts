/** Alert channel `sns`: publishes to topic `alerts`, whose subscribers choose what they get by filter policies. */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import * as z from "zod/mini";
import { attributes, snsMessage, snsSubject, toAscii } from "../render.ts";
import type { Channel, Outside } from "./channel.ts";
import { isInvalidParameter } from "./refusals.ts";

/** Without it SNS sends SMS as "Promotional", which carriers may delay or drop. */
const SMS_TYPE = { "AWS.SNS.SMS.SMSType": { DataType: "String", StringValue: "Transactional" } };

export const sns: Channel<object, PublishCommandInput> = {
  audience: "machines",
  // Standard topics take 300 and more, by region.
  rate: null,
  settings: z.strictObject({}),
  target: null,
  isSetUp: () => true,
  render: (alert, _, { topics }) => ({
    TopicArn: topics.alerts,
    Subject: snsSubject(alert),
    Message: snsMessage(alert),
    MessageStructure: "json",
    MessageAttributes: { ...attributes(alert), ...SMS_TYPE },
  }),
  send: (message, { publish }, signal) => publish(message, signal),
  isPermanent: isInvalidParameter,
};

/** A message for topic `system`, about the monitoring itself. */
export const systemNotice = (
  { subject, message }: { readonly subject: string; readonly message: string },
  { topics }: Outside,
): PublishCommandInput => ({
  TopicArn: topics.system,
  Subject: toAscii(subject).slice(0, 99),
  Message: message,
  MessageAttributes: SMS_TYPE,
});
