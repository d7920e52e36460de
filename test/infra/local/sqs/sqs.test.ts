import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type Fixture, startFixture } from "../fixture.ts";

let fixture: Fixture;
let sqs: SQSClient;
let QueueUrl: string;

beforeAll(async () => {
  fixture = await startFixture({
    // Nobody else reads the queue that is redriven.
    change: (template) => {
      delete template.JobsMapping;
    },
  });
  sqs = new SQSClient(fixture.as());
  QueueUrl = `${fixture.stack.gatewayUrl}/000000000000/plain`;
});
afterAll(() => fixture[Symbol.asyncDispose]());

const receive = async (url = QueueUrl, more: object = {}) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, ...more }))).Messages ?? [];

test("a message comes back as it was sent, with its attributes and digests the SDK agrees with", async () => {
  const MessageAttributes = {
    kind: { DataType: "String", StringValue: "tick" },
    bytes: { DataType: "Binary", BinaryValue: new Uint8Array([1, 2, 3]) },
  };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "Zürich ✓\n", MessageAttributes }));
  const [message] = await receive(QueueUrl, { MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] });
  expect(message).toMatchObject({ Body: "Zürich ✓\n", Attributes: { ApproximateReceiveCount: "1" } });
  expect(message!.MessageAttributes).toEqual(MessageAttributes);
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message!.ReceiptHandle }));
  expect(fixture.stack.queues.byName("plain")!.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
});

test("the digest over attributes is the one that AWS documents", async () => {
  const MessageAttributes = { timestamp: { DataType: "Number", StringValue: "1493147359900" } };
  const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x", MessageAttributes }));
  // What AWS answers for this one, as moto's tests recorded it.
  expect(sent.MD5OfMessageAttributes).toBe("235c5c510d26fb653d073faed50ae77c");
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
});

test("a delayed message waits, and a long poll gets it the moment it is due", async () => {
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "later", DelaySeconds: 1 }));
  expect(await receive()).toEqual([]);
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  expect(Attributes).toMatchObject({ ApproximateNumberOfMessagesDelayed: "1", VisibilityTimeout: "30" });
  const [message] = await receive(QueueUrl, { WaitTimeSeconds: 10 });
  expect(message!.Body).toBe("later");
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message!.ReceiptHandle }));
});

test("a message that nobody deletes becomes visible again, and after its last receive goes to the dead-letter queue", async () => {
  const [jobs, dead] = ["jobs", "dead"].map((name) => `${fixture.stack.gatewayUrl}/000000000000/${name}`);
  await sqs.send(new SendMessageCommand({ QueueUrl: jobs, MessageBody: "poison" }));
  const [first] = await receive(jobs);
  expect(await receive(jobs)).toEqual([]);
  const [second] = await receive(jobs, { WaitTimeSeconds: 5 });
  expect(second!.MessageId).toBe(first!.MessageId);
  // The first receipt is out of date: it deletes nothing.
  await sqs.send(new DeleteMessageCommand({ QueueUrl: jobs, ReceiptHandle: first!.ReceiptHandle }));
  expect(await receive(jobs, { WaitTimeSeconds: 2 })).toEqual([]);
  expect(await receive(dead, { WaitTimeSeconds: 2 })).toMatchObject([{ Body: "poison" }]);
});

test("changing the visibility to 0 gives the message back at once", async () => {
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "again" }));
  const [{ ReceiptHandle }] = (await receive()) as [{ ReceiptHandle: string }];
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const [again] = await receive();
  expect(again!.Body).toBe("again");
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again!.ReceiptHandle }));
});

