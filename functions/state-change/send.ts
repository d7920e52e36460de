/** Makes one delivery attempt: to an alert channel, to topic `system`, to the incident's own item, or to the history. */
import { type SESClient, SendEmailCommand } from "@aws-sdk/client-ses";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { channelOf } from "../../shared/alerts/channels/index.ts";
import { sns, systemNotice } from "../../shared/alerts/channels/sns.ts";
import type { Monitor } from "../../shared/model.ts";
import type { AttemptResult, DueDelivery } from "../../shared/rules/outbox.ts";
import type { DecisionStore, OutboxItem } from "../../shared/store/decisions.ts";
import type { StretchStore } from "../../shared/store/stretches.ts";
import type { Send } from "./deliver.ts";

/** Timeout of an attempt, so that a slow receiver does not block the batch; the delivery is then retried later. */
const ATTEMPT_TIMEOUT_MS = 10_000;

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

/** A message that is ready to be sent. */
interface Ready {
  readonly send: (signal: AbortSignal) => Promise<unknown>;
  readonly isPermanent: (refusal: Error) => boolean;
}

const said = (error: unknown) => {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
};

export const createSend = (
  outside: Outside,
  decisions: DecisionStore,
  stretches: Pick<StretchStore, "record">,
): Send => {
  const prepare = ({ receiver, content, sequence }: DueDelivery, item: OutboxItem): Ready => {
    switch (content.kind) {
      case "incident": {
        const { incident } = content;
        const owner = item as OutboxItem & Pick<Monitor, "id" | "name">;
        return { send: () => decisions.projectIncident(owner, incident, sequence), isPermanent: () => false };
      }
      case "status": {
        const { stretch } = content;
        const { id } = item as OutboxItem & Pick<Monitor, "id">;
        return { send: () => stretches.record(id, stretch, sequence), isPermanent: () => false };
      }
      case "system": {
        const notice = systemNotice(content, outside);
        return { send: (signal) => outside.publish(notice, signal), isPermanent: sns.isPermanent };
      }
      case "alert": {
        const { channel, settings } = channelOf(receiver);
        const message = channel.render(content.alert, settings, outside);
        return { send: (signal) => channel.send(message, outside, signal), isPermanent: channel.isPermanent };
      }
    }
  };

  return async (due, item): Promise<AttemptResult> => {
    let ready: Ready;
    try {
      ready = prepare(due, item);
    } catch (error) {
      return { kind: "fault", error: said(error), cause: error };
    }
    try {
      await ready.send(AbortSignal.timeout(ATTEMPT_TIMEOUT_MS));
      return { kind: "delivered" };
    } catch (error) {
      return { kind: "refused", isPermanent: ready.isPermanent(error as Error), error: said(error) };
    }
  };
};
