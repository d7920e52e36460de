/** Interface of an alert channel: its settings, how it renders and sends an alert, and how it judges the answer. */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import type { z } from "zod/mini";
import type { LocationKind } from "../../engine/address-guard.ts";
import type { FieldError } from "../../errors.ts";
import type { Alert } from "../../model.ts";
import type { HttpSend } from "../http.ts";
import type { Mail } from "../mime.ts";
import type { Answer } from "./answer.ts";

/** An alert as it is rendered for one receiver. */
export interface RenderedAlert extends Alert {
  /** Page on which the receiver acknowledges the incident; people alone get one, and only of trouble. */
  readonly acknowledgeUrl?: string | undefined;
}

/** One row of the registry; its key there is the channel's name. */
export interface Channel<Settings = unknown, Message = unknown> {
  /** For people: "Slack". */
  readonly title: string;
  /** One sentence on what it does and what it needs. */
  readonly summary: string;
  /** Page that documents the service's format. */
  readonly reference: string;
  /** `people` get digests when many alerts come at once; `machines` get each alert. */
  readonly audience: "people" | "machines";
  /** Setting of the deployment that turns the channel on, for people; undefined if it needs none. */
  readonly needs?: string;
  /** Whether the service opens something on the first alert of an incident and closes it with the last one. */
  readonly opensIncidents?: boolean;
  /** Most messages that the service documents to take; null if it names no number. */
  readonly rate: { readonly messages: number; readonly seconds: number } | null;
  /** Strict schema of one receiver's settings. Fields marked `writeOnly` are secrets, stored apart and never shown. */
  readonly settings: z.ZodMiniType<Settings>;
  readonly example: Settings;
  /**
   * Name of the setting in the receiver's text (`email:<address>`); null if the channel has a single receiver. Undefined:
   * receivers of this kind have no text, they are stored channels.
   */
  readonly target?: string | null;
  /** What this deployment refuses in settings that are valid by themselves; paths are relative to the settings. */
  errorsHere?(settings: Settings, outside: Outside): readonly FieldError[];
  /** Whether this deployment can use the channel. */
  isSetUp(outside: Outside): boolean;
  /** Renders the complete message. An exception is a bug of ours, not a refusal by the receiver. */
  render(alert: RenderedAlert, settings: Settings, context: RenderContext): Message;
  /** Renders many alerts as one message; for people's channels. */
  renderDigest?(digest: Digest, settings: Settings, context: RenderContext): Message;
  /** Sends a message; a refusal or a fault of the network is an answer. */
  send(message: Message, outside: Outside, signal: AbortSignal): Promise<Answer>;
}

/** Many alerts in one message. */
export interface Digest {
  /** Id of its own, the same each time it is sent again. */
  readonly id: string;
  /** At least one, worst first. */
  readonly alerts: readonly Alert[];
  /** Where to read all of them. */
  readonly url: string | null;
}

/** ARNs of the SNS topics. */
export interface Topics {
  /** Alerts for programs. */
  readonly alerts: string;
  /** Alerts for people by mail and SMS. */
  readonly people: string;
  /** Messages about the monitoring itself. */
  readonly system: string;
}

/** What a message depends on beside the alert and the settings. */
export interface RenderContext {
  readonly topics: Topics;
  /** Verified sender address of mail; undefined if mail is off. */
  readonly sender: string | undefined;
  /** When the message is sent; signatures contain it. */
  readonly now: Date;
}

/** Outgoing services that the deployment gives to all channels. */
export interface Outside extends Omit<RenderContext, "now"> {
  /** Publishes to SNS. */
  readonly publish: (input: PublishCommandInput, signal: AbortSignal) => Promise<unknown>;
  /** Sends mail by SES. */
  readonly sendMail: (mail: Mail, signal: AbortSignal) => Promise<unknown>;
  /** Sends HTTP requests; absent in a function that sends none. */
  readonly http?: HttpSend;
  /** Which addresses `http` may reach. */
  readonly reach?: LocationKind;
  /** Invokes a Lambda function without waiting for its end. */
  readonly invoke?: (input: { functionArn: string; payload: string }, signal: AbortSignal) => Promise<unknown>;
  /** ARNs of the functions that may be invoked. Default: none. */
  readonly alertFunctions?: readonly string[];
  /** Whether SMS to phone numbers are allowed. Default false. */
  readonly allowsSms?: boolean;
}
