/** Adapts the clients of AWS to what alert channels need. */
import { type SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { Outside } from "./channels/channel.ts";

interface Clients extends Omit<Outside, "publish" | "sendMail"> {
  readonly sns: Pick<SNSClient, "send">;
  readonly ses: Pick<SESClient, "send">;
}

export const outsideOf = ({ sns, ses, ...others }: Clients): Outside => ({
  ...others,
  publish: (input, abortSignal) => sns.send(new PublishCommand(input), { abortSignal }),
  sendMail: (input, abortSignal) => ses.send(new SendEmailCommand(input), { abortSignal }),
});
