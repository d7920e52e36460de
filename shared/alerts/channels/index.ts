/**
 * The registry of alert channels. To add one: its file, its test, its row here. Imports no AWS client and only the
 * small build of zod, because alerts wait for the cold start of the function that loads this.
 */
import { inOurWords, pathText } from "../../issues.ts";
import { parseReceiver } from "../../receiver.ts";
import type { Channel, Outside } from "./channel.ts";
import { discord } from "./discord.ts";
import { email } from "./email.ts";
import { googleChat } from "./google-chat.ts";
import { gotify } from "./gotify.ts";
import { incidentIo } from "./incident-io.ts";
import { lambda } from "./lambda.ts";
import { matrix } from "./matrix.ts";
import { mattermost } from "./mattermost.ts";
import { ntfy } from "./ntfy.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { people } from "./people.ts";
import { pushover } from "./pushover.ts";
import { rocketChat } from "./rocket-chat.ts";
import { slack } from "./slack.ts";
import { sms } from "./sms.ts";
import { sns } from "./sns.ts";
import { splunkOnCall } from "./splunk-on-call.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

const rows = {
  discord,
  email,
  gotify,
  "google-chat": googleChat,
  "incident-io": incidentIo,
  lambda,
  matrix,
  mattermost,
  ntfy,
  opsgenie,
  pagerduty,
  people,
  pushover,
  "rocket-chat": rocketChat,
  slack,
  sms,
  sns,
  "splunk-on-call": splunkOnCall,
  teams,
  telegram,
  webhook,
} satisfies Record<string, Channel>;
export type ChannelName = keyof typeof rows;
/** By name. */
export const channels: Readonly<Record<ChannelName, Channel>> = rows;

export const isChannelName = (name: string): name is ChannelName => Object.hasOwn(channels, name);

/** Names of the channels with receivers as text (`email:ops@example.com`) that this deployment can use. */
export const channelsSetUp = (outside: Outside): ChannelName[] =>
  (Object.keys(channels) as ChannelName[]).filter(
    (name) => channels[name].target !== undefined && channels[name].isSetUp(outside),
  );

/**
 * Parses a receiver's text into its channel and settings.
 * @throws Error if there is no such channel, or the text is not valid for it
 */
export function channelOf(receiver: string): { readonly channel: Channel; readonly settings: unknown } {
  const { channel: name, target } = parseReceiver(receiver);
  if (!isChannelName(name)) throw new Error(`there is no alert channel ${name}`);
  const channel = channels[name];
  if (channel.target === undefined) throw new Error(`receivers of alert channel ${name} have no text`);
  const given = channel.target === null ? {} : { [channel.target]: target };
  const { success, data, error } = channel.settings.safeParse(given, { error: inOurWords });
  if (success) return { channel, settings: data };
  const wrong = error.issues.map(({ path, message }) => `${pathText(path)} ${message}`);
  throw new Error(`${receiver} is no receiver of alert channel ${name}: ${wrong.join("; ")}`);
}
