/** Topic `alerts`: one receiver, behind which subscribers choose for themselves what they hear. */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import * as z from "zod/mini";
import { attributes, snsMessage, snsSubject, toAscii } from "../render.ts";
import type { Channel, Outside } from "./channel.ts";
import { isInvalidParameter } from "./refusals.ts";

/** Without it SNS sends text messages when it is cheap, and a carrier may drop them. */
const SMS_TYPE = { "AWS.SNS.SMS.SMSType": { DataType: "String", StringValue: "Transactional" } };

export const sns: Channel<object, PublishCommandInput> = {
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

/** News of the monitoring itself, for topic `system`. */
export const systemNotice = (
  { subject, message }: { readonly subject: string; readonly message: string },
  { topics }: Outside,
): PublishCommandInput => ({
  TopicArn: topics.system,
  Subject: toAscii(subject).slice(0, 99),
  Message: message,
  MessageAttributes: SMS_TYPE,
});
