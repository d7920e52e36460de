/** Whether alerts reach anybody, and what operators are told where they do not. */
import { DAY_SECONDS } from "../durations.ts";
import { show } from "../issues.ts";
import { parseReceiver, type Receiver, STORED_CHANNEL } from "../receiver.ts";
import { BUILT_IN_CHANNELS, isBuiltIn, type Policy, receiversOf } from "../rules/policies.ts";
import type { ChannelStore } from "../store/channels.ts";
import type { Notice } from "../store/mailbox.ts";
import type { SubscriptionRecord } from "../store/subscriptions.ts";
import type { SystemMessage } from "../system-events.ts";
import type { SubscriberCount } from "./subscribers.ts";

const TOPIC_OF = { sns: "alerts", people: "people" } as const;
/** Operators are told again after this, if nothing has changed. */
const TOLD_AGAIN_SECONDS = 30 * DAY_SECONDS;

export interface Audience {
  readonly channels: Pick<ChannelStore, "get">;
  /** Names of the channels that this deployment can use. */
  readonly setUp: readonly string[];
  readonly subscribersOf: SubscriberCount;
  /** ARNs of the topics. */
  readonly topics: Readonly<Record<"alerts" | "people", string>>;
}

/**
 * Whether none of these receivers is a channel that exists, a mail address, or a topic with a confirmed subscription, whatever its
 * filter. Throws what SNS answers.
 */
export async function areNobody(
  { channels, setUp, subscribersOf, topics }: Audience,
  named: readonly Receiver[],
): Promise<boolean> {
  const parsed = named.map(parseReceiver).filter(({ channel }) => [...setUp, STORED_CHANNEL].includes(channel));
  if (parsed.some(({ channel }) => channel !== STORED_CHANNEL && !isBuiltIn(channel))) return false;
  for (const { channel, target = "" } of parsed)
    if (channel === STORED_CHANNEL && (await channels.get(target))) return false;
  for (const channel of BUILT_IN_CHANNELS)
    if (named.includes(channel) && (await subscribersOf(topics[TOPIC_OF[channel]])) > 0) return false;
  return true;
}

const notice = (name: string, message: SystemMessage): Notice => ({
  name,
  entry: { key: `system#${name}`, content: { kind: "system", ...message }, receivers: ["system"] },
  keptSeconds: TOLD_AGAIN_SECONDS,
});

/** Said once for each version of a policy, and again each month. */
export const unheardNotice = ({ id, name, revision }: Policy): Notice =>
  notice(`unheard#${id}#${revision}`, {
    event: "system.policy-reaches-nobody",
    about: `policy.${id}`,
    subject: "A policy reaches nobody",
    message: `Policy ${show(name)} names no channel that exists, no mail address, and no topic that somebody has subscribed to: nobody hears what it should tell. Change its steps.`,
  });

/** Said once of each subscription, and again each month while it is listed as `gone`. */
export const goneNotice = ({ id, topic, kind, endpoint }: SubscriptionRecord): Notice =>
  notice(`gone#${id}`, {
    event: "system.subscription-gone",
    about: `subscription.${id}`,
    subject: "A subscription has ended",
    message: `${endpoint} (${kind}) gets nothing of topic ${topic} any more: it was unsubscribed, by a link in a mail, or outside Harborlight. Subscribe it again, or delete it from the list of subscriptions.`,
  });

/** The policies that reach nobody, as they are now. Throws what SNS answers. */
export async function unheardAmong(audience: Audience, policies: readonly Policy[]): Promise<Policy[]> {
  const unheard: Policy[] = [];
  for (const policy of policies) if (await areNobody(audience, policy.steps.flatMap(receiversOf))) unheard.push(policy);
  return unheard;
}
