import { verify, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import {
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { retryDelay, retryPolicy } from "../../../../infra/local/sns/retries.ts";
import { eventually, type Fixture, startFixture } from "../fixture.ts";

const TopicArn = "arn:aws:sns:us-east-1:000000000000:alerts";
const PLAIN = "arn:aws:sqs:us-east-1:000000000000:plain";
const DEAD = "arn:aws:sqs:us-east-1:000000000000:dead";

let fixture: Fixture;
let sns: SNSClient;

beforeAll(async () => {
  fixture = await startFixture();
  sns = new SNSClient(fixture.as());
});
afterAll(() => fixture[Symbol.asyncDispose]());

const publish = (Message: string, more: object = {}) => sns.send(new PublishCommand({ TopicArn, Message, ...more }));
const text = (StringValue: string, DataType = "String") => ({ DataType, StringValue });

interface Hook extends AsyncDisposable {
  readonly url: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON as it came
  readonly posts: { headers: IncomingHttpHeaders; body: any; raw: string }[];
  status: number;
}

/** A subscriber as people write them; it answers with `status`. */
const hook = async (): Promise<Hook> => {
  const posts: Hook["posts"] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks).toString();
    posts.push({ headers: request.headers, raw, body: raw.startsWith("{") ? JSON.parse(raw) : raw });
    response.writeHead(made.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const made: Hook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posts,
    status: 200,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return made;
};

const subscribe = async (Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) => {
  const command = new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true });
  return (await sns.send(command)).SubscriptionArn!;
};
const unsubscribe = (SubscriptionArn: string) => sns.send(new UnsubscribeCommand({ SubscriptionArn }));

const queueBodies = async (name: string, count: number): Promise<string[]> => {
  const queue = fixture.stack.queues.byName(name)!;
  const bodies: string[] = [];
  await eventually(async () => {
    for (const { body, receipt } of await queue.receive({ max: 10 })) {
      bodies.push(body);
      queue.delete(receipt!);
    }
    expect(bodies).toHaveLength(count);
  });
  return bodies;
};

test("an HTTP subscriber confirms by the link it gets, then receives signed notifications, until it unsubscribes", async () => {
  await using subscriber = await hook();
  const arn = await subscribe("http", subscriber.url);
  await publish("nobody confirmed yet");
  const { body: confirmation, headers } = await eventually(() => {
    expect(subscriber.posts).toHaveLength(1);
    return subscriber.posts[0]!;
  });
  expect(headers).toMatchObject({
    "x-amz-sns-message-type": "SubscriptionConfirmation",
    "x-amz-sns-topic-arn": TopicArn,
  });
  // The gateway is for this machine alone; the API's port is what others reach.
  expect(confirmation.SubscribeURL).toContain(`${fixture.stack.apiUrl}/?`);
  expect((await fetch(`${confirmation.SubscribeURL}x`)).status).not.toBe(200);
  expect((await fetch(confirmation.SubscribeURL)).status).toBe(200);

  await publish("closed ✓", { Subject: "DOWN", MessageAttributes: { tags: text('["a=b"]', "String.Array") } });
  const notification = await eventually(() => {
    expect(subscriber.posts).toHaveLength(2);
    return subscriber.posts[1]!;
  });
  expect(notification.headers).toMatchObject({
    "x-amz-sns-message-type": "Notification",
    "x-amz-sns-subscription-arn": arn,
    "content-type": "text/plain; charset=UTF-8",
  });
  const { body } = notification;
  expect(body).toMatchObject({
    Type: "Notification",
    Subject: "DOWN",
    Message: "closed ✓",
    MessageAttributes: { tags: { Type: "String.Array", Value: '["a=b"]' } },
    SignatureVersion: "1",
  });
  expect([body.SigningCertURL, body.UnsubscribeURL]).toEqual([
    expect.stringContaining(`${fixture.stack.apiUrl}/`),
    expect.stringContaining(`${fixture.stack.apiUrl}/`),
  ]);
  const certificate = new X509Certificate(await (await fetch(body.SigningCertURL)).text());
  const signed = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    .map((n) => `${n}\n${body[n]}\n`)
    .join("");
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(verify("sha1", Buffer.from(signed), certificate.publicKey, Buffer.from(body.Signature, "base64"))).toBe(true);

  expect((await fetch(body.UnsubscribeURL)).status).toBe(200);
  const { Subscriptions } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  expect(Subscriptions).toEqual([]);
});

