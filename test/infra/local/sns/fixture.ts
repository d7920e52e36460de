/** The local SNS with subscribers. Importing it starts a stack for the tests of the importing file. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { PublishCommand, SNSClient, SubscribeCommand, UnsubscribeCommand } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, expect } from "vitest";
import { eventually, type Fixture, startFixture } from "../fixture.ts";

export const TopicArn = "arn:aws:sns:us-east-1:000000000000:alerts";
export const PLAIN = "arn:aws:sqs:us-east-1:000000000000:plain";
export const DEAD = "arn:aws:sqs:us-east-1:000000000000:dead";

export let fixture: Fixture;
export let sns: SNSClient;

beforeAll(async () => {
  fixture = await startFixture();
  sns = new SNSClient(fixture.as());
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** Starts the stack again after a test has stopped it. */
export const restart = async () => {
  await fixture.restart();
  sns = new SNSClient(fixture.as());
};

export const publish = (Message: string, more: object = {}) =>
  sns.send(new PublishCommand({ TopicArn, Message, ...more }));
export const text = (StringValue: string, DataType = "String") => ({ DataType, StringValue });

interface Hook extends AsyncDisposable {
  readonly url: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON as it came
  readonly posts: { headers: IncomingHttpHeaders; body: any; raw: string }[];
  status: number;
}

/** A subscriber as people write them; it answers with `status`. */
export const hook = async (): Promise<Hook> => {
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

export const subscribe = async (Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) => {
  const command = new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true });
  return (await sns.send(command)).SubscriptionArn!;
};
export const unsubscribe = (SubscriptionArn: string) => sns.send(new UnsubscribeCommand({ SubscriptionArn }));

export const queueBodies = async (name: string, count: number): Promise<string[]> => {
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
