import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, type Fixture, type Received, startFixture } from "../fixture.ts";

let fixture: Fixture;
let database: DynamoDBClient;

beforeEach(async () => {
  fixture = await startFixture();
  database = new DynamoDBClient(fixture.as());
});
afterEach(() => fixture[Symbol.asyncDispose]());

const by = (name: string) => fixture.received.filter((received) => received.by === name);
const put = (pk: string, value: number) =>
  database.send(new PutItemCommand({ TableName: "things", Item: { pk: { S: pk }, value: { N: String(value) } } }));

interface StreamRecord {
  dynamodb: { SequenceNumber: string; Keys: { pk: { S: string } }; NewImage: { value: { N: string } } };
}
const recordsOf = ({ event }: Received) => event.Records as StreamRecord[];
const seen = (pk: string) =>
  by("streamer")
    .flatMap(recordsOf)
    .filter(({ dynamodb }) => dynamodb.Keys.pk.S === pk)
    .map(({ dynamodb }) => dynamodb.NewImage.value.N);

describe("a queue", () => {
  test("gives batches to the function; what it reports as failed comes again, then goes to the dead-letter queue", async () => {
    fixture.behave(({ event }) => ({
      result: {
        batchItemFailures: (event.Records as { messageId: string; body: string }[])
          .filter(({ body }) => body === "bad")
          .map(({ messageId }) => ({ itemIdentifier: messageId })),
      },
    }));
    const jobs = fixture.stack.queues.byName("jobs")!;
    jobs.send("bad");
    jobs.send("good", { attributes: { kind: { DataType: "String", StringValue: "x" } } });
    const dead = fixture.stack.queues.byName("dead")!;
    await eventually(() => expect(dead.counts().visible).toBe(1));
    const bodies = by("worker").flatMap(({ event }) => (event.Records as { body: string }[]).map(({ body }) => body));
    expect(bodies.toSorted()).toEqual(["bad", "bad", "good"]);
    const records = by("worker").flatMap(({ event }) => event.Records as object[]);
    expect(records).toContainEqual(
      expect.objectContaining({
        body: "good",
        eventSource: "aws:sqs",
        eventSourceARN: jobs.arn,
        messageAttributes: expect.objectContaining({ kind: expect.objectContaining({ stringValue: "x" }) }),
      }),
    );
    expect(jobs.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test("loses nothing when the function throws", async () => {
    fixture.behave(() => (by("worker").length === 1 ? { throw: "first time" } : {}));
    fixture.stack.queues.byName("jobs")!.send("work");
    await eventually(() => expect(by("worker")).toHaveLength(2));
    await eventually(() => expect(fixture.stack.queues.byName("jobs")!.counts().inFlight).toBe(0));
  });
});

describe("a stream", () => {
  test("keeps the order of each item, and passes over what the filter does not want", async () => {
    const writes = ["thing-a", "thing-b", "other"].map(async (pk) => {
      for (let value = 1; value <= 10; value += 1) await put(pk, value);
    });
    await Promise.all(writes);
    const order = Array.from({ length: 10 }, (_, index) => String(index + 1));
    await eventually(() => {
      expect(seen("thing-a")).toEqual(order);
      expect(seen("thing-b")).toEqual(order);
    });
    expect(seen("other")).toEqual([]);
  });

  test("repeats from the reported record on, and gives up after its retries without losing the others", async () => {
    fixture.behave(({ event }) => ({
      result: {
        batchItemFailures: (event.Records as StreamRecord[])
          .filter(({ dynamodb }) => dynamodb.NewImage.value.N === "13")
          .map(({ dynamodb }) => ({ itemIdentifier: dynamodb.SequenceNumber })),
      },
    }));
    for (const value of [12, 13, 14]) await put("thing-a", value);
    const failed = fixture.stack.queues.byName("failed")!;
    const [told] = await failed.receive({ max: 1, waitSeconds: 10 });
    expect(JSON.parse(told!.body)).toMatchObject({
      requestContext: { condition: "RetryAttemptsExhausted" },
      DDBStreamBatchInfo: { batchSize: 1 },
    });
    await eventually(() => expect(seen("thing-a").at(-1)).toBe("14"));
    expect(seen("thing-a").filter((value) => value === "12")).toEqual(["12"]);
  });

  test("halves a batch that throws until the bad record is alone", async () => {
    // While the first record holds its lane up, the others gather into one batch.
    let release = () => {};
    const held = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    fixture.behave((received) => {
      const values = recordsOf(received).map(({ dynamodb }) => dynamodb.NewImage.value.N);
      if (values.includes("1")) return held;
      return values.includes("13") ? { throw: "thirteen" } : {};
    });
    await put("thing-a", 1);
    await eventually(() => expect(by("streamer")).toHaveLength(1));
    for (const value of [12, 13, 14, 15]) await put("thing-a", value);
    release();
    // The whole batch ends in 14, 15 too: only after thirteen was given up do they mean the second half.
    await eventually(() => expect(fixture.stack.queues.byName("failed")!.counts().visible).toBe(1));
    await eventually(() => expect(seen("thing-a").slice(-2)).toEqual(["14", "15"]));
  });

  test("does not let all items wait for one item's slow handler", async () => {
    await using own = await startFixture({
      change: (template) => {
        template.Streamer!.Properties.Timeout = 25;
      },
    });
    let release = () => {};
    const held = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    own.behave((received) => (recordsOf(received)[0]!.dynamodb.Keys.pk.S === "thing-slow" ? held : {}));
    const client = new DynamoDBClient(own.as());
    const pks = ["thing-slow", ...Array.from({ length: 8 }, (_, index) => `thing-${index}`)];
    for (const pk of pks) await client.send(new PutItemCommand({ TableName: "things", Item: { pk: { S: pk } } }));
    // Those of the other lanes; which ones share a lane is fixed by their keys.
    await eventually(() => expect(own.received.flatMap(recordsOf).length).toBeGreaterThan(4));
    release();
    await eventually(() => expect(own.received.flatMap(recordsOf)).toHaveLength(pks.length));
  });

  test("delivers a burst of large records whole, without another write to wake it, and keeps none of them", async () => {
    const { database: local } = fixture.stack;
    const pks = Array.from({ length: 2_000 }, (_, index) => `thing-${index}`);
    const filler = { S: "x".repeat(3_000) };
    for (let start = 0; start < pks.length; start += 25) {
      const things = pks.slice(start, start + 25).map((pk) => ({
        PutRequest: { Item: { pk: { S: pk }, value: { N: "1" }, filler } },
      }));
      expect(await local.handle("BatchWriteItem", { RequestItems: { things } })).toMatchObject({ status: 200 });
    }
    await eventually(() => {
      const told = by("streamer").flatMap(recordsOf);
      expect(new Set(told.map(({ dynamodb }) => dynamodb.Keys.pk.S)).size).toBe(pks.length);
    });
    const arn = `${"arn:aws:dynamodb:us-east-1:000000000000:table/things"}/stream/2026-01-01T00:00:00.000`;
    await eventually(async () => {
      await local.sweep();
      expect(await local.streams.read(arn, "0", 1)).toEqual([]);
    });
  });

  test("takes up after a restart where it was: what was not handled comes again, what was done does not", async () => {
    await put("thing-a", 1);
    await eventually(() => expect(seen("thing-a")).toEqual(["1"]));
    const { streams } = fixture.stack.database;
    const arn = `${"arn:aws:dynamodb:us-east-1:000000000000:table/things"}/stream/2026-01-01T00:00:00.000`;
    await eventually(async () => expect(await streams.checkpoint("t/ThingsMapping", arn)).toBe(streams.latest(arn)));
    fixture.behave(() => new Promise(() => {}));
    await put("thing-a", 2);
    await eventually(() => expect(seen("thing-a")).toEqual(["1", "2"]));
    fixture.behave(() => ({}));
    await fixture.restart();
    await eventually(() => expect(seen("thing-a")).toEqual(["1", "2", "2"]));
  });
});

test("a mapping whose function may not read its source does not start", async () => {
  const change: Parameters<typeof startFixture>[0] = {
    change: (template) => {
      const [policy] = template.WorkerRole!.Properties.Policies as { PolicyDocument: { Statement: object[] } }[];
      policy!.PolicyDocument.Statement.shift();
    },
  };
  await expect(startFixture(change)).rejects.toThrow(/JobsMapping: the role .* may not sqs:ReceiveMessage/);
});