test("a subscriber that fails gets the message again; one that refuses it for good sends it to the dead-letter queue", async () => {
  await using subscriber = await hook();
  const DeliveryPolicy = '{"healthyRetryPolicy":{"minDelayTarget":1}}';
  const arn = await subscribe("http", subscriber.url, { RawMessageDelivery: "true", DeliveryPolicy });
  const confirmation = await eventually(() => subscriber.posts[0]!.body.SubscribeURL as string);
  await fetch(confirmation);
  subscriber.status = 503;
  await publish("first");
  await eventually(() => expect(subscriber.posts.length).toBeGreaterThan(1));
  subscriber.status = 200;
  await eventually(() => expect(subscriber.posts.length).toBeGreaterThan(2));
  expect(subscriber.posts.slice(1).map(({ raw }) => raw)).toEqual(["first", "first"]);
  expect(subscriber.posts[2]!.headers["x-amz-sns-rawdelivery"]).toBe("true");

  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: DEAD });
  await sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn: arn,
      AttributeName: "RedrivePolicy",
      AttributeValue: RedrivePolicy,
    }),
  );
  subscriber.status = 400;
  await publish("refused");
  expect(await queueBodies("dead", 1)).toEqual(["refused"]);
  await unsubscribe(arn);
});

test.for([
  ["failed to parse", "{"],
  ["Total policy retry time", '{"healthyRetryPolicy":{"numRetries":50,"minDelayTarget":100,"maxDelayTarget":100}}'],
  ["numRetries must be", '{"healthyRetryPolicy":{"numRetries":101}}'],
  ["minDelayTarget must be", '{"healthyRetryPolicy":{"minDelayTarget":21}}'],
  ["more than numRetries", '{"healthyRetryPolicy":{"numMinDelayRetries":2,"numMaxDelayRetries":2}}'],
  ["unknown member numTries", '{"healthyRetryPolicy":{"numTries":2}}'],
  ["throttlePolicy is not supported", '{"throttlePolicy":{"maxReceivesPerSecond":1}}'],
  ["linear or exponential on one machine", '{"healthyRetryPolicy":{"backoffFunction":"geometric"}}'],
] as const)("refuses a delivery policy: %s", async ([why, DeliveryPolicy]) => {
  await expect(subscribe("http", "http://127.0.0.1:1/", { DeliveryPolicy })).rejects.toThrow(why);
});

describe("waits before it tries again as SNS does", () => {
  const delays = (protocol: "http" | "email" | "sqs", policy?: object, count = 100) => {
    const attributes = policy ? { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy: policy }) } : {};
    const retries = retryPolicy({ protocol, attributes: attributes as Record<string, string> });
    const all = Array.from({ length: count }, (_, index) => retryDelay(retries, index + 1));
    return all.filter((delay) => delay !== undefined).map(Math.round);
  };
  test("an HTTP subscriber without a policy: three times, 20 s apart", () => {
    expect(delays("http")).toEqual([20, 20, 20]);
  });
  test("one with a policy: at once, at the least delay, backing off, at the longest", () => {
    const policy = { minDelayTarget: 2, maxDelayTarget: 32, numRetries: 9, numNoDelayRetries: 1 };
    const phases = { numMinDelayRetries: 1, numMaxDelayRetries: 2 };
    const exponential = { ...policy, ...phases, backoffFunction: "exponential" };
    expect(delays("http", exponential)).toEqual([0, 2, 2, 4, 8, 16, 32, 32, 32]);
    expect(delays("http", { ...policy, numRetries: 5 })).toEqual([0, 2, 12, 22, 32]);
  });
  test("a mailbox: 50 times within seven hours, and no policy changes that", () => {
    const mail = delays("email", { numRetries: 1 });
    expect(mail).toHaveLength(50);
    expect(mail.slice(0, 3)).toEqual([10, 10, 10]);
    expect(mail.slice(11)).toEqual(Array(39).fill(600));
  });
  test("a queue: for weeks", () => {
    expect(delays("sqs").slice(0, 6)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(delays("sqs")).toHaveLength(100);
  });
});

