/**
 * Routes `/v1/subscriptions`: receivers of the SNS topics. Subscriptions are stored only in SNS. An id consists of one
 * of our two topics and the last part of the subscription's ARN, so it cannot refer to another topic's subscription.
 */
import {
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  SetSubscriptionAttributesCommand,
  SubscribeCommand,
  type SubscribeCommandInput,
  type Subscription,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { z } from "zod";
import { InvalidInput } from "../../../../shared/errors.ts";
import { show } from "../../../../shared/issues.ts";
import { HIDDEN } from "../../../../shared/protocols/secrets.ts";
import { chunksOf } from "../../../../shared/rules/plan.ts";
import { oneOf } from "../../../../shared/schema.ts";
import { decodeCursor, encodeCursor } from "../../../../shared/store/cursor.ts";
import type { Token } from "../../../../shared/store/tokens.ts";
import type { Deps } from "../../deps.ts";
import { hasScope } from "../../http/auth.ts";
import { Problem } from "../../http/problem.ts";
import { countedPageOf } from "../../http/representations.ts";
import { type Route, route } from "../../http/route.ts";
import { cursor, KINDS, subscriptionFilter, subscriptionInput, TOPICS, type Topic } from "../../http/schemas.ts";
import { deliveryPolicy, filterOf, filterPolicy, subscriptionErrors } from "../subscription.ts";

const subscriptionView = z
  .object({
    id: z.string().nullable().describe("Null until the receiver has confirmed."),
    topic: z.enum(TOPICS),
    kind: z.enum(KINDS),
    endpoint: z.string(),
    filter: subscriptionFilter.nullable().describe("Null: everything."),
    isConfirmed: z.boolean(),
  })
  .meta({ id: "Subscription" });

/** Kinds of receivers that have to confirm first. */
const ASKED = new Set(["email", "http", "https"]);
/** Concurrent reads of subscriptions' attributes. */
const AT_ONCE = 10;

const idOf = (topic: Topic, arn: string) => `${topic}-${arn.slice(arn.lastIndexOf(":") + 1)}`;
const arnOf = (id: string, topics: Deps["topics"]): string => {
  const [, topic, last] = /^(alerts|system)-([A-Za-z0-9-]{1,100})$/.exec(id) ?? [];
  if (!topic) throw missing(id);
  return `${topics[topic as Topic]}:${last}`;
};
const missing = (id: string) => new Problem("not-found", `there is no subscription ${show(id)}`);

const named = (error: unknown, ...names: string[]) =>
  error instanceof Error && names.some((name) => error.name === name || error.name === `${name}Exception`);

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

const createSubscription = route({
  method: "POST",
  path: "/v1/subscriptions",
  operationId: "createSubscription",
  summary: "Subscribe to alerts",
  description:
    "A receiver that is subscribed already keeps its subscription, with the filter given now. Mail and HTTP receivers get a request to confirm first. A queue needs a policy that lets the topic send to it; a function a permission that lets SNS invoke it.",
  scope: "write",
  body: subscriptionInput,
  responses: { 201: { description: "Subscribed, or asked to confirm.", schema: subscriptionView } },
  handle: async ({ body }, { sns, topics, deadLetterArn }) => {
    const errors = subscriptionErrors(body);
    if (errors.length > 0) throw new InvalidInput(errors);
    const { topic, kind, endpoint, filter } = body;
    const retries = deliveryPolicy(kind);
    const attributes = {
      ...(filter && { FilterPolicy: JSON.stringify(filterPolicy(filter)) }),
      ...(retries && { DeliveryPolicy: JSON.stringify(retries) }),
      ...(deadLetterArn && { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterArn }) }),
    };
    const receiver = { TopicArn: topics[topic], Protocol: kind, Endpoint: endpoint, ReturnSubscriptionArn: true };
    try {
      const arn = await subscribe(sns, receiver, attributes);
      const id = arn?.startsWith("arn:") ? idOf(topic, arn) : null;
      const isConfirmed = id !== null && !ASKED.has(kind);
      return { status: 201, body: { id, topic, kind, endpoint, filter: filter ?? null, isConfirmed } };
    } catch (error) {
      if (named(error, "InvalidParameter", "InvalidParameterValue"))
        throw new InvalidInput([{ path: "endpoint", message: `SNS refused it: ${(error as Error).message}` }]);
      if (named(error, "SubscriptionLimitExceeded", "FilterPolicyLimitExceeded", "Throttled"))
        throw new Problem("too-many-requests", `SNS says: ${(error as Error).message}`, { "retry-after": "60" });
      throw error;
    }
  },
});

