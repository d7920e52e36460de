/** What a file of an alert channel provides: how an alert looks there, how it is sent, and which refusals are final. */
import type { SendEmailCommandInput } from "@aws-sdk/client-ses";
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import type { z } from "zod/mini";
import type { Alert } from "../../model.ts";

/** One row of the registry; its key there is the channel's name. */
export interface Channel<Settings = unknown, Message = unknown> {
  /** Strict schema of what one receiver of this channel is. */
  readonly settings: z.ZodMiniType<Settings>;
  /** The setting that stands in the receiver's text (`email:<address>`); null where the channel has one receiver. */
  readonly target: string | null;
  /** Whether this deployment can send by it. */
  isSetUp(outside: Outside): boolean;
  /** The message, complete. What it throws is a fault of ours: the receiver never heard of it. */
  render(alert: Alert, settings: Settings, outside: Outside): Message;
  /** @throws Error when the receiver, or the way to it, does not take the message */
  send(message: Message, outside: Outside, signal: AbortSignal): Promise<unknown>;
  /** Whether the receiver refused for good: trying again cannot change it. */
  isPermanent(refusal: Error): boolean;
}

/** Where messages go: what the deployment gives to all channels. */
export interface Outside {
  /** SNS. */
  readonly publish: (input: PublishCommandInput, signal: AbortSignal) => Promise<unknown>;
  /** SES. */
  readonly sendMail: (input: SendEmailCommandInput, signal: AbortSignal) => Promise<unknown>;
  /** ARNs. */
  readonly topics: { readonly alerts: string; readonly system: string };
  /** The verified sender of mail; undefined when mail is off. */
  readonly sender: string | undefined;
}
