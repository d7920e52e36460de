/** Finds how a receiver is reached: the channel, its settings and secrets. */
import type { Channel } from "../../shared/alerts/channels/channel.ts";
import { channelOf, channels } from "../../shared/alerts/channels/index.ts";
import { parseReceiver, STORED_CHANNEL } from "../../shared/receiver.ts";
import type { ChannelStore } from "../../shared/store/channels.ts";

export interface Target {
  readonly channel: Channel;
  /** With the secrets. */
  readonly settings: unknown;
  readonly secrets: Readonly<Record<string, unknown>>;
}

/** A receiver's text that is not valid: a bug of ours, which is the cause. */
export class UnknownReceiver extends Error {}

/**
 * @returns null if the channel was deleted
 * @throws UnknownReceiver, or any error of the table
 */
export type FindTarget = (receiver: string) => Promise<Target | null>;

const named = (receiver: string): Target => {
  try {
    return { ...channelOf(receiver), secrets: {} };
  } catch (error) {
    throw new UnknownReceiver(`there is no receiver ${receiver}`, { cause: error });
  }
};

export const createFindTarget =
  (stored: Pick<ChannelStore, "get" | "secrets">): FindTarget =>
  async (receiver) => {
    const { channel: name, target: id } = parseReceiver(receiver);
    if (name !== STORED_CHANNEL || id === undefined) return named(receiver);
    const [channel, secrets] = await Promise.all([stored.get(id), stored.secrets(id)]);
    return channel ? { channel: channels[channel.kind], settings: { ...channel.settings, ...secrets }, secrets } : null;
  };
