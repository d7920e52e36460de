import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../../../infra/local/dynamodb/database.ts";
import { STREAM_START } from "../../../../infra/local/dynamodb/streams.ts";
import { streamArn } from "../../../../infra/local/dynamodb/table-definition.ts";
import type { MonitorsIndex } from "../../../../shared/store/indexes.ts";
import { startTables } from "../../../support/tables.ts";
import { Usage } from "../../../support/usage.ts";
import { things } from "../things.ts";

const Key = { pk: "MONITOR#a", sk: "MONITOR" };
const revise = { UpdateExpression: "ADD revision :one", ExpressionAttributeValues: { ":one": 1 } };
const ARN = streamArn(things().arn);

const thingsDatabase = (options: Partial<Parameters<typeof openDatabase>[0]> = {}) =>
  openDatabase({ tables: [things()], ...options });
const put = (pk: string, attributes: Record<string, unknown> = {}) =>
  ["PutItem", { TableName: "things", Item: { pk: { S: pk }, sk: { S: "x" }, ...attributes } }] as const;

test("writes, indexes and streams work through the SDK with the deployed schema", async () => {
  await using started = await startTables();
  const { client, database, definitions, tables } = started;
  const TableName = tables.monitors;
  await client.send(new PutCommand({ TableName, Item: { ...Key, shard: "10#0", id: "a", name: "A", revision: 1 } }));
  await client.send(new UpdateCommand({ TableName, Key, ...revise }));
  expect((await client.send(new GetCommand({ TableName, Key }))).Item).toMatchObject({ revision: 2 });
  const found = await client.send(
    new QueryCommand({
      TableName,
      IndexName: "members" satisfies MonitorsIndex,
      KeyConditionExpression: "#shard = :shard",
      ExpressionAttributeNames: { "#shard": "shard" },
      ExpressionAttributeValues: { ":shard": "10#0" },
    }),
  );
  expect(found.Items).toEqual([{ ...Key, shard: "10#0" }]);
  const records = await database.streams.read(streamArn(definitions.monitors.arn), STREAM_START, 10);
  expect(records.map(({ eventName }) => eventName)).toEqual(["INSERT", "MODIFY"]);
});

test("a failed condition brings the item along as the SDK's own exception", async () => {
  await using started = await startTables();
  const { client, tables } = started;
  const TableName = tables.monitors;
  await client.send(new PutCommand({ TableName, Item: { ...Key, revision: 3 } }));
  const refused = client.send(
    new DeleteCommand({
      TableName,
      Key,
      ConditionExpression: "revision = :read",
      ExpressionAttributeValues: { ":read": 2 },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    }),
  );
  await expect(refused).rejects.toMatchObject({
    name: "ConditionalCheckFailedException",
    Item: { revision: { N: "3" } },
  });
});

test("tables are not made at run time, and the older interface is refused with a reason", async () => {
  const database = await thingsDatabase();
  expect(await database.handle("DeleteTable", { TableName: "things" })).toMatchObject({ status: 400 });
  const [operation, body] = put("a");
  const answer = await database.handle(operation, { ...body, Expected: {} });
  expect(answer).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining("Expected is not supported") },
  });
  await database.close();
});

