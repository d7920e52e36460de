/** Finds how a receiver is reached: the channel, its settings and secrets. */
import { type Answer, refused } from "../../shared/alerts/channels/answer.ts";
import type { Channel } from "../../shared/alerts/channels/channel.ts";
import { channelOf, channels } from "../../shared/alerts/channels/index.ts";
import { parseReceiver, STORED_CHANNEL } from "../../shared/receiver.ts";
import type { ChannelStore } from "../../shared/store/channels.ts";

export interface Target {
  readonly channel: Channel;
  /** With the secrets. */
  readonly settings: unknown;
  readonly secrets: Readonly<Record<string, unknown>>;
  /** Of a channel that was deleted: ids of the incidents whose end alone it is still told. */
  readonly owed?: ReadonlySet<string>;
}

/** A receiver's text that is not valid: a bug of ours, which is the cause. */
export class UnknownReceiver extends Error {}

export const DELETED = refused("the channel was deleted", { isPermanent: true });

/**
 * @returns an answer if the channel was deleted and is told nothing more
 * @throws UnknownReceiver, or any error of the table
 */
export type FindTarget = (receiver: string) => Promise<Target | Answer>;

const named = (receiver: string): Target => {
  try {
    return { ...channelOf(receiver), secrets: {} };
  } catch (error) {
    throw new UnknownReceiver(`there is no receiver ${receiver}`, { cause: error });
  }
};

/** @param now for what is left of deleted channels, which expires */
export const createFindTarget =
  (stored: Pick<ChannelStore, "get" | "secrets" | "retired">, now: () => Date): FindTarget =>
  async (receiver) => {
    const { channel: name, target: id } = parseReceiver(receiver);
    if (name !== STORED_CHANNEL || id === undefined) return named(receiver);
    const [channel, secrets] = await Promise.all([stored.get(id), stored.secrets(id)]);
    const found = channel ? { ...channel, secrets } : await stored.retired(id, now());
    if (!found) return DELETED;
    if (found === "leaving") return refused("the channel is being deleted");
    const { kind, settings } = found;
    return {
      channel: channels[kind],
      settings: { ...settings, ...found.secrets },
      secrets: found.secrets,
      ...("owed" in found && { owed: found.owed }),
    };
  };
