/**
 * Compares what SNS lists with what is recorded of subscriptions: gives those that wait for confirmation their ids,
 * ends those that were deleted before they were confirmed, and names those that vanished. Level-triggered: whatever a
 * call leaves undone, the next list does.
 */
import { confirmedArns, idOf } from "../../../shared/alerts/subscribers.ts";
import type { SubscriptionRecord } from "../../../shared/store/subscriptions.ts";
import type { Deps } from "../deps.ts";
import type { Topic } from "../http/schemas.ts";
import { readId, unsubscribe } from "./sns.ts";
import type { Filter } from "./subscription.ts";

export const SUBSCRIPTION_STATUSES = ["pending", "confirmed", "gone"] as const;

export interface Listed {
  readonly id: string | null;
  readonly topic: Topic;
  readonly kind: string;
  readonly endpoint: string;
  readonly filter: Filter | null;
  readonly isConfirmed: boolean;
}
export interface Shown extends Listed {
  readonly status: (typeof SUBSCRIPTION_STATUSES)[number];
}

/** Filter policy that no message matches, for a subscription that is deleted but cannot be ended yet. */
export const NOBODY = { event: ["none: it was deleted"] };

const show = (listed: Listed): Shown => ({ ...listed, status: listed.isConfirmed ? "confirmed" : "pending" });

/** Notes what the list of SNS tells. @returns undefined for a subscription that was deleted */
const noted = async (
  { subscriptions, sns, topics, now }: Deps,
  listed: Listed,
  records: ReadonlyMap<string, SubscriptionRecord>,
): Promise<Shown | undefined> => {
  const isMeant = ({ kind, endpoint, confirmedAt }: SubscriptionRecord) =>
    confirmedAt === null && kind === listed.kind && endpoint === listed.endpoint;
  const record = listed.id === null ? [...records.values()].find(isMeant) : records.get(listed.id);
  if (listed.id === null || !listed.isConfirmed) {
    if (record?.removedAt) return undefined;
    return show({ ...listed, id: listed.id ?? record?.id ?? null });
  }
  if (record?.removedAt) {
    const arn = readId(listed.id, topics)?.arn;
    if (arn) await unsubscribe(sns, arn);
    await subscriptions.forget(record, now());
    return undefined;
  }
  if (!record?.confirmedAt) {
    const { id, topic, kind, endpoint } = listed;
    const at = now().toISOString();
    const createdAt = record?.createdAt ?? at;
    await subscriptions.put({ id, topic, kind, endpoint, createdAt, confirmedAt: at, removedAt: null });
  }
  return show(listed);
};

/**
 * @param listed a page of SNS, with the endpoints as they are
 * @param isLast whether it is the last page of the topic: those that vanished follow it
 */
export const withRecords = async (
  deps: Deps,
  topic: Topic,
  listed: readonly Listed[],
  isLast: boolean,
): Promise<Shown[]> => {
  const records = await deps.subscriptions.ofTopic(topic, deps.now());
  const shown: Shown[] = [];
  for (const one of listed) shown.push(...[await noted(deps, one, records)].filter((found) => found !== undefined));
  const confirmed = [...records.values()].filter(({ confirmedAt }) => confirmedAt !== null);
  if (!isLast || confirmed.length === 0) return shown;
  const ids = new Set([...(await confirmedArns(deps.sns, deps.topics[topic]))].map((arn) => idOf(topic, arn)));
  const gone = confirmed.filter(({ id }) => !ids.has(id));
  return [
    ...shown,
    ...gone.map(({ id, kind, endpoint }) => ({
      id,
      topic,
      kind,
      endpoint,
      filter: null,
      isConfirmed: false,
      status: "gone" as const,
    })),
  ];
};
