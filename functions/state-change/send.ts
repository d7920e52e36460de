/** Makes one delivery attempt: to an alert channel, to topic `system`, or to the incident's own item. */
import { type Answer, delivered, refused } from "../../shared/alerts/channels/answer.ts";
import type { Outside } from "../../shared/alerts/channels/channel.ts";
import { channelOf } from "../../shared/alerts/channels/index.ts";
import { sns, systemNotice } from "../../shared/alerts/channels/sns.ts";
import type { Monitor } from "../../shared/model.ts";
import type { AttemptResult, DueDelivery } from "../../shared/rules/outbox.ts";
import type { DecisionStore, OutboxItem } from "../../shared/store/decisions.ts";
import type { Send } from "./deliver.ts";

/** Timeout of an attempt, so that a slow receiver does not block the batch; the delivery is then retried later. */
const ATTEMPT_TIMEOUT_MS = 10_000;

const said = (error: unknown) => {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
};

/** Sends a message that is ready. */
type Attempt = (signal: AbortSignal) => Promise<Answer>;

export const createSend = (outside: Outside, decisions: DecisionStore, now: () => Date): Send => {
  /** @throws Error if the message cannot be made: a bug of ours */
  const prepare = ({ receiver, content, sequence }: DueDelivery, item: OutboxItem): Attempt => {
    switch (content.kind) {
      case "incident": {
        const { incident } = content;
        const owner = item as OutboxItem & Pick<Monitor, "id" | "name">;
        return async () => {
          await decisions.projectIncident(owner, incident, sequence);
          return delivered("");
        };
      }
      case "system": {
        const notice = systemNotice(content, outside);
        return (signal) => sns.send(notice, outside, signal);
      }
      case "alert": {
        const { channel, settings } = channelOf(receiver);
        const message = channel.render(content.alert, settings, { ...outside, now: now() });
        return (signal) => channel.send(message, outside, signal);
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
