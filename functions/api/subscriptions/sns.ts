/** Calls of SNS that the routes of subscriptions share. */
import {
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  SetSubscriptionAttributesCommand,
  type Subscription,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import type { Deps } from "../deps.ts";
import type { Topic } from "../http/schemas.ts";

/** An id consists of one of our topics and the last part of the ARN, so it names no other topic's subscription. */
export const idOf = (topic: Topic, arn: string) => `${topic}-${arn.slice(arn.lastIndexOf(":") + 1)}`;

/** @returns undefined if this cannot be an id */
export const readId = (id: string, topics: Deps["topics"]): { topic: Topic; arn: string } | undefined => {
  const [, topic, last] = /^(alerts|people|system)-([A-Za-z0-9-]{1,100})$/.exec(id) ?? [];
  return topic ? { topic: topic as Topic, arn: `${topics[topic as Topic]}:${last}` } : undefined;
};

/** Whether SNS answered with one of these errors; their names have the suffix `Exception` or not. */
export const named = (error: unknown, ...names: string[]) =>
  error instanceof Error && names.some((name) => error.name === name || error.name === `${name}Exception`);

/** @returns undefined if there is no such subscription */
export const attributesOf = async (sns: Deps["sns"], arn: string): Promise<Record<string, string> | undefined> => {
  try {
    return (await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }))).Attributes ?? {};
  } catch (error) {
    if (named(error, "NotFound")) return undefined;
    throw error;
  }
};

/** @param policy undefined: every message */
export const setFilter = (sns: Deps["sns"], arn: string, policy: object | undefined) =>
  sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn: arn,
      AttributeName: "FilterPolicy",
      AttributeValue: JSON.stringify(policy ?? {}),
    }),
  );

export const unsubscribe = (sns: Deps["sns"], arn: string) =>
  sns.send(new UnsubscribeCommand({ SubscriptionArn: arn }));

/** All subscriptions of a topic, as SNS lists them. */
export async function* subscriptionsOf(sns: Deps["sns"], topicArn: string): AsyncGenerator<Subscription> {
  for (let token: string | undefined, isLast = false; !isLast; ) {
    const { Subscriptions = [], NextToken } = await sns.send(
      new ListSubscriptionsByTopicCommand({ TopicArn: topicArn, NextToken: token }),
    );
    yield* Subscriptions;
    token = NextToken;
    isLast = token === undefined;
  }
}

/** Whether SNS gives a subscription its ARN: that of one which waits for confirmation is another text. */
export const isConfirmedArn = (arn: string | undefined): arn is string => arn?.startsWith("arn:") === true;

/** ARNs of all confirmed subscriptions of a topic. */
export const confirmedArns = async (sns: Deps["sns"], topicArn: string): Promise<Set<string>> => {
  const arns = new Set<string>();
  for await (const { SubscriptionArn } of subscriptionsOf(sns, topicArn))
    if (isConfirmedArn(SubscriptionArn)) arns.add(SubscriptionArn);
  return arns;
};
