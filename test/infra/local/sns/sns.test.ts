import { networkInterfaces } from "node:os";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { expect, test } from "vitest";
import { eventually, startFixture } from "../fixture.ts";
import { fixture, hook, publish, restart, subscribe, TopicArn } from "./fixture.ts";

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
  await restart();
  await eventually(() => expect(subscriber.posts.length).toBeGreaterThan(before));
  expect(subscriber.posts.at(-1)!.raw).toBe("survivor");
});
