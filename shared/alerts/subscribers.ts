/** Who has subscribed to topics, as SNS says. Each function throws what SNS answers. */
import {
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  type SNSClient,
  type Subscription,
} from "@aws-sdk/client-sns";

type Sender = Pick<SNSClient, "send">;

/** A warm function asks once in this time for each topic: SNS takes some thirty such calls a second from an account. */
const REMEMBERED_MS = 60_000;

/** How many confirmed subscriptions a topic has, by its ARN. */
export type SubscriberCount = (topicArn: string) => Promise<number>;

export const createSubscriberCount = (sns: Sender, now: () => Date): SubscriberCount => {
  const known = new Map<string, { readonly count: number; readonly until: number }>();
  return async (topicArn) => {
    const before = known.get(topicArn);
    if (before && now().getTime() < before.until) return before.count;
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: topicArn }));
    const count = Number(Attributes?.SubscriptionsConfirmed ?? 0);
    known.set(topicArn, { count, until: now().getTime() + REMEMBERED_MS });
    return count;
  };
};

/** An id consists of one of our topics and the last part of the ARN, so it names no other topic's subscription. */
export const idOf = (topic: string, arn: string) => `${topic}-${arn.slice(arn.lastIndexOf(":") + 1)}`;

/** All subscriptions of a topic, as SNS lists them. */
export async function* subscriptionsOf(sns: Sender, topicArn: string): AsyncGenerator<Subscription> {
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
export const confirmedArns = async (sns: Sender, topicArn: string): Promise<Set<string>> => {
  const arns = new Set<string>();
  for await (const { SubscriptionArn } of subscriptionsOf(sns, topicArn))
    if (isConfirmedArn(SubscriptionArn)) arns.add(SubscriptionArn);
  return arns;
};
