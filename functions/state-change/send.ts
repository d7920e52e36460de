/** The outside edge of state-change: SNS, SES, and the incident's own item. */
import { type SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import {
  attributes,
  mailHtml,
  mailSubject,
  mailText,
  snsMessage,
  snsSubject,
  toAscii,
} from "../../shared/alerts/render.ts";
import type { Monitor } from "../../shared/model.ts";
import type { AttemptResult, DueDelivery } from "../../shared/rules/outbox.ts";
import type { DecisionStore, OutboxItem } from "../../shared/store/decisions.ts";
import type { Send } from "./deliver.ts";

/** One slow receiver must not hold up the batch: after so long the attempt has failed and is tried again later. */
const ATTEMPT_TIMEOUT_MS = 10_000;

/** Refusals that trying again cannot change. Everything else (throttling, 5xx, denied access, SES's set-up) may pass. */
const PERMANENT = new Set([
  "InvalidParameter",
  "InvalidParameterException",
  "InvalidParameterValue",
  "InvalidParameterValueException",
  "MessageRejected",
]);

/** SES also rejects for an address that its owner has not confirmed yet, or that SES forgot: that passes. */
const UNCONFIRMED = /Email address is not verified/i;

/** Without it SNS sends text messages when it is cheap, and a carrier may drop them. */
const SMS_TYPE = { "AWS.SNS.SMS.SMSType": { DataType: "String", StringValue: "Transactional" } };

interface Options {
  readonly sns: Pick<SNSClient, "send">;
  readonly ses: Pick<SESClient, "send">;
  /** ARNs. */
  readonly topics: { readonly alerts: string; readonly system: string };
  /** The verified sender; undefined when mail is off. */
  readonly sender: string | undefined;
  readonly decisions: DecisionStore;
}

export const createSend = ({ sns, ses, topics, sender, decisions }: Options): Send => {
  const perform = async ({ receiver, content, sequence }: DueDelivery, item: OutboxItem): Promise<void> => {
    const abortSignal = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS);
    if (content.kind === "incident") {
      await decisions.projectIncident(item as OutboxItem & Pick<Monitor, "id" | "name">, content.incident, sequence);
    } else if (content.kind === "system") {
      const { subject, message } = content;
      await sns.send(
        new PublishCommand({
          TopicArn: topics.system,
          Subject: toAscii(subject).slice(0, 99),
          Message: message,
          MessageAttributes: SMS_TYPE,
        }),
        { abortSignal },
      );
    } else if (receiver === "sns") {
      const { alert } = content;
      await sns.send(
        new PublishCommand({
          TopicArn: topics.alerts,
          Subject: snsSubject(alert),
          Message: snsMessage(alert),
          MessageStructure: "json",
          MessageAttributes: { ...attributes(alert), ...SMS_TYPE },
        }),
        { abortSignal },
      );
    } else {
      const { alert } = content;
      const text = (Data: string) => ({ Data, Charset: "UTF-8" });
      await ses.send(
        new SendEmailCommand({
          Source: sender,
          Destination: { ToAddresses: [receiver.slice("email:".length)] },
          Message: {
            Subject: text(mailSubject(alert)),
            Body: { Text: text(mailText(alert)), Html: text(mailHtml(alert)) },
          },
        }),
        { abortSignal },
      );
    }
  };

  return async (due, item): Promise<AttemptResult> => {
    try {
      await perform(due, item);
      return { ok: true };
    } catch (error) {
      const { name, message } = error as Error;
      return { ok: false, permanent: PERMANENT.has(name) && !UNCONFIRMED.test(message), error: `${name}: ${message}` };
    }
  };
};