/**
 * Without scope `write`, addresses of people are hidden, and of a webhook only the host is shown: its path, query or
 * password may hold a secret.
 */
const shownTo = (reader: Token | null, kind: string | undefined, endpoint = ""): string => {
  if (reader && hasScope(reader, "write")) return endpoint;
  if (kind === "email" || kind === "sms") return HIDDEN;
  return /^https?:/.test(endpoint) ? `${new URL(endpoint).protocol}//${new URL(endpoint).host}/${HIDDEN}` : endpoint;
};

const describe = async (
  { sns }: Deps,
  reader: Token | null,
  topic: Topic,
  { SubscriptionArn: arn, Protocol, Endpoint }: Subscription,
) => {
  const isConfirmed = arn?.startsWith("arn:") ?? false;
  const about = { topic, kind: Protocol, endpoint: shownTo(reader, Protocol, Endpoint) };
  if (!arn || !isConfirmed) return [{ id: null, ...about, filter: null, isConfirmed }];
  try {
    const { Attributes = {} } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }));
    const isPending = Attributes.PendingConfirmation === "true";
    return [{ id: idOf(topic, arn), ...about, filter: filterOf(Attributes.FilterPolicy), isConfirmed: !isPending }];
  } catch (error) {
    // Deleted since the list was read.
    if (named(error, "NotFound")) return [];
    throw error;
  }
};

/** A page of SNS: topic and `NextToken`; without a token the topic's first. */
type SnsPage = readonly [Topic, string?];

const readPage = async (deps: Deps, reader: Token | null, [topic, token]: SnsPage) => {
  const { Subscriptions = [], NextToken } = await deps.sns.send(
    new ListSubscriptionsByTopicCommand({ TopicArn: deps.topics[topic], NextToken: token }),
  );
  const items = [];
  for (const some of chunksOf(Subscriptions, AT_ONCE))
    items.push(...(await Promise.all(some.map((subscription) => describe(deps, reader, topic, subscription)))).flat());
  return { items, token: NextToken };
};

const listSubscriptions = route({
  method: "GET",
  path: "/v1/subscriptions",
  operationId: "listSubscriptions",
  summary: "List subscriptions",
  description: "In pages of up to 200, one topic after the other. The total is null if there is more than one page.",
  scope: "read",
  query: z.strictObject({ topic: oneOf(TOPICS).optional(), cursor }),
  responses: { 200: { description: "A page of subscriptions.", schema: countedPageOf(subscriptionView) } },
  handle: async ({ query, token: reader }, deps) => {
    const question = `subscriptions ${query.topic ?? ""}`;
    const wanted: readonly Topic[] = query.topic ? [query.topic] : TOPICS;
    const items = [];
    let next: SnsPage | undefined =
      query.cursor === undefined ? [wanted[0]!] : JSON.parse(decodeCursor(query.cursor, question));
    // A topic's first page goes along with what is before it: so no cursor leads to an empty topic.
    while (next && (items.length === 0 || next[1] === undefined)) {
      const [topic] = next;
      const read = await readPage(deps, reader, next);
      items.push(...read.items);
      const following = wanted[wanted.indexOf(topic) + 1];
      next = read.token ? [topic, read.token] : following && [following];
    }
    const nextCursor = next ? encodeCursor(JSON.stringify(next), question) : null;
    return { body: { items, nextCursor, total: query.cursor === undefined && !next ? items.length : null } };
  },
});

const deleteSubscription = route({
  method: "DELETE",
  path: "/v1/subscriptions/{id}",
  operationId: "deleteSubscription",
  summary: "Unsubscribe",
  description: "An unconfirmed subscription cannot be deleted: SNS drops it by itself after some days.",
  scope: "write",
  responses: { 204: { description: "Unsubscribed." } },
  handle: async ({ params }, { sns, topics }) => {
    const id = params.id ?? "";
    const arn = arnOf(id, topics);
    try {
      await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }));
      await sns.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
    } catch (error) {
      if (named(error, "NotFound")) throw missing(id);
      if (named(error, "InvalidParameter"))
        throw new Problem("not-confirmed", `SNS cannot delete it: ${(error as Error).message}`);
      throw error;
    }
    return { status: 204 };
  },
});

export const subscriptions: readonly Route[] = [createSubscription, listSubscriptions, deleteSubscription];
