/**
 * Routes `/v1/subscriptions`: receivers of the SNS topics. Subscriptions are stored only in SNS. An id consists of one
 * of our topics and the last part of the subscription's ARN, so it cannot refer to another topic's subscription.
 */
import {
  ListSubscriptionsByTopicCommand,
  SetSubscriptionAttributesCommand,
  SubscribeCommand,
  type SubscribeCommandInput,
  type Subscription,
} from "@aws-sdk/client-sns";
import { z } from "zod";
import { idOf, isConfirmedArn, subscriptionsOf } from "../../../../shared/alerts/subscribers.ts";
import { InvalidInput } from "../../../../shared/errors.ts";
import { show } from "../../../../shared/issues.ts";
import { HIDDEN } from "../../../../shared/protocols/secrets.ts";
import { chunksOf } from "../../../../shared/rules/plan.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { SubscriptionRecord } from "../../../../shared/store/subscriptions.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { hasScope } from "../../http/auth.ts";
import { Problem } from "../../http/problem.ts";
import { countedPageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import {
  cursor,
  kindName,
  subscriptionFilter,
  subscriptionInput,
  subscriptionPatch,
  TOPICS,
  type Topic,
  topicName,
} from "../../http/schemas.ts";
import { differencesOf } from "../../monitors/changes.ts";
import { type Listed, NOBODY, type Shown, SUBSCRIPTION_STATUSES, withRecords } from "../records.ts";
import { attributesOf, named, readId, setFilter, unsubscribe } from "../sns.ts";
import {
  deliveryPolicy,
  filterErrors,
  filterOf,
  filterPolicy,
  isForPeople,
  subscriptionErrors,
} from "../subscription.ts";
import { testSubscription } from "./test-subscription.ts";

const subscriptionView = z
  .object({
    id: z.string().nullable().meta({
      description: "Null for one that waits for confirmation and was not made by this API.",
      example: "alerts-0d4e6f3a-5b1c-4f7e-9a51-2f4f1f6b7c90",
    }),
    topic: topicName,
    kind: kindName,
    endpoint: z.string().meta({
      description: "Receiver; of a URL only the host for tokens that may not write.",
      example: "ops@example.com",
    }),
    filter: subscriptionFilter.nullable().describe("Null: everything. Not known while it waits for confirmation."),
    isConfirmed: z.boolean().meta({ description: "Whether it gets messages.", example: true }),
    status: z.enum(SUBSCRIPTION_STATUSES).meta({
      id: "SubscriptionStatus",
      description: "`gone`: it was confirmed, and the receiver or somebody in SNS ended it; delete it to forget it.",
      example: "confirmed",
    }),
  })
  .meta({ id: "Subscription", description: "A receiver of alerts." });

/** Kinds of receivers that have to confirm first. */
const ASKED = new Set(["email", "http", "https"]);
/** Concurrent reads of subscriptions' attributes. */
const AT_ONCE = 10;

const missing = (id: string) => new Problem("not-found", `there is no subscription ${show(id)}`);

/**
 * Without scope `write`, addresses of people are hidden, and of a webhook only the host is shown: its path, query or
 * password may hold a secret.
 */
const shownTo = (reader: Token | null, kind: string | undefined, endpoint = ""): string => {
  if (reader && hasScope(reader, "write")) return endpoint;
  if (kind === "email" || kind === "sms") return HIDDEN;
  return /^https?:/.test(endpoint) ? `${new URL(endpoint).protocol}//${new URL(endpoint).host}/${HIDDEN}` : endpoint;
};

/** Name in the audit log, which only admins read: without the secrets of a webhook. */
const nameOf = (endpoint = ""): string => shownTo(null, undefined, endpoint);

/**
 * Subscribes a receiver, or updates its subscription. SNS refuses to subscribe a receiver again with other attributes
 * (another filter, a new version's policy); without attributes it returns the existing subscription, whose attributes
 * are then set.
 */
const subscribe = async (
  sns: Deps["sns"],
  receiver: Omit<SubscribeCommandInput, "Attributes">,
  attributes: Readonly<Record<string, string>>,
): Promise<string | undefined> => {
  try {
    return (await sns.send(new SubscribeCommand({ ...receiver, Attributes: attributes }))).SubscriptionArn;
  } catch (error) {
    if (!named(error, "InvalidParameter") || !/already exists with different attributes/i.test(String(error)))
      throw error;
  }
  const { SubscriptionArn } = await sns.send(new SubscribeCommand(receiver));
  if (!SubscriptionArn?.startsWith("arn:")) return SubscriptionArn;
  for (const [AttributeName, AttributeValue] of Object.entries({ FilterPolicy: "{}", ...attributes }))
    await sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }));
  return SubscriptionArn;
};

