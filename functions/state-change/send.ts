/** Makes one delivery attempt: to a receiver's mailbox, to topic `system`, or to the incident's own item. */
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { sns, systemNotice } from "../../shared/alerts/channels/sns.ts";
import type { Monitor } from "../../shared/model.ts";
import type { AttemptResult, DueDelivery } from "../../shared/rules/outbox.ts";
import type { DecisionStore, OutboxItem } from "../../shared/store/decisions.ts";
import type { Post } from "../../shared/store/mailbox.ts";
import type { Send } from "./deliver.ts";

/** Timeout of an attempt, so that a slow topic does not block the batch; the delivery is then retried later. */
const ATTEMPT_TIMEOUT_MS = 10_000;

interface Receivers extends Pick<Outside, "topics" | "sender"> {
  readonly sns: Pick<SNSClient, "send">;
}

/** What channels are told of this deployment. Only topic `system` is reached from here; `deliver` sends the rest. */
export const receiversOf = ({ sns, topics, sender }: Receivers): Outside => ({
  publish: (input, abortSignal) => sns.send(new PublishCommand(input), { abortSignal }),
  sendMail: () => Promise.reject(new Error("state-change sends no mail")),
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

interface Dependencies {
  readonly outside: Outside;
  readonly decisions: Pick<DecisionStore, "projectIncident">;
  /** Puts an alert into a receiver's mailbox. */
  readonly post: (mail: Post) => Promise<void>;
}

export const createSend = ({ outside, decisions, post }: Dependencies): Send => {
  const prepare = ({ receiver, content, createdAt, sequence }: DueDelivery, item: OutboxItem): Ready => {
    switch (content.kind) {
      case "incident": {
        const { incident } = content;
        const owner = item as OutboxItem & Pick<Monitor, "id" | "name">;
        return { send: () => decisions.projectIncident(owner, incident, sequence), isPermanent: () => false };
      }
      case "system": {
        const notice = systemNotice(content, outside);
        return { send: (signal) => outside.publish(notice, signal), isPermanent: sns.isPermanent };
      }
      case "alert": {
        const { alert } = content;
        return { send: () => post({ receiver, alert, createdAt, sequence }), isPermanent: () => false };
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
