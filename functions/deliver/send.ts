/** Makes delivery attempts through alert channels. */
import { refused } from "../../shared/alerts/channels/answer.ts";
import type { Channel, Outside } from "../../shared/alerts/channels/channel.ts";
import { type ChannelName, channelOf, channels } from "../../shared/alerts/channels/index.ts";
import type { Alert } from "../../shared/model.ts";
import { parseReceiver } from "../../shared/receiver.ts";
import { type Answer, ATTEMPT_MS } from "../../shared/rules/mailbox.ts";

/** How a receiver wants its messages. */
export interface Manner {
  /** Whether it can get many alerts in one message. */
  readonly takesDigests: boolean;
  /** Milliseconds between two messages. */
  readonly spacingMs: number;
}

export interface Sender {
  readonly mannerOf: (receiver: string) => Manner;
  /** Makes one delivery attempt: of one alert, or of several as a digest. Never throws: a failure is an answer. */
  readonly send: (receiver: string, alerts: readonly Alert[], digestId: string) => Promise<Answer>;
}

const saidBy = (error: unknown) => {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
};

/** @param url where people read all incidents */
export const createSender = (outside: Outside, url: string | null, now: () => Date): Sender => {
  const prepare = (receiver: string, alerts: readonly Alert[], id: string) => {
    const { channel, settings } = channelOf(receiver);
    const [alert] = alerts;
    const context = { ...outside, now: now() };
    const message =
      alerts.length > 1 && channel.renderDigest
        ? channel.renderDigest({ id, alerts, url }, settings, context)
        : channel.render(alert!, settings, context);
    return { channel, message };
  };

  return {
    mannerOf(receiver) {
      const { channel: name } = parseReceiver(receiver);
      const channel: Channel | undefined = Object.hasOwn(channels, name) ? channels[name as ChannelName] : undefined;
      const takesDigests = channel?.audience === "people" && channel.renderDigest !== undefined;
      const rate = channel?.rate;
      return { takesDigests, spacingMs: rate ? (rate.seconds * 1000) / rate.messages : 0 };
    },

    async send(receiver, alerts, digestId) {
      let prepared: ReturnType<typeof prepare>;
      try {
        prepared = prepare(receiver, alerts, digestId);
      } catch (error) {
        return { kind: "fault", error: saidBy(error), cause: error };
      }
      const { channel, message } = prepared;
      try {
        return await channel.send(message, outside, AbortSignal.timeout(ATTEMPT_MS));
      } catch (error) {
        return refused(saidBy(error));
      }
    },
  };
};
