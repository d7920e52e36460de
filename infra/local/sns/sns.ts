import { randomBytes, randomUUID } from "node:crypto";
import { DAY_MS } from "../../../shared/durations.ts";
import { DurableMap } from "../disk/durable-map.ts";
import { AwsError } from "../http-server/aws-error.ts";
import { type Form, formOf, listOf, textOf, type Xml } from "../http-server/aws-query.ts";
import type { Deliveries } from "./delivery.ts";
import {
  type Attribute,
  checkAttribute,
  checkSubject,
  MAX_MESSAGE_BYTES,
  messageTexts,
  type Notification,
} from "./message.ts";
import {
  checkAttributeOfSubscription,
  checkEndpoint,
  needsConfirmation,
  type Subscription,
  wants,
} from "./subscription.ts";

const PENDING = "PendingConfirmation";
/** SNS's page size. */
const PAGE = 100;
/** A confirmation token is valid for two days. */
const TOKEN_MS = 2 * DAY_MS;

const invalid = (what: string) => new AwsError("InvalidParameter", `Invalid parameter: ${what}`);
const notFound = (what: string) => new AwsError("NotFound", what, { status: 404 });

export interface SnsOptions {
  readonly topicArns: readonly string[];
  readonly file: string;
  readonly account: string;
  readonly log: (line: string) => void;
  /** Creates the deliveries, which look up the subscription of each pending message. */
  readonly deliveries: (subscription: (arn: string) => Subscription | undefined) => Deliveries;
}

