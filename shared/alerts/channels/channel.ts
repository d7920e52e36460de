/** Interface of an alert channel: how it renders and sends an alert, and which errors are permanent. */
import type { SendEmailCommandInput } from "@aws-sdk/client-ses";
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import type { z } from "zod/mini";
import type { Alert } from "../../model.ts";

/** One row of the registry; its key there is the channel's name. */
export interface Channel<Settings = unknown, Message = unknown> {
  /** `people` get digests when many alerts come at once; `machines` get each alert. */
  readonly audience: "people" | "machines";
  /** Most messages that the service documents to take; null if it names no number. */
  readonly rate: { readonly messages: number; readonly seconds: number } | null;
  /** Strict schema of one receiver's settings. */
  readonly settings: z.ZodMiniType<Settings>;
  /** Name of the setting in the receiver's text (`email:<address>`); null if the channel has a single receiver. */
  readonly target: string | null;
  /** Whether this deployment can use the channel. */
  isSetUp(outside: Outside): boolean;
  /** Renders the complete message. An exception is a bug of ours, not a refusal by the receiver. */
  render(alert: Alert, settings: Settings, outside: Outside): Message;
  /** Renders many alerts as one message; for people's channels. */
  renderDigest?(digest: Digest, settings: Settings, outside: Outside): Message;
  /** @throws Error if the receiver or the network does not take the message */
  send(message: Message, outside: Outside, signal: AbortSignal): Promise<unknown>;
  /** Whether an error of `send` is permanent, so that a retry cannot help. */
  isPermanent(refusal: Error): boolean;
}

/** Many alerts in one message. */
export interface Digest {
  /** Id of its own. */
  readonly id: string;
  /** At least one, worst first. */
  readonly alerts: readonly Alert[];
  /** Where to read all of them. */
  readonly url: string | null;
}

/** Outgoing services that the deployment gives to all channels. */
export interface Outside {
  /** Publishes to SNS. */
  readonly publish: (input: PublishCommandInput, signal: AbortSignal) => Promise<unknown>;
  /** Sends mail by SES. */
  readonly sendMail: (input: SendEmailCommandInput, signal: AbortSignal) => Promise<unknown>;
  /** ARNs. */
  readonly topics: { readonly alerts: string; readonly system: string };
  /** Verified sender address of mail; undefined if mail is off. */
  readonly sender: string | undefined;
}
