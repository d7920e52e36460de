/**
 * Tells operators of subscriptions that have ended and of policies that reach nobody. Nothing else notices when the last reader of
 * an alert leaves: SNS ends a subscription by a link in its mail, without a word to us.
 */

import type { SNSClient } from "@aws-sdk/client-sns";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { goneNotice, unheardAmong, unheardNotice } from "../../shared/alerts/audience.ts";
import { createSubscriberCount, idOf, isConfirmedArn, subscriptionsOf } from "../../shared/alerts/subscribers.ts";
import { createPolicyStore } from "../../shared/store/alerting.ts";
import { createChannelStore } from "../../shared/store/channels.ts";
import { createMailboxStore } from "../../shared/store/mailbox.ts";
import { createSubscriptionStore } from "../../shared/store/subscriptions.ts";

export interface AudienceOutside {
  readonly client: DynamoDBDocumentClient;
  /** Name of the table of monitors. */
  readonly table: string;
  readonly sns: Pick<SNSClient, "send">;
  /** ARNs. */
  readonly topics: Readonly<Record<"alerts" | "people" | "system", string>>;
  /** Names of the channels that this deployment can use. */
  readonly setUp: readonly string[];
  readonly now: () => Date;
}

/** Makes the look, which throws what SNS or the table answers; whatever it leaves undone, the next one does. */
export function createAudienceLook({ client, table, sns, topics, setUp, now }: AudienceOutside) {
  const { notify } = createMailboxStore(client, table);
  const subscriptions = createSubscriptionStore(client, table);
  const policies = createPolicyStore(client, table);
  const channels = createChannelStore(client, table);

  /** Remembers who has subscribed, as SNS says, and tells of those that it no longer names. */
  const tellOfGone = async (topic: keyof typeof topics) => {
    const at = now().toISOString();
    const records = [...(await subscriptions.ofTopic(topic, now())).values()];
    const standing = new Set<string>();
    for await (const { SubscriptionArn, Protocol: kind = "", Endpoint: endpoint = "" } of subscriptionsOf(
      sns,
      topics[topic],
    )) {
      if (!isConfirmedArn(SubscriptionArn)) continue;
      const id = idOf(topic, SubscriptionArn);
      standing.add(id);
      const isKnown = records.some((one) => one.id === id || (one.kind === kind && one.endpoint === endpoint));
      if (!isKnown)
        await subscriptions.put({ id, topic, kind, endpoint, createdAt: at, confirmedAt: at, removedAt: null });
    }
    for (const record of records)
      if (record.confirmedAt !== null && record.removedAt === null && !standing.has(record.id))
        await notify(goneNotice(record), now());
  };

  return async (): Promise<void> => {
    for (const topic of Object.keys(topics) as (keyof typeof topics)[]) await tellOfGone(topic);
    const audience = { channels, setUp, subscribersOf: createSubscriberCount(sns, now), topics };
    for (const policy of await unheardAmong(audience, await policies.all())) await notify(unheardNotice(policy), now());
  };
}
