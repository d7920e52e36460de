import {
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
} from "@aws-sdk/client-sns";
import { describe, expect, test } from "vitest";
import { eventually } from "../fixture.ts";
import { fixture, PLAIN, publish, queueBodies, sns, subscribe, TopicArn, text, unsubscribe } from "./fixture.ts";

describe("a filter policy over attributes", () => {
  const attributes = {
    event: text("down"),
    latency: text("12.5", "Number"),
    tags: text('["team=orders","env=prod"]', "String.Array"),
  };
  test.for([
    [{ event: ["down", "recovered"] }, true],
    [{ event: ["recovered"] }, false],
    [{ event: ["down"], tags: ["team=billing"] }, false],
    [{ tags: ["env=prod"] }, true],
    [{ tags: [{ prefix: "team=" }] }, true],
    [{ tags: [{ "anything-but": ["team=orders"] }] }, true],
    [{ event: [{ "anything-but": ["down"] }] }, false],
    [{ latency: [{ numeric: [">", 10, "<=", 12.5] }] }, true],
    [{ latency: [{ numeric: ["<", 10] }] }, false],
    [{ missing: [{ exists: false }] }, true],
    [{ event: [{ exists: false }] }, false],
    [{ missing: ["x"] }, false],
  ] as const)("%j lets the message through: %s", async ([policy, isWanted]) => {
    const arn = await subscribe("sqs", PLAIN, { FilterPolicy: JSON.stringify(policy), RawMessageDelivery: "true" });
    await publish("filtered", { MessageAttributes: attributes });
    // What was published is on its way when the call returns; deliveries to queues are made in that turn.
    await eventually(() => expect(fixture.stack.queues.byName("plain")!.counts().visible).toBe(isWanted ? 1 : 0));
    await queueBodies("plain", isWanted ? 1 : 0);
    await unsubscribe(arn);
  });
});

test("a subscription is found by what it is: twice the same is one, other attributes are refused", async () => {
  const FilterPolicy = '{"event":["down"]}';
  const arn = await subscribe("sqs", PLAIN, { FilterPolicy });
  expect(await subscribe("sqs", PLAIN, { FilterPolicy })).toBe(arn);
  await expect(subscribe("sqs", PLAIN, { FilterPolicy: "{}" })).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
  const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }));
  expect(Attributes).toMatchObject({ FilterPolicy, PendingConfirmation: "false", Protocol: "sqs" });
  await sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn: arn,
      AttributeName: "FilterPolicy",
      AttributeValue: "{}", // as SNS is told to filter no more
    }),
  );
  const after = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }));
  expect(after.Attributes).not.toHaveProperty("FilterPolicy");
  await unsubscribe(arn);
});

test("lists in pages of a hundred", async () => {
  const arns: string[] = [];
  for (let number = 100; number < 205; number += 1) arns.push(await subscribe("sms", `+41790000${number}`));
  const first = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  const second = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn, NextToken: first.NextToken }));
  expect([first.Subscriptions!.length, second.Subscriptions!.length, second.NextToken]).toEqual([100, 5, undefined]);
  for (const arn of arns) await unsubscribe(arn);
});

describe("refuses, with the error that AWS has for it,", () => {
  const long = "x".repeat(262_145);
  test.for([
    ["a topic that is not there", { TopicArn: `${TopicArn}x`, Message: "x" }, "NotFoundException"],
    ["an empty message", { TopicArn, Message: "" }, "InvalidParameterException"],
    ["more than 256 KB", { TopicArn, Message: long }, "InvalidParameterException"],
    ["a subject beyond ASCII", { TopicArn, Message: "x", Subject: "Zürich" }, "InvalidParameterException"],
    ["a subject of 100 characters", { TopicArn, Message: "x", Subject: "x".repeat(100) }, "InvalidParameterException"],
    ["a subject with a line break", { TopicArn, Message: "x", Subject: "a\nb" }, "InvalidParameterException"],
    [
      "a structure without a default",
      { TopicArn, Message: '{"sms":"x"}', MessageStructure: "json" },
      "InvalidParameterException",
    ],
    [
      "an empty attribute",
      { TopicArn, Message: "x", MessageAttributes: { a: text("") } },
      "InvalidParameterValueException",
    ],
    [
      "an array that is none",
      { TopicArn, Message: "x", MessageAttributes: { a: text("x", "String.Array") } },
      "InvalidParameterValueException",
    ],
  ] as const)("%s", async ([, input, name]) => {
    await expect(sns.send(new PublishCommand(input))).rejects.toMatchObject({ name });
  });

  test.for([
    ["fax", "1"],
    ["http", "https://example.com"],
    ["https", "example.com"],
    ["email", "nobody"],
    ["sms", "call me"],
  ] as const)("a subscription of %s to %s", async ([protocol, endpoint]) => {
    await expect(subscribe(protocol, endpoint)).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  test("a filter policy with an operator that nobody knows", async () => {
    const policy = '{"event":[{"resembles":"down"}]}';
    await expect(subscribe("sqs", PLAIN, { FilterPolicy: policy })).rejects.toThrow(/unknown comparison operator/);
  });
});
