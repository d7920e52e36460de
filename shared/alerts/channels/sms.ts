/**
 * Alert channel `sms`: a text message to one phone number, through Amazon SNS. Off by default: it needs the permission to
 * publish to any number. https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html
 */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import * as z from "zod/mini";
import { sms as smsText } from "../render.ts";
import { smsDigest } from "../text.ts";
import type { Channel } from "./channel.ts";
import { matching, shown } from "./fields.ts";
import { answerOf } from "./refusals.ts";
import { SMS_TYPE } from "./sns.ts";

const message = (phoneNumber: string, text: string): PublishCommandInput => ({
  PhoneNumber: phoneNumber,
  Message: text,
  MessageAttributes: SMS_TYPE,
});

export const sms: Channel<{ readonly phoneNumber: string }, PublishCommandInput> = {
  title: "SMS",
  summary: "Sends a text message to one phone number, through Amazon SNS.",
  reference: "https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html",
  audience: "people",
  needs: "the permission to send SMS (context `smsAlerts`)",
  rate: { messages: 20, seconds: 1 },
  settings: z.strictObject({
    phoneNumber: shown(
      matching(/^\+[1-9]\d{6,14}$/, "a phone number with its country, such as +41791234567"),
      "Phone number with its country (E.164).",
    ),
  }),
  example: { phoneNumber: "+41791234567" },
  isSetUp: ({ allowsSms = false }) => allowsSms,
  render: (alert, { phoneNumber }) => message(phoneNumber, smsText(alert)),
  renderDigest: (digest, { phoneNumber }) => message(phoneNumber, smsDigest(digest)),
  send: (message, { publish }, signal) => answerOf(publish(message, signal)),
};
