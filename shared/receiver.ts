/**
 * Receivers as text: the keys of an outbox's deliveries, remembered by incidents and shown by the API. Made and taken
 * apart here and nowhere else. Pure.
 */
import type { ChannelName } from "./alerts/channels/index.ts";

/**
 * `incident` is the incident's own item in the table, `system` the topic with news of the monitoring itself. The others
 * are people: a channel, and what tells one receiver of it from the next (`sns`, `email:ops@example.com`).
 */
export type Receiver = "incident" | "system" | ChannelName | `${ChannelName}:${string}`;

/** @param target the address within the channel, for a channel that has several receivers */
export const receiverOf = (channel: ChannelName, target?: string): Receiver =>
  target === undefined ? channel : `${channel}:${target}`;

/** @returns any text as a name: stored by another version, a receiver may be of a channel that this one does not have */
export function parseReceiver(receiver: string): { readonly channel: string; readonly target: string | undefined } {
  const colon = receiver.indexOf(":");
  return colon < 0
    ? { channel: receiver, target: undefined }
    : { channel: receiver.slice(0, colon), target: receiver.slice(colon + 1) };
}