/**
 * Which topic a receiver is subscribed to. Mail and SMS that were subscribed to topic `alerts` before there was one for people stay
 * there: with both they would be told twice.
 */
const topicFor = async (
  { sns, topics, subscriptions, now }: Deps,
  { topic, kind, endpoint }: z.output<typeof subscriptionInput>,
): Promise<Topic> => {
  if (!isForPeople(topic, kind)) return topic;
  const isSame = (one: Pick<SubscriptionRecord, "kind" | "endpoint">) => one.kind === kind && one.endpoint === endpoint;
  for await (const { SubscriptionArn, Protocol = "", Endpoint = "" } of subscriptionsOf(sns, topics.alerts)) {
    if (!isSame({ kind: Protocol, endpoint: Endpoint })) continue;
    if (isConfirmedArn(SubscriptionArn)) return "alerts";
    const records = await subscriptions.ofTopic("alerts", now());
    return [...records.values()].some((record) => isSame(record) && record.removedAt) ? "people" : "alerts";
  }
  return "people";
};

const createSubscription = route({
  method: "POST",
  path: "/v1/subscriptions",
  operationId: "createSubscription",
  summary: "Subscribe to alerts",
  description:
    "Mail and SMS about monitors are subscribed to topic `people`, others to `alerts`. A receiver that is subscribed already keeps its subscription, with the filter given now. Mail and HTTP receivers get a request to confirm first. A queue needs a policy that lets the topic send to it; a function a permission that lets SNS invoke it.",
  scope: "write",
  body: subscriptionInput,
  responses: { 201: { description: "Subscribed, or asked to confirm.", schema: subscriptionView } },
  handle: async ({ body, record }, deps) => {
    const { sns, topics, deadLetterArn, subscriptions, now } = deps;
    const errors = subscriptionErrors(body);
    if (errors.length > 0) throw new InvalidInput(errors);
    const { kind, endpoint, filter } = body;
    const retries = deliveryPolicy(kind);
    const attributes = {
      ...(filter && { FilterPolicy: JSON.stringify(filterPolicy(filter)) }),
      ...(retries && { DeliveryPolicy: JSON.stringify(retries) }),
      ...(deadLetterArn && { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterArn }) }),
    };
    try {
      const topic = await topicFor(deps, body);
      const receiver = { TopicArn: topics[topic], Protocol: kind, Endpoint: endpoint, ReturnSubscriptionArn: true };
      const arn = await subscribe(sns, receiver, attributes);
      const id = arn?.startsWith("arn:") ? idOf(topic, arn) : null;
      const isConfirmed = id !== null && !ASKED.has(kind);
      if (id !== null && arn) {
        const before = await subscriptions.get(id, now());
        if (before?.removedAt) await setFilter(sns, arn, filter && filterPolicy(filter));
        const at = now().toISOString();
        const confirmedAt = isConfirmed ? at : (before?.confirmedAt ?? null);
        await subscriptions.put({ id, topic, kind, endpoint, createdAt: at, confirmedAt, removedAt: null });
      }
      await record([{ resource: id, name: nameOf(endpoint), changes: { filter: [null, filter ?? null] } }]);
      const status = isConfirmed ? "confirmed" : "pending";
      return { status: 201, body: { id, topic, kind, endpoint, filter: filter ?? null, isConfirmed, status } };
    } catch (error) {
      if (named(error, "InvalidParameter", "InvalidParameterValue"))
        throw new InvalidInput([{ path: "endpoint", message: `SNS refused it: ${(error as Error).message}` }]);
      if (named(error, "SubscriptionLimitExceeded", "FilterPolicyLimitExceeded", "Throttled"))
        throw new Problem("too-many-requests", `SNS says: ${(error as Error).message}`, { "retry-after": "60" });
      throw error;
    }
  },
});

