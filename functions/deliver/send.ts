/** Makes one delivery attempt through an alert channel. */
import { type SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { channelOf } from "../../shared/alerts/channels/index.ts";
import { ATTEMPT_MS, type Answer, type Mail } from "../../shared/rules/mailbox.ts";

/** Makes one delivery attempt. Never throws: a failure is an answer. */
export type Send = (mail: Pick<Mail, "receiver" | "alert">) => Promise<Answer>;

interface Receivers extends Pick<Outside, "topics" | "sender"> {
  readonly sns: Pick<SNSClient, "send">;
  readonly ses: Pick<SESClient, "send">;
}

/** Adapts the clients of SNS and SES to what channels need. */
export const receiversOf = ({ sns, ses, topics, sender }: Receivers): Outside => ({
  publish: (input, abortSignal) => sns.send(new PublishCommand(input), { abortSignal }),
  sendMail: (input, abortSignal) => ses.send(new SendEmailCommand(input), { abortSignal }),
  topics,
  sender,
});

const saidBy = (error: unknown) => {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
};

export const createSend =
  (outside: Outside): Send =>
  async ({ receiver, alert }) => {
    let prepared: { readonly channel: ReturnType<typeof channelOf>["channel"]; readonly message: unknown };
    try {
      const { channel, settings } = channelOf(receiver);
      prepared = { channel, message: channel.render(alert, settings, outside) };
    } catch (error) {
      return { kind: "fault", error: saidBy(error), cause: error };
    }
    const { channel, message } = prepared;
    try {
      await channel.send(message, outside, AbortSignal.timeout(ATTEMPT_MS));
      return { kind: "delivered", said: "accepted" };
    } catch (error) {
      const isPermanent = channel.isPermanent(error as Error);
      return { kind: "refused", isPermanent, error: saidBy(error), retryAfterSeconds: null };
    }
  };
