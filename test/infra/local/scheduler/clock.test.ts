/** The machine's clock is set while everything runs, or was wrong when something was written down. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../../../infra/local/dynamodb/database.ts";
import { STREAM_START } from "../../../../infra/local/dynamodb/streams.ts";
import { streamArn } from "../../../../infra/local/dynamodb/table-definition.ts";
import { createTokenBucket } from "../../../../infra/local/http-api/token-bucket.ts";
import { type Message, QUEUE_DEFAULTS, Queue } from "../../../../infra/local/sqs/queue.ts";
import { eventually, startFixture } from "../fixture.ts";
import { things } from "../things.ts";

const HOUR_MS = 3_600_000;

let folder: string;
let offsetMs: number;
beforeEach(() => {
  offsetMs = 0;
  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() + offsetMs);
  folder = mkdtempSync(join(tmpdir(), "harborlight-clock-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** As NTP, a person or a snapshot does it. */
const setClock = (byMs: number) => {
  offsetMs = byMs;
};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const openQueue = () =>
  new Queue({
    name: "q",
    arn: "arn:aws:sqs:us-east-1:000000000000:q",
    settings: { ...QUEUE_DEFAULTS, retentionSeconds: 60 },
    file: join(folder, "q.jsonl"),
    deadLetters: () => undefined,
  });

describe.each([
  ["back", -HOUR_MS],
  ["ahead", HOUR_MS],
])("a clock that is set %s by an hour", (_, byMs) => {
  test("neither holds up nor hurries a delayed message, and ages none", async () => {
    const queue = openQueue();
    queue.send("later", { delaySeconds: 0.3 });
    setClock(byMs);
    expect(await queue.receive({ max: 1 })).toEqual([]);
    const startedAt = performance.now();
    const [message] = await queue.receive({ max: 1, waitSeconds: 5, visibilitySeconds: 0.3 });
    expect(message?.body).toBe("later");
    expect(performance.now() - startedAt).toBeGreaterThan(150);
    expect(queue.oldestSeconds()).toBeLessThan(5);
    setClock(-byMs);
    expect(await queue.receive({ max: 1 })).toEqual([]);
    expect(await queue.receive({ max: 1, waitSeconds: 5 })).toHaveLength(1);
    queue.close();
  });

  test("does not change how old a stream record is", async () => {
    const database = await openDatabase({ tables: [things()] });
    const Item = { pk: { S: "a" }, sk: { S: "x" } };
    await database.handle("PutItem", { TableName: "things", Item });
    setClock(byMs);
    await database.handle("PutItem", { TableName: "things", Item: { ...Item, v: { N: "1" } } });
    const records = await database.streams.read(streamArn(things().arn), STREAM_START, 10);
    // Records tell whole seconds.
    for (const record of records) expect(database.streams.ageMs(record)).toBeLessThan(2_000);
    await database.close();
  });

  test("does not shut the API out", async () => {
    const mayPass = createTokenBucket(20, 1);
    expect([mayPass(), mayPass()]).toEqual([true, false]);
    setClock(byMs);
    await sleep(120);
    expect([mayPass(), mayPass()]).toEqual([true, false]);
  });

  test("stops neither a delivery that is tried again nor a batch of messages", async () => {
    await using fixture = await startFixture({
      change: (template) => {
        template.JobsMapping!.Properties.MaximumBatchingWindowInSeconds = 1;
      },
    });
    const posts: string[] = [];
    let status = 200;
    const subscriber = createServer((request, response) => {
      posts.push(String(request.headers["x-amz-sns-message-type"]));
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", async () => {
        response.writeHead(status).end();
        if (posts.length === 1) await fetch(JSON.parse(body).SubscribeURL);
      });
    });
    await new Promise<void>((resolve) => subscriber.listen(0, "127.0.0.1", resolve));
    const sns = new SNSClient(fixture.as());
    const TopicArn = "arn:aws:sns:us-east-1:000000000000:alerts";
    const Endpoint = `http://127.0.0.1:${(subscriber.address() as AddressInfo).port}/`;
    const Attributes = { DeliveryPolicy: '{"healthyRetryPolicy":{"minDelayTarget":1}}' };
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "http", Endpoint, Attributes }));
    await eventually(() => expect(posts).toHaveLength(1));
    await sleep(200);
    status = 503;
    await sns.send(new PublishCommand({ TopicArn, Message: "x" }));
    fixture.stack.queues.byName("jobs")!.send("job");
    await eventually(() => expect(posts).toHaveLength(2));
    setClock(byMs);
    await eventually(() => expect(posts).toHaveLength(3), 4_000);
    await eventually(() => expect(fixture.received.filter(({ by }) => by === "worker")).toHaveLength(1), 4_000);
    subscriber.closeAllConnections();
    subscriber.close();
  });
});