test("queues, functions, phones and mailboxes get their own text of a message", async () => {
  const arns = [
    await subscribe("sqs", PLAIN),
    await subscribe("lambda", "arn:aws:lambda:us-east-1:000000000000:function:worker"),
    await subscribe("sms", "+41790000000"),
    await subscribe("email", "ops@example.com"),
  ];
  const folder = (name: string) => join(fixture.dataFolder, name);
  const files = (name: string) => readdirSync(folder(name)).filter((file) => !file.startsWith("."));
  const read = (name: string) =>
    files(name)
      .sort()
      .map((file) => readFileSync(join(folder(name), file), "utf8"));
  await eventually(() => expect(files("mail")).toHaveLength(1));
  const link = /http\S+/.exec(
    read("mail")[0]!
      .replace(/=\r?\n/g, "")
      .replaceAll("=3D", "="),
  )![0];
  expect((await fetch(link)).status).toBe(200);

  await publish(JSON.stringify({ default: "for all", sms: "short", email: "readable" }), {
    MessageStructure: "json",
    Subject: "DOWN",
  });
  expect(JSON.parse((await queueBodies("plain", 1))[0]!)).toMatchObject({ Message: "for all", Subject: "DOWN" });
  await eventually(() => {
    expect(fixture.received.at(-1)).toMatchObject({
      by: "worker",
      event: { Records: [{ EventSource: "aws:sns", Sns: { Message: "for all" } }] },
    });
    expect(read("sms")).toEqual(["To: +41790000000\n\nshort\n"]);
    expect(read("mail")[1]).toMatch(/Subject: DOWN[\s\S]*readable/);
  });
  for (const arn of arns) await unsubscribe(arn);
});

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

test("links carry the public address, and where the API listens on all addresses one of this machine", async () => {
  const linkOf = async (options: Parameters<typeof startFixture>[0]) => {
    await using own = await startFixture(options);
    await using subscriber = await hook();
    const client = new SNSClient(own.as());
    await client.send(new SubscribeCommand({ TopicArn, Protocol: "http", Endpoint: subscriber.url }));
    const url = new URL(await eventually(() => subscriber.posts[0]!.body.SubscribeURL as string));
    return { url, apiPort: new URL(own.stack.apiUrl).port };
  };
  const { url } = await linkOf({ publicUrl: "https://monitor.example.com/base" });
  expect(url.href).toMatch(/^https:\/\/monitor\.example\.com\/base\/\?Action=ConfirmSubscription&/);

  const others = Object.values(networkInterfaces()).flatMap((some = []) => some.filter(({ internal }) => !internal));
  const everywhere = await linkOf({ host: "0.0.0.0" });
  expect(everywhere.url.port).toBe(everywhere.apiPort);
  expect(others.length === 0 || everywhere.url.hostname !== "127.0.0.1").toBe(true);
});

test("a subscriber that hangs holds up nobody else", async () => {
  let isConfirmed = false;
  const hanging = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString());
    if (!body.SubscribeURL) return; // no answer, ever
    response.end();
    isConfirmed = (await fetch(body.SubscribeURL)).status === 200;
  }).listen(0, "127.0.0.1");
  await once(hanging, "listening");
  await using subscriber = await hook();
  const dead = await subscribe("http", `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/`);
  const alive = await subscribe("http", subscriber.url);
  await fetch(await eventually(() => subscriber.posts[0]!.body.SubscribeURL as string));
  await eventually(() => expect(isConfirmed).toBe(true));
  for (let count = 0; count < 40; count += 1) await publish(`message ${count}`);
  await eventually(() => expect(subscriber.posts).toHaveLength(41), 5_000);
  await unsubscribe(dead);
  await unsubscribe(alive);
  hanging.closeAllConnections();
  hanging.close();
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

test("a function publishes where its role allows it, and cannot subscribe anybody", async () => {
  const api = new SNSClient(fixture.as("t-Api"));
  await api.send(new PublishCommand({ TopicArn, Message: "allowed" }));
  const denied = api.send(new SubscribeCommand({ TopicArn, Protocol: "sms", Endpoint: "+41790000000" }));
  await expect(denied).rejects.toMatchObject({ name: "AuthorizationErrorException" });
});

test("subscriptions, and messages that have not arrived yet, outlive a restart", async () => {
  await using subscriber = await hook();
  await subscribe("http", subscriber.url, { RawMessageDelivery: "true" });
  await fetch(await eventually(() => subscriber.posts[0]!.body.SubscribeURL as string));
  subscriber.status = 500;
  await publish("survivor");
  await eventually(() => expect(subscriber.posts.length).toBeGreaterThan(1));
  await fixture.stack.stop();
  subscriber.status = 200;
  const before = subscriber.posts.length;
  await fixture.restart();
  sns = new SNSClient(fixture.as());
  await eventually(() => expect(subscriber.posts.length).toBeGreaterThan(before));
  expect(subscriber.posts.at(-1)!.raw).toBe("survivor");
});
