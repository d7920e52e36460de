/** Makes one delivery attempt: to a receiver's mailbox, to topic `system`, to an item of an incident or change, or to the history. */
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import { type Answer, delivered, refused } from "../../shared/alerts/channels/answer.ts";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { sns, systemNotice } from "../../shared/alerts/channels/sns.ts";
import type { Monitor, Timestamp } from "../../shared/model.ts";
import { parseReceiver } from "../../shared/receiver.ts";
import type { AttemptResult, DueDelivery } from "../../shared/rules/outbox.ts";
import type { Policy } from "../../shared/rules/policies.ts";
import { systemAlert, systemReceivers } from "../../shared/rules/system.ts";
import type { ChangeStore } from "../../shared/store/changes.ts";
import type { DecisionStore, OutboxItem } from "../../shared/store/decisions.ts";
import type { Post } from "../../shared/store/mailbox.ts";
import type { StretchStore } from "../../shared/store/stretches.ts";
import type { SystemMessage } from "../../shared/system-events.ts";
import type { Send } from "./deliver.ts";
import type { TellPages } from "./page-news.ts";

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

const said = (error: unknown) => {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
};

/** Sends a message that is ready. */
type Attempt = (signal: AbortSignal) => Promise<Answer>;

interface Dependencies {
  readonly outside: Outside;
  readonly decisions: Pick<DecisionStore, "projectIncident">;
  readonly stretches: Pick<StretchStore, "record">;
  readonly changes: Pick<ChangeStore, "project">;
  readonly policies: () => Promise<readonly Policy[]>;
  /** Names of the channels that this deployment can use. */
  readonly channels: readonly string[];
  /** Tells status pages of an incident. */
  readonly tellPages: TellPages;
  /** Puts an alert into a receiver's mailbox. */
  readonly post: (mail: Post) => Promise<void>;
}

export const createSend = (dependencies: Dependencies): Send => {
  const { outside, decisions, stretches, changes, policies, channels, tellPages, post } = dependencies;

  /** By the policies as they are now. Repeated, it posts nothing twice. */
  const tellByPolicies = async ({ event, ...message }: SystemMessage, createdAt: Timestamp, sequence: number) => {
    if (!event) return;
    const alert = systemAlert({ event, ...message }, sequence, createdAt);
    for (const receiver of systemReceivers(event, await policies()))
      if (channels.includes(parseReceiver(receiver).channel)) await post({ receiver, alert, createdAt, sequence });
  };

  /** @throws Error if the message cannot be made: a bug of ours */
  const prepare = ({ receiver, content, createdAt, sequence }: DueDelivery, item: OutboxItem): Attempt => {
    switch (content.kind) {
      case "incident": {
        const { incident } = content;
        const owner = item as OutboxItem & Pick<Monitor, "id" | "name">;
        return async () => {
          await decisions.projectIncident(owner, incident, sequence);
          await tellPages(owner, incident);
          return delivered("");
        };
      }
      case "status": {
        const { stretch } = content;
        const { id } = item as OutboxItem & Pick<Monitor, "id">;
        return async () => {
          await stretches.record(id, stretch, sequence);
          return delivered("");
        };
      }
      case "change": {
        const { change } = content;
        const owner = item as OutboxItem & Pick<Monitor, "id" | "name">;
        return async () => {
          await changes.project(owner, change, sequence);
          return delivered("");
        };
      }
      case "system": {
        const notice = systemNotice(content, outside);
        return async (signal) => {
          await tellByPolicies(content, createdAt, sequence);
          return content.isPublished ? delivered("") : sns.send(notice, outside, signal);
        };
      }
      case "alert": {
        const { alert } = content;
        return async () => {
          await post({ receiver, alert, createdAt, sequence });
          return delivered("");
        };
      }
    }
  };

  return async (due, item): Promise<AttemptResult> => {
    let attempt: Attempt;
    try {
      attempt = prepare(due, item);
    } catch (error) {
      return { kind: "fault", error: said(error), cause: error };
    }
    try {
      return await attempt(AbortSignal.timeout(ATTEMPT_TIMEOUT_MS));
    } catch (error) {
      return refused(said(error));
    }
  };
};
