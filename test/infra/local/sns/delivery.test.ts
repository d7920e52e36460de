import { verify, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ListSubscriptionsByTopicCommand, PublishCommand, SetSubscriptionAttributesCommand } from "@aws-sdk/client-sns";
import { expect, test } from "vitest";
import { eventually } from "../fixture.ts";
import {
  DEAD,
  fixture,
  hook,
  PLAIN,
  publish,
  queueBodies,
  sns,
  subscribe,
  TopicArn,
  text,
  unsubscribe,
} from "./fixture.ts";

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

test("a message to a phone number becomes a file, and what is no phone number is refused", async () => {
  const { MessageId } = await sns.send(new PublishCommand({ PhoneNumber: "+41791234567", Message: "Orders is down" }));
  expect(MessageId).toEqual(expect.any(String));
  const folder = join(fixture.dataFolder, "sms");
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  expect(texts).toContain("To: +41791234567\n\nOrders is down\n");
  await expect(sns.send(new PublishCommand({ PhoneNumber: "0791234567", Message: "x" }))).rejects.toThrow(
    "PhoneNumber",
  );
});
