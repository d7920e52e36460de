/** Adapts the clients of AWS to what alert channels need. */
import { type SESClient, SendRawEmailCommand } from "@aws-sdk/client-ses";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { Outside } from "./channels/channel.ts";
import { type Mail, writeMail } from "./mime.ts";

interface Clients extends Omit<Outside, "publish" | "sendMail"> {
  readonly sns: Pick<SNSClient, "send">;
  readonly ses: Pick<SESClient, "send">;
}

const rawMail = (mail: Mail) =>
  new SendRawEmailCommand({
    Source: mail.from,
    Destinations: [mail.to],
    RawMessage: { Data: Buffer.from(writeMail(mail)) },
  });

export const outsideOf = ({ sns, ses, ...others }: Clients): Outside => ({
  ...others,
  publish: (input, abortSignal) => sns.send(new PublishCommand(input), { abortSignal }),
  sendMail: (mail, abortSignal) => ses.send(rawMail(mail), { abortSignal }),
});
