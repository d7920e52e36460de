/**
 * Test messages of subscriptions. SNS publishes to a topic, never to one subscription, so a test has attributes that pass
 * the filter of one, and reaches others whose filters it passes too. Pure.
 */
import type { MessageAttributeValue, PublishCommandInput } from "@aws-sdk/client-sns";
import { toAscii } from "../../../shared/alerts/render.ts";

/** A filter policy as SNS keeps it; undefined: every message. */
export type Policy = Readonly<Record<string, readonly unknown[]>> | undefined;

export const policyOf = (text: string | undefined): Policy => (text ? (JSON.parse(text) as Policy) : undefined);

type Values = Readonly<Record<string, readonly string[]>>;

/** Values of the attributes of a test that passes this filter: the first of each. */
export const valuesFor = (policy: Policy): Values => ({
  event: ["test"],
  ...Object.fromEntries(Object.entries(policy ?? {}).map(([name, values]) => [name, [String(values[0])]])),
});

/** Whether a message with these values passes a filter. Conditions that are no plain text may let it pass. */
export const passesPolicy = (policy: Policy, values: Values): boolean =>
  Object.entries(policy ?? {}).every(
    ([name, wanted]) =>
      wanted.some((one) => typeof one !== "string") || values[name]?.some((value) => wanted.includes(value)),
  );

const attribute = (name: string, values: readonly string[]): MessageAttributeValue =>
  name === "tags"
    ? { DataType: "String.Array", StringValue: JSON.stringify(values) }
    : { DataType: "String", StringValue: values[0] };

/** @param by name of the token that asks for it */
export const testMessage = (topicArn: string, values: Values, by: string): PublishCommandInput => {
  const text = `This is a test of a subscription of Harborlight, asked for with the token "${by}". Nothing is wrong.`;
  return {
    TopicArn: topicArn,
    Subject: "Harborlight: test of a subscription",
    MessageStructure: "json",
    Message: JSON.stringify({
      default: JSON.stringify({ event: "test", message: text }),
      email: text,
      sms: toAscii(text),
    }),
    MessageAttributes: Object.fromEntries(Object.entries(values).map(([name, some]) => [name, attribute(name, some)])),
  };
};
