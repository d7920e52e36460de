/**
 * Formats and parses receivers of deliveries. The text is the key of a delivery in an outbox, and is stored in
 * incidents and shown by the API. Pure.
 */
import type { ChannelName } from "./alerts/channels/index.ts";

/**
 * `incident` is the incident's own item in the table, `status` the stretches of status in the history, `change` a change's own item, `system` the topic
 * about the monitoring itself. The others are alert channels, with a target if the channel has several receivers (`sns`,
 * `email:ops@example.com`), or channels that users set up (`channel:<id>`).
 */
export type Receiver =
  | "incident"
  | "status"
  | "change"
  | "system"
  | ChannelName
  | `${ChannelName | typeof STORED_CHANNEL}:${string}`;

/** The channel's name in the text of a receiver that is a channel which users set up; its id is the target. */
export const STORED_CHANNEL = "channel";

/** The receiver of a channel that users set up. */
export const receiverOfStored = (channelId: string): Receiver => `${STORED_CHANNEL}:${channelId}`;

/** @param target the address within the channel, for a channel that has several receivers */
export const receiverOf = (channel: ChannelName, target?: string): Receiver =>
  target === undefined ? channel : `${channel}:${target}`;

/** Does not check the channel's name: a receiver stored by another version may have a channel that is unknown here. */
export function parseReceiver(receiver: string): { readonly channel: string; readonly target: string | undefined } {
  const colon = receiver.indexOf(":");
  return colon < 0
    ? { channel: receiver, target: undefined }
    : { channel: receiver.slice(0, colon), target: receiver.slice(colon + 1) };
}
