/** What the tables in memory do that no local database shows: staleness, lag, leftovers, expiry, the hook of the writes. */
import { BatchGetCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { tableDefinitions } from "../support/schema.ts";
import type { Change, Surroundings } from "./table.ts";
import { createTables, type TableCommand } from "./tables.ts";

const { monitors } = tableDefinitions();
const TableName = monitors.name;
const Key = { pk: "MONITOR#1", sk: "MONITOR" };
const FIRST = { ...Key, revision: 1, dueBucket: "DUE#1", nextEvaluationAt: "2026" };

function start(surroundings: Partial<Surroundings> = {}) {
  const clock = { now: 1_000_000 };
  const changes: Change[] = [];
  const tables = createTables([monitors], {
    now: () => clock.now,
    onWrite: (change) => changes.push(change),
    ...surroundings,
  });
  const perform = (command: TableCommand) => tables.perform(command) as Record<string, unknown>;
  const revise = (revision: number) =>
    perform(
      new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: "SET revision = :r",
        ExpressionAttributeValues: { ":r": revision },
      }),
    );
  const due = () =>
    (
      perform(
        new QueryCommand({
          TableName,
          IndexName: "due",
          KeyConditionExpression: "dueBucket = :b",
          ExpressionAttributeValues: { ":b": "DUE#1" },
        }),
      ).Items as unknown[]
    ).length;
  perform(new PutCommand({ TableName, Item: FIRST }));
  return { clock, changes, tables, perform, revise, due };
}

test("a read without consistency may be behind, a consistent one never", () => {
  const { clock, perform, revise } = start({ staleMs: () => 2_000 });
  clock.now += 5_000;
  revise(2);
  clock.now += 1_999;
  expect(perform(new GetCommand({ TableName, Key })).Item).toMatchObject({ revision: 1 });
  expect(perform(new GetCommand({ TableName, Key, ConsistentRead: true })).Item).toMatchObject({ revision: 2 });
  clock.now += 1;
  expect(perform(new GetCommand({ TableName, Key })).Item).toMatchObject({ revision: 2 });
});

test("an index shows writes after its lag, those of one item in their order", () => {
  const lags = [20_000, 5_000];
  const { clock, perform, due } = start({ indexLagMs: (_, index) => (index === "due" ? lags.shift()! : 0) });
  expect(due()).toBe(0);
  clock.now += 10_000;
  perform(new UpdateCommand({ TableName, Key, UpdateExpression: "REMOVE dueBucket, nextEvaluationAt" }));
  clock.now += 9_999;
  expect(due()).toBe(0);
  clock.now += 1;
  expect(due()).toBe(0);
  expect(lags).toEqual([]);
});

test("a part of a batch is handed back", () => {
  const { perform } = start({ leftOver: () => 1 });
  const other = { pk: "MONITOR#2", sk: "MONITOR" };
  const answer = perform(
    new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [Key, other], ConsistentRead: true } } }),
  );
  expect(answer.Responses).toEqual({ [TableName]: [FIRST] });
  expect(answer.UnprocessedKeys).toEqual({ [TableName]: { Keys: [other], ConsistentRead: true } });
});

test("an item goes some time after its expiry, unless that was moved; the hook says so", () => {
  const { clock, changes, tables, perform } = start({ expiryLagMs: () => 60_000 });
  const put = (sk: string, expiresAtSeconds: number) =>
    perform(new PutCommand({ TableName, Item: { pk: "TTL", sk, expiresAtSeconds } }));
  put("gone", 2_000);
  put("kept", 2_000);
  put("kept", 9_000);
  put("long ago", 2_000 - 6 * 365 * 86_400);
  clock.now = 2_059_999;
  expect(tables.sweep()).toBe(0);
  clock.now = 2_060_000;
  expect(tables.sweep()).toBe(1);
  expect(tables.table(TableName).peek("TTL", "gone")).toBeUndefined();
  expect(tables.table(TableName).peek("TTL", "kept")).toBeDefined();
  expect(changes.at(-1)).toMatchObject({ key: { pk: "TTL", sk: "gone" }, after: undefined, hasExpired: true });
});

test("the hook hears of what changed, and of nothing else", () => {
  const { changes, revise } = start();
  revise(1);
  revise(2);
  expect(changes.map(({ before, after }) => [before?.revision, after?.revision])).toEqual([
    [undefined, 1],
    [1, 2],
  ]);
});

test("nobody changes a stored item by what he gave or got", () => {
  const { perform } = start();
  const given = { pk: "X", sk: "1", list: [1], map: { deep: [1] }, bytes: Buffer.from("abc") };
  perform(new PutCommand({ TableName, Item: given }));
  given.map.deep.push(2);
  given.bytes[0] = 0;
  const { Item } = perform(new GetCommand({ TableName, Key: { pk: "X", sk: "1" } })) as { Item: typeof given };
  expect(Item).toEqual({ pk: "X", sk: "1", list: [1], map: { deep: [1] }, bytes: new Uint8Array([97, 98, 99]) });
  expect(Buffer.isBuffer(Item.bytes)).toBe(false);
  expect(() => Item.map.deep.push(2)).toThrow(TypeError);
});

test("a command or field that is not known here is an error of ours, not of DynamoDB", () => {
  const { perform } = start();
  const counted = {
    TableName,
    KeyConditionExpression: "pk = :p",
    ReturnConsumedCapacity: "TOTAL",
    ExpressionAttributeValues: { ":p": "x" },
  } as const;
  expect(() => perform(new QueryCommand(counted))).toThrow("does not know ReturnConsumedCapacity");
  expect(() => perform({ input: {} })).toThrow("do not know Object");
});