test("a message that a wrong clock sent in the future keeps its delay, and is not older or younger for it", async () => {
  const first = openQueue();
  first.send("now");
  first.send("later", { delaySeconds: 0.4 });
  first.close();
  const file = join(folder, "q.jsonl");
  const ahead = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const [id, message] = JSON.parse(line.slice(line.indexOf("["))) as [string, Message];
      const { sentAtMs, visibleAtMs } = message;
      return JSON.stringify([id, { ...message, sentAtMs: sentAtMs + HOUR_MS, visibleAtMs: visibleAtMs + HOUR_MS }]);
    });
  writeFileSync(file, `${ahead.join("\n")}\n`);
  const second = openQueue();
  expect((await second.receive({ max: 10 })).map(({ body }) => body)).toEqual(["now"]);
  expect((await second.receive({ max: 10, waitSeconds: 5 })).map(({ body }) => body)).toEqual(["later"]);
  expect(second.oldestSeconds()).toBeLessThan(5);
  second.close();
});

test("stream records of a process whose clock was wrong are new to the next one", async () => {
  const Item = { pk: { S: "a" }, sk: { S: "x" } };
  for (const byMs of [HOUR_MS, -HOUR_MS]) {
    const now = () => Date.now() + byMs;
    const earlier = await openDatabase({ dataFolder: folder, tables: [things()], now });
    await earlier.handle("PutItem", { TableName: "things", Item: { ...Item, v: { N: String(byMs) } } });
    await earlier.close();
  }
  const database = await openDatabase({ dataFolder: folder, tables: [things()] });
  const records = await database.streams.read(streamArn(things().arn), STREAM_START, 10);
  expect(records).toHaveLength(2);
  for (const record of records) expect(database.streams.ageMs(record)).toBeLessThan(2_000);
  await database.close();
});

test("a clock that is years ahead for an hour deletes no more history than that of a day", async () => {
  const database = await openDatabase({ dataFolder: folder, tables: [things()] });
  const put = (pk: string, seconds: number) =>
    database.handle("PutItem", {
      TableName: "things",
      Item: { pk: { S: pk }, sk: { S: "x" }, expiresAtSeconds: { N: String(Math.floor(seconds)) } },
    });
  const nowSeconds = Date.now() / 1_000;
  await put("due", nowSeconds - 60);
  await put("in two days", nowSeconds + 2 * 86_400);
  expect(await database.sweep()).toBe(1);
  const byMs = 3 * 365 * 86_400_000;
  setClock(byMs);
  expect(await database.sweep()).toBe(0);
  await database.close();

  const again = await openDatabase({ dataFolder: folder, tables: [things()] });
  expect(await again.sweep()).toBe(0); // nor does a restart let it leap
  setClock(-byMs);
  expect(await again.sweep()).toBe(0);
  expect(((await again.handle("Scan", { TableName: "things" })).body as { Items: unknown[] }).Items).toHaveLength(1);
  await again.close();
});