const describe = async (
  { sns }: Deps,
  topic: Topic,
  { SubscriptionArn: arn, Protocol: kind = "", Endpoint: endpoint = "" }: Subscription,
): Promise<Listed[]> => {
  const about = { topic, kind, endpoint };
  if (!arn?.startsWith("arn:")) return [{ id: null, ...about, filter: null, isConfirmed: false }];
  const attributes = await attributesOf(sns, arn);
  // Deleted since the list was read.
  if (!attributes) return [];
  const isConfirmed = attributes.PendingConfirmation !== "true";
  return [{ id: idOf(topic, arn), ...about, filter: filterOf(attributes.FilterPolicy), isConfirmed }];
};

const shownIn = (reader: Token | null, subscription: Shown): Shown => ({
  ...subscription,
  endpoint: shownTo(reader, subscription.kind, subscription.endpoint),
});

/** A page of SNS: topic and `NextToken`; without a token the topic's first. */
type SnsPage = readonly [Topic, string?];

const readPage = async (deps: Deps, [topic, token]: SnsPage) => {
  const { Subscriptions = [], NextToken } = await deps.sns.send(
    new ListSubscriptionsByTopicCommand({ TopicArn: deps.topics[topic], NextToken: token }),
  );
  const items: Listed[] = [];
  for (const some of chunksOf(Subscriptions, AT_ONCE))
    items.push(...(await Promise.all(some.map((subscription) => describe(deps, topic, subscription)))).flat());
  return { items: await withRecords(deps, topic, items, NextToken === undefined), token: NextToken };
};

const listSubscriptions = route({
  method: "GET",
  path: "/v1/subscriptions",
  operationId: "listSubscriptions",
  summary: "List subscriptions",
  description: "In pages of up to 200, one topic after the other. The total is null if there is more than one page.",
  scope: "read",
  query: z.strictObject({ topic: topicName.optional(), cursor }),
  responses: { 200: { description: "A page of subscriptions.", schema: countedPageOf(subscriptionView) } },
  handle: async ({ query, token: reader }, deps) => {
    const question = `subscriptions ${query.topic ?? ""}`;
    const wanted: readonly Topic[] = query.topic ? [query.topic] : TOPICS;
    const items: Shown[] = [];
    let next: SnsPage | undefined =
      query.cursor === undefined ? [wanted[0]!] : JSON.parse(decodeCursor(query.cursor, question));
    // A topic's first page goes along with what is before it: so no cursor leads to an empty topic.
    while (next && (items.length === 0 || next[1] === undefined)) {
      const [topic] = next;
      const read = await readPage(deps, next);
      items.push(...read.items);
      const following = wanted[wanted.indexOf(topic) + 1];
      next = read.token ? [topic, read.token] : following && [following];
    }
    const nextCursor = next ? encodeCursor(JSON.stringify(next), question) : null;
    return {
      body: {
        items: items.map((one) => shownIn(reader, one)),
        nextCursor,
        total: query.cursor === undefined && !next ? items.length : null,
      },
    };
  },
});

