/** Counts the confirmed subscriptions of topics. */
import { GetTopicAttributesCommand } from "@aws-sdk/client-sns";
import type { Deps } from "../deps.ts";

/** A warm function asks once in this time for each topic: SNS takes some thirty such calls a second from an account. */
const REMEMBERED_MS = 60_000;

/** @returns counts; throws what SNS answers */
export const createSubscriberCount = (sns: Deps["sns"], now: () => Date): Deps["subscribersOf"] => {
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