/** The SNS API over the template's topics; subscriptions are on disk. */
export const createSns = ({ topicArns, file, account, log, deliveries: createDeliveries }: SnsOptions) => {
  const subscriptions = new DurableMap<Subscription>(file, { log });
  const deliveries = createDeliveries((arn) => subscriptions.get(arn));

  const topicOf = (form: Form, name = "TopicArn"): string => {
    const arn = required(form, name);
    if (!/^arn:aws:sns:[\w-]+:\d{12}:[\w-]+$/.test(arn)) throw invalid(`${name} Reason: ${arn} is no topic's ARN`);
    if (!topicArns.includes(arn)) throw notFound("Topic does not exist");
    return arn;
  };

  const subscriptionOf = (form: Form): Subscription => {
    const arn = required(form, "SubscriptionArn");
    if (!arn.startsWith("arn:aws:sns:")) throw invalid(`SubscriptionArn Reason: ${arn} is no subscription's ARN`);
    const found = subscriptions.get(arn);
    if (found) return found;
    throw notFound("Subscription does not exist");
  };

  const askForConfirmation = (subscription: Subscription): void => {
    const { topicArn } = subscription;
    const notification = { messageId: randomUUID(), topicArn, subject: undefined, message: "", attributes: {} };
    deliveries.add(subscription, { ...notification, timestamp: new Date().toISOString() }, true);
  };

  /** @returns undefined when no subscription of the topic has this token, or the token is too old. */
  const confirm = (topicArn: string, token: string): Subscription | undefined => {
    const found = subscriptions.values().find((one) => one.topicArn === topicArn && one.token === token);
    if (!found || (!found.isConfirmed && Date.now() - found.createdAtMs > TOKEN_MS)) return undefined;
    if (!found.isConfirmed) subscriptions.set(found.arn, { ...found, isConfirmed: true });
    return found;
  };

  /** Hands a message to every subscription that wants it. @returns its id */
  const fanOut = (
    published: Pick<Notification, "topicArn" | "subject" | "message" | "attributes">,
    textFor: (protocol: string) => string,
  ): string => {
    const { topicArn, message, attributes } = published;
    const notification = { ...published, messageId: randomUUID(), timestamp: new Date().toISOString() };
    for (const subscription of subscriptions.values()) {
      if (subscription.topicArn !== topicArn || !subscription.isConfirmed) continue;
      if (!wants(subscription, message, attributes)) continue;
      deliveries.add(subscription, { ...notification, message: textFor(subscription.protocol) });
    }
    return notification.messageId;
  };

  const operations: Record<string, (form: Form) => Xml> = {
    Publish: (form) => {
      const message = required(form, "Message");
      const phoneNumber = textOf(form, "PhoneNumber");
      if (phoneNumber !== undefined) {
        if (!/^\+[1-9]\d{4,14}$/.test(phoneNumber)) throw invalid("PhoneNumber");
        deliveries.sendSms(phoneNumber, message);
        return { MessageId: randomUUID() };
      }
      const topicArn = topicOf(form, textOf(form, "TopicArn") === undefined ? "TargetArn" : "TopicArn");
      const subject = textOf(form, "Subject");
      const textFor = messageTexts(message, textOf(form, "MessageStructure"));
      checkSubject(subject);
      const attributes = publishedAttributes(form);
      const bytes = Object.entries(attributes).reduce(
        (sum, [name, { Type, Value }]) => sum + Buffer.byteLength(name + Type + Value),
        Buffer.byteLength(message),
      );
      if (bytes > MAX_MESSAGE_BYTES) throw invalid("Message too long");
      return { MessageId: fanOut({ topicArn, subject, message, attributes }, textFor) };
    },

    Subscribe: (form) => {
      const topicArn = topicOf(form);
      const endpoint = required(form, "Endpoint");
      const protocol = checkEndpoint(required(form, "Protocol"), endpoint);
      const attributes = subscribedAttributes(form);
      const shownArn = ({ arn, isConfirmed }: Subscription) =>
        isConfirmed || textOf(form, "ReturnSubscriptionArn") === "true" ? arn : "pending confirmation";
      const isSame = (one: Subscription) =>
        one.topicArn === topicArn && one.protocol === protocol && one.endpoint === endpoint;
      const existing = subscriptions.values().find(isSame);
      if (existing) {
        const differs = Object.entries(attributes).some(([name, value]) => existing.attributes[name] !== value);
        if (differs) throw invalid("Attributes Reason: Subscription already exists with different attributes");
        if (!existing.isConfirmed) askForConfirmation(existing);
        return { SubscriptionArn: shownArn(existing) };
      }
      const subscription: Subscription = {
        arn: `${topicArn}:${randomUUID()}`,
        topicArn,
        protocol,
        endpoint,
        isConfirmed: !needsConfirmation(protocol),
        token: randomBytes(64).toString("hex"),
        createdAtMs: Date.now(),
        attributes,
      };
      subscriptions.set(subscription.arn, subscription);
      if (!subscription.isConfirmed) askForConfirmation(subscription);
      return { SubscriptionArn: shownArn(subscription) };
    },

    ConfirmSubscription: (form) => {
      const confirmed = confirm(topicOf(form), required(form, "Token"));
      if (!confirmed) throw invalid("Token");
      return { SubscriptionArn: confirmed.arn };
    },

    Unsubscribe: (form) => {
      const arn = required(form, "SubscriptionArn");
      if (!arn.startsWith("arn:aws:sns:")) throw invalid(`SubscriptionArn Reason: ${arn} is no subscription's ARN`);
      // As SNS does: only its receiver can end one that waits for confirmation, by not confirming it.
      if (subscriptions.get(arn)?.isConfirmed === false)
        throw invalid("SubscriptionArn Reason: This subscription is pending confirmation");
      subscriptions.delete(arn); // an unknown one is no error
      return {};
    },

    ListSubscriptionsByTopic: (form) => {
      const topicArn = topicOf(form);
      const token = textOf(form, "NextToken");
      const from = token === undefined || token === "" ? 0 : Number(Buffer.from(token, "base64url").toString());
      if (!Number.isInteger(from) || from < 0) throw invalid("NextToken");
      const all = subscriptions.values().filter((one) => one.topicArn === topicArn);
      const next = from + PAGE < all.length ? Buffer.from(String(from + PAGE)).toString("base64url") : undefined;
      return {
        Subscriptions: all.slice(from, from + PAGE).map((one) => ({
          SubscriptionArn: one.isConfirmed ? one.arn : PENDING,
          Owner: account,
          Protocol: one.protocol,
          Endpoint: one.endpoint,
          TopicArn: one.topicArn,
        })),
        NextToken: next,
      };
    },

    GetSubscriptionAttributes: (form) => {
      const one = subscriptionOf(form);
      return {
        Attributes: new Map([
          ["SubscriptionArn", one.arn],
          ["TopicArn", one.topicArn],
          ["Protocol", one.protocol],
          ["Endpoint", one.endpoint],
          ["Owner", account],
          [PENDING, String(!one.isConfirmed)],
          ["ConfirmationWasAuthenticated", String(!needsConfirmation(one.protocol))],
          ["RawMessageDelivery", "false"],
          ...Object.entries(one.attributes),
        ]),
      };
    },

    SetSubscriptionAttributes: (form) => {
      const one = subscriptionOf(form);
      const name = required(form, "AttributeName");
      const value = textOf(form, "AttributeValue") ?? "";
      checkAttributeOfSubscription(name, value);
      const { [name]: _, ...others } = one.attributes;
      // An empty filter policy removes the filter.
      const isRemoved = value === "" || (name === "FilterPolicy" && Object.keys(JSON.parse(value)).length === 0);
      subscriptions.set(one.arn, { ...one, attributes: isRemoved ? others : { ...others, [name]: value } });
      return {};
    },

    GetTopicAttributes: (form) => {
      const arn = topicOf(form);
      const ofTopic = subscriptions.values().filter(({ topicArn }) => topicArn === arn);
      const confirmed = ofTopic.filter(({ isConfirmed }) => isConfirmed).length;
      return {
        Attributes: new Map([
          ["TopicArn", arn],
          ["Owner", account],
          ["SubscriptionsConfirmed", String(confirmed)],
          ["SubscriptionsPending", String(ofTopic.length - confirmed)],
        ]),
      };
    },
  };

  return {
    handle: async (action: string, form: Form): Promise<Xml> => {
      const run = operations[action];
      if (run) return run(form);
      throw new AwsError("InvalidAction", `The action ${action} is not valid on the one-machine SNS.`);
    },
    confirm,
    /** Publishes for another AWS service of the account. */
    publish: (topicArn: string, subject: string | undefined, message: string): void => {
      fanOut({ topicArn, subject, message, attributes: {} }, () => message);
    },
    unsubscribe: (arn: string): boolean => subscriptions.delete(arn),
    deliveries,
    stop: async () => {
      await deliveries.stop();
      subscriptions.close();
    },
  };
};

const required = (form: Form, name: string): string => {
  const value = textOf(form, name);
  if (value !== undefined && (value !== "" || name === "Message")) return value;
  throw invalid(`${name} Reason: no value for required parameter`);
};

/** `MessageAttributes.entry.N.{Name,Value.{DataType,StringValue,BinaryValue}}` */
const publishedAttributes = (form: Form): Record<string, Attribute> =>
  Object.fromEntries(
    listOf(form, "MessageAttributes").map((entry) => {
      const name = textOf(entry as Form, "Name") ?? "";
      const value = formOf(entry as Form, "Value");
      const attribute = {
        Type: textOf(value, "DataType") ?? "",
        Value: textOf(value, "StringValue") ?? textOf(value, "BinaryValue") ?? "",
      };
      checkAttribute(name, attribute);
      return [name, attribute];
    }),
  );

/** `Attributes.entry.N.{key,value}` */
const subscribedAttributes = (form: Form): Record<string, string> =>
  Object.fromEntries(
    listOf(form, "Attributes").map((entry) => {
      const name = textOf(entry as Form, "key") ?? "";
      const value = textOf(entry as Form, "value") ?? "";
      checkAttributeOfSubscription(name, value);
      return [name, value];
    }),
  );
