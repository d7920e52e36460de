/** Counts the confirmed subscriptions of a topic. */
import { GetTopicAttributesCommand } from "@aws-sdk/client-sns";
import type { Deps } from "../deps.ts";

/** A warm function asks once in this time: SNS takes some thirty such calls a second from an account. */
const REMEMBERED_MS = 60_000;

/** @returns counts; throws what SNS answers */
export const createSubscriberCount = (sns: Deps["sns"], topicArn: string, now: () => Date) => {
  let known: { readonly count: number; readonly until: number } | undefined;
  return async (): Promise<number> => {
    if (known && now().getTime() < known.until) return known.count;
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: topicArn }));
    known = { count: Number(Attributes?.SubscriptionsConfirmed ?? 0), until: now().getTime() + REMEMBERED_MS };
    return known.count;
  };
};