/** Passes on that SNS refuses a call on a subscription that waits for confirmation. */
const unlessPending = async (call: Promise<unknown>) => {
  try {
    await call;
  } catch (error) {
    if (named(error, "InvalidParameter"))
      throw new Problem("not-confirmed", `SNS cannot change it: ${(error as Error).message}`);
    throw error;
  }
};

/** @throws Problem `not-found` */
const found = async ({ sns, topics }: Deps, id: string) => {
  const place = readId(id, topics);
  const attributes = place && (await attributesOf(sns, place.arn));
  return place && { ...place, attributes };
};

const updateSubscription = route({
  method: "PATCH",
  path: "/v1/subscriptions/{id}",
  operationId: "updateSubscription",
  summary: "Change the filter of a subscription",
  description: "The filter replaces the present one. Amazon SNS applies it within 15 minutes.",
  scope: "write",
  body: subscriptionPatch,
  contentTypes: ["application/merge-patch+json", "application/json"],
  problems: ["not-confirmed"],
  responses: { 200: { description: "The subscription.", schema: subscriptionView } },
  handle: async ({ params, body: { filter }, token: reader, record }, deps) => {
    const id = params.id ?? "";
    const { arn, topic, attributes } = (await found(deps, id)) ?? {};
    const isRemoved = (await deps.subscriptions.get(id, deps.now()))?.removedAt;
    if (!arn || !topic || !attributes || isRemoved) throw missing(id);
    const errors = filterErrors(topic, filter ?? undefined);
    if (errors.length > 0) throw new InvalidInput(errors);
    const before = filterOf(attributes.FilterPolicy);
    await unlessPending(setFilter(deps.sns, arn, filter ? filterPolicy(filter) : undefined));
    const { Protocol: kind = "", Endpoint: endpoint = "" } = attributes;
    const changes = differencesOf({ filter: before }, { filter });
    const name = nameOf(endpoint);
    await record(Object.keys(changes).length > 0 ? [{ resource: id, name, changes }] : []);
    const isConfirmed = attributes.PendingConfirmation !== "true";
    const status = isConfirmed ? "confirmed" : "pending";
    return { body: shownIn(reader, { id, topic, kind, endpoint, filter, isConfirmed, status }) };
  },
});

const deleteSubscription = route({
  method: "DELETE",
  path: "/v1/subscriptions/{id}",
  operationId: "deleteSubscription",
  problems: ["not-confirmed"],
  summary: "Unsubscribe",
  description:
    "Also while it waits for confirmation: it then gets no messages, whether or not the receiver confirms. One that is gone is forgotten.",
  scope: "write",
  responses: { 204: { description: "Unsubscribed." } },
  handle: async ({ params, record }, deps) => {
    const { sns, subscriptions, now } = deps;
    const id = params.id ?? "";
    const [there, known] = await Promise.all([found(deps, id), subscriptions.get(id, now())]);
    if (!there || known?.removedAt || (!there.attributes && !known)) throw missing(id);
    const isPending = there.attributes?.PendingConfirmation === "true";
    if (isPending) {
      // SNS cannot end it before it is confirmed: it gets no message until the list ends it, or SNS drops it.
      await unlessPending(setFilter(sns, there.arn, NOBODY));
      const { Protocol: kind = "", Endpoint: endpoint = "" } = there.attributes ?? {};
      const at = now().toISOString();
      const made = known ?? { id, topic: there.topic, kind, endpoint, createdAt: at, confirmedAt: null };
      await subscriptions.put({ ...made, removedAt: at });
    } else {
      if (there.attributes) await unlessPending(unsubscribe(sns, there.arn));
      if (known) await subscriptions.forget(known, now());
    }
    const name = nameOf(there.attributes?.Endpoint ?? known?.endpoint);
    await record([{ resource: id, name, changes: { deleted: [false, true] } }]);
    return { status: 204 };
  },
});

export const subscriptions: readonly Route[] = [
  createSubscription,
  listSubscriptions,
  updateSubscription,
  testSubscription,
  deleteSubscription,
];
