/** Calls of SNS that the routes of subscriptions share. */
import {
  GetSubscriptionAttributesCommand,
  SetSubscriptionAttributesCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import type { Deps } from "../deps.ts";
import type { Topic } from "../http/schemas.ts";

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