test("in a batch, one bad entry does not keep the others back", async () => {
  const Entries = [
    { Id: "good", MessageBody: "a" },
    { Id: "bad", MessageBody: "control \u0001 character" },
    { Id: "late", MessageBody: "b", DelaySeconds: 901 },
  ];
  const { Successful, Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect(Successful!.map(({ Id }) => Id)).toEqual(["good"]);
  expect(Failed).toMatchObject([
    { Id: "bad", Code: "InvalidMessageContents", SenderFault: true },
    { Id: "late", Code: "InvalidParameterValue" },
  ]);
  const [message] = await receive();
  const deleted = await sqs.send(
    new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: "x", ReceiptHandle: message!.ReceiptHandle }] }),
  );
  expect(deleted.Successful).toEqual([{ Id: "x" }]);
});

describe("refuses, with the error that AWS has for it,", () => {
  const entries = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ Id: `${index}`, MessageBody: "x" }));
  const url = () => QueueUrl;
  test.for([
    [
      "an unknown queue",
      () => new SendMessageCommand({ QueueUrl: `${url()}x`, MessageBody: "x" }),
      "QueueDoesNotExist",
    ],
    ["an empty body", () => new SendMessageCommand({ QueueUrl, MessageBody: "" }), "MissingParameter"],
    [
      "a delay over 900 s",
      () => new SendMessageCommand({ QueueUrl, MessageBody: "x", DelaySeconds: 901 }),
      "InvalidParameterValue",
    ],
    [
      "a body over 1 MiB",
      () => new SendMessageCommand({ QueueUrl, MessageBody: "x".repeat(1_048_577) }),
      "InvalidParameterValue",
    ],
    ["no entries", () => new SendMessageBatchCommand({ QueueUrl, Entries: [] }), "EmptyBatchRequest"],
    [
      "eleven entries",
      () => new SendMessageBatchCommand({ QueueUrl, Entries: entries(11) }),
      "TooManyEntriesInBatchRequest",
    ],
    [
      "equal ids",
      () => new SendMessageBatchCommand({ QueueUrl, Entries: [...entries(1), ...entries(1)] }),
      "BatchEntryIdsNotDistinct",
    ],
    [
      "a made-up receipt",
      () => new DeleteMessageCommand({ QueueUrl, ReceiptHandle: "made up" }),
      "ReceiptHandleIsInvalid",
    ],
    [
      "eleven messages at once",
      () => new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 }),
      "InvalidParameterValue",
    ],
  ] as const)("%s", async ([, command, name]) => {
    // biome-ignore lint/suspicious/noExplicitAny: commands of several types
    await expect(sqs.send(command() as any)).rejects.toMatchObject({ name });
  });
});

test("a function may do what its role allows, and nothing else", async () => {
  const api = new SQSClient(fixture.as("t-Api"));
  await api.send(new SendMessageCommand({ QueueUrl, MessageBody: "allowed" }));
  const denied = api.send(new ReceiveMessageCommand({ QueueUrl }));
  await expect(denied).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining(
      "t-Api is not authorized to perform: sqs:ReceiveMessage on resource: arn:aws:sqs:us-east-1:000000000000:plain",
    ),
  });
  const stranger = new SQSClient({
    ...fixture.as(),
    credentials: { accessKeyId: "AKIASTRANGER", secretAccessKey: "x" },
  });
  await expect(stranger.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
    name: "UnrecognizedClientException",
  });
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
});

test("messages outlive a restart; what was deleted stays so, what was being handled is there at once", async () => {
  for (const MessageBody of ["kept", "handled", "deleted"])
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const messages = await receive();
  const deleted = messages.find(({ Body }) => Body === "deleted")!;
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: deleted.ReceiptHandle }));
  await fixture.restart();
  sqs = new SQSClient(fixture.as());
  QueueUrl = `${fixture.stack.gatewayUrl}/000000000000/plain`;
  await eventually(async () => {
    const again = await receive(QueueUrl, { MessageSystemAttributeNames: ["All"] });
    expect(again.map(({ Body, Attributes }) => [Body, Attributes!.ApproximateReceiveCount])).toEqual([
      ["kept", "2"],
      ["handled", "2"],
    ]);
  });
});