describe("transactions", () => {
  const Put = (sk: string, revision: number, ConditionExpression?: string) => ({
    Put: { TableName: "monitors", Item: { pk: "a", sk, revision }, ConditionExpression },
  });

  test("write all or nothing, and say which item stood in the way", async () => {
    await using started = await startTables();
    const { client, tables, database, definitions } = started;
    const inTable = (...items: ReturnType<typeof Put>[]) =>
      items.map((item) => ({ Put: { ...item.Put, TableName: tables.monitors } }));
    await client.send(new TransactWriteCommand({ TransactItems: inTable(Put("1", 1), Put("2", 1)) }));
    const refused = client.send(
      new TransactWriteCommand({ TransactItems: inTable(Put("1", 2), Put("2", 2, "attribute_not_exists(pk)")) }),
    );
    await expect(refused).rejects.toMatchObject({
      name: "TransactionCanceledException",
      CancellationReasons: [{ Code: "None" }, { Code: "ConditionalCheckFailed" }],
    });
    const { Responses } = await client.send(
      new TransactGetCommand({
        TransactItems: ["1", "2", "3"].map((sk) => ({ Get: { TableName: tables.monitors, Key: { pk: "a", sk } } })),
      }),
    );
    expect(Responses!.map(({ Item }) => Item?.revision)).toEqual([1, 1, undefined]);
    expect(await database.streams.read(streamArn(definitions.monitors.arn), STREAM_START, 10)).toHaveLength(2);
  });

  test("that are sent again with their token write nothing again", async () => {
    let now = 0;
    const database = await thingsDatabase({ now: () => now });
    const Update = {
      TableName: "things",
      Key: { pk: { S: "a" }, sk: { S: "x" } },
      UpdateExpression: "ADD revision :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
    };
    const send = (more: object = {}) =>
      database.handle("TransactWriteItems", {
        TransactItems: [{ Update: { ...Update, ...more } }],
        ClientRequestToken: "t",
      });
    const revision = async () =>
      ((await database.handle("Scan", { TableName: "things" })).body as { Items: { revision: object }[] }).Items[0]
        ?.revision;
    await Promise.all([send(), send()]);
    expect(await revision()).toEqual({ N: "1" });
    const other = await send({ UpdateExpression: "SET revision = :one" });
    expect(other.body).toMatchObject({ __type: expect.stringContaining("IdempotentParameterMismatch") });
    now += 11 * 60_000;
    await send();
    expect(await revision()).toEqual({ N: "2" });
    await database.close();
  });

  test("wait for the writes of their items, and those for them", async () => {
    const database = await thingsDatabase();
    const Update = (pk: string) => ({
      TableName: "things",
      Key: { pk: { S: pk }, sk: { S: "x" } },
      UpdateExpression: "ADD revision :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
    });
    const both = { TransactItems: [{ Update: Update("a") }, { Update: Update("b") }] };
    await Promise.all(
      Array.from({ length: 50 }, () => [
        database.handle("TransactWriteItems", both),
        database.handle("UpdateItem", Update("a")),
        database.handle("UpdateItem", Update("b")),
      ]).flat(),
    );
    const { Items } = (await database.handle("Scan", { TableName: "things" })).body as {
      Items: { revision: object }[];
    };
    expect(Items.map((item) => item.revision)).toEqual([{ N: "100" }, { N: "100" }]);
    const records = await database.streams.read(ARN, STREAM_START, 1_000);
    for (const item of ["a", "b"]) {
      const own = records.filter(({ dynamodb }) => dynamodb.Keys.pk!.S === item);
      expect(own.map(({ dynamodb }) => Number(dynamodb.NewImage!.revision!.N))).toEqual(
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
    }
    await database.close();
  });
});

describe("streams", () => {
  test("tell nothing of a write that changed nothing", async () => {
    const database = await thingsDatabase();
    await database.handle(...put("a", { tags: { SS: ["x", "y"] } }));
    await database.handle(...put("a", { tags: { SS: ["y", "x"] } }));
    await database.handle("DeleteItem", { TableName: "things", Key: { pk: { S: "absent" }, sk: { S: "x" } } });
    expect(await database.streams.read(ARN, STREAM_START, 10)).toHaveLength(1);
    await database.close();
  });

  test("call their subscribers once a record can be read, and no more after they left", async () => {
    const database = await thingsDatabase();
    const seen: Promise<number>[] = [];
    const leave = database.streams.subscribe(ARN, () => {
      seen.push(database.streams.read(ARN, STREAM_START, 10).then((records) => records.length));
    });
    await database.handle(...put("a"));
    await database.handle(...put("b"));
    expect(await Promise.all(seen)).toEqual([1, 2]);
    leave();
    await database.handle(...put("c"));
    expect(seen).toHaveLength(2);
    await database.close();
  });

  test("number the changes of one item in the order of its revisions under 200 writers at once", async () => {
    const database = await thingsDatabase();
    const request = {
      TableName: "things",
      Key: { pk: { S: "a" }, sk: { S: "x" } },
      UpdateExpression: "ADD revision :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
    };
    await Promise.all(Array.from({ length: 200 }, () => database.handle("UpdateItem", structuredClone(request))));
    const records = await database.streams.read(ARN, STREAM_START, 1_000);
    expect(records.map(({ dynamodb }) => Number(dynamodb.NewImage!.revision!.N))).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    await database.close();
  });

  test("forget records after 24 hours", async () => {
    let now = Date.now();
    const database = await thingsDatabase({ now: () => now });
    await database.handle(...put("old"));
    now += 23 * 3_600_000;
    await database.handle(...put("young"));
    await database.sweep();
    expect(await database.streams.read(ARN, STREAM_START, 10)).toHaveLength(2);
    now += 2 * 3_600_000;
    await database.sweep();
    const left = await database.streams.read(ARN, STREAM_START, 10);
    expect(left.map(({ dynamodb }) => dynamodb.Keys.pk)).toEqual([{ S: "young" }]);
    await database.close();
  });
});

describe("expiry", () => {
  const at = (seconds: number | string) => ({ expiresAtSeconds: { N: String(seconds) } });

  test("deletes what is past its second, tells the stream who did it, and costs nothing", async () => {
    let nowSeconds = 1_800_000_000;
    const usage = new Usage();
    const database = await thingsDatabase({ now: () => nowSeconds * 1_000, onCapacity: usage.add });
    await database.handle(...put("soon", at(nowSeconds + 10)));
    await database.handle(...put("later", at(nowSeconds + 100)));
    await database.handle(...put("never"));
    await database.handle(...put("text", { expiresAtSeconds: { S: "1" } }));
    await database.handle(...put("milliseconds", at(nowSeconds * 1_000)));
    await database.handle(...put("long past", at(nowSeconds - 6 * 365 * 86_400)));
    expect(await database.sweep()).toBe(0);
    nowSeconds += 11;
    usage.reset();
    expect(await database.sweep()).toBe(1);
    expect(usage.rows()).toEqual([]);
    const records = await database.streams.read(ARN, STREAM_START, 100);
    expect(records.at(-1)).toMatchObject({
      eventName: "REMOVE",
      dynamodb: { Keys: { pk: { S: "soon" } } },
      userIdentity: { type: "Service", principalId: "dynamodb.amazonaws.com" },
    });
    expect(records.slice(0, -1).every(({ userIdentity }) => userIdentity === undefined)).toBe(true);
    await database.close();
  });

  test("follows an item whose second moved", async () => {
    let nowSeconds = 1_800_000_000;
    const database = await thingsDatabase({ now: () => nowSeconds * 1_000 });
    await database.handle(...put("a", at(nowSeconds + 10)));
    await database.handle(...put("a", at(nowSeconds + 100)));
    await database.handle(...put("b", at(nowSeconds + 10)));
    await database.handle(...put("b"));
    nowSeconds += 50;
    expect(await database.sweep()).toBe(0);
    nowSeconds += 51;
    expect(await database.sweep()).toBe(1);
    await database.close();
  });
});

describe("faults that a test asks for", () => {
  test.each([
    ["fail-before", 0],
    ["fail-after", 1],
  ] as const)("%s leaves %i items", async (verdict, items) => {
    const database = await thingsDatabase({
      intercept: ({ operation, caller }) => (operation === "PutItem" && caller === "probe" ? verdict : "proceed"),
    });
    expect(await database.handle(...put("a"), "probe")).toMatchObject({ status: 500 });
    const scan = await database.handle("Scan", { TableName: "things" }, "probe");
    expect(scan).toMatchObject({ status: 200, body: { Count: items } });
    await database.close();
  });
});

test("onCapacity gets units by caller, table and operation, indexes and failed conditions included", async () => {
  const usage = new Usage();
  const database = await thingsDatabase({ onCapacity: usage.add });
  const shard = (name: string) => ({ shard: { S: name } });
  await database.handle(...put("a", shard("1")), "probe"); // 1 + 1 for the index
  await database.handle(...put("a", { ...shard("1"), hidden: { S: "x" } }), "probe"); // 1: the index does not see it
  await database.handle(...put("a", shard("2")), "probe"); // 1 + 2: the entry moves
  const [operation, item] = put("a");
  await database.handle(operation, { ...item, ConditionExpression: "attribute_not_exists(pk)" }, "probe"); // 1
  const Key = { pk: { S: "a" }, sk: { S: "x" } };
  await database.handle("GetItem", { TableName: "things", Key }, "api"); // 0.5
  await database.handle("GetItem", { TableName: "things", Key, ConsistentRead: true }, "api"); // 1
  const RequestItems = { things: { Keys: [Key, { ...Key, sk: { S: "absent" } }] } };
  await database.handle("BatchGetItem", { RequestItems }, "api"); // 0.5 each
  const nothing = { KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": { S: "absent" } } };
  await database.handle("Query", { TableName: "things", ...nothing }, "api"); // 0.5
  expect(usage.rows()).toEqual([
    { caller: "probe", table: "things", operation: "PutItem", requests: 4, units: 2 + 1 + 3 + 1 },
    { caller: "api", table: "things", operation: "GetItem", requests: 2, units: 1.5 },
    { caller: "api", table: "things", operation: "BatchGetItem", requests: 1, units: 1 },
    { caller: "api", table: "things", operation: "Query", requests: 1, units: 0.5 },
  ]);
  await database.close();
});

test("storage counts items and index entries with the overhead that is billed", async () => {
  const database = await thingsDatabase();
  await database.handle(...put("a", { shard: { S: "s" } })); // pk a + sk x + shard s: 12 bytes
  await database.handle(...put("b"));
  expect(await database.storage()).toEqual([
    { table: "things", index: null, items: 2, bytes: 12 + 6 + 200 },
    { table: "things", index: "by-shard", items: 1, bytes: 112 },
    { table: "things", index: "due", items: 0, bytes: 0 },
  ]);
  await database.close();
});

test("closing waits for requests under way and refuses later ones", async () => {
  const database = await thingsDatabase();
  const writing = Promise.all(Array.from({ length: 50 }, (_, index) => database.handle(...put(`item${index}`))));
  await database.close();
  expect((await writing).every(({ status }) => status === 200)).toBe(true);
  expect(await database.handle(...put("late"))).toMatchObject({ status: 500 });
});
