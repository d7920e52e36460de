/**
 * The same requests to our database and to Amazon's DynamoDB Local: answers and stream records must be equal, field by
 * field. Where they differ on purpose, the case says so.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LocalDatabase, openDatabase } from "../../../../infra/local/dynamodb/database.ts";
import { STREAM_START } from "../../../../infra/local/dynamodb/streams.ts";
import { streamArn } from "../../../../infra/local/dynamodb/table-definition.ts";
import { startDynamoDbLocal, whyNoDynamoDbLocal } from "../../../support/dynamodb-local.ts";
import { things } from "../things.ts";
import { cases } from "./database.cases.ts";
import { everything, history } from "./database.random.ts";
import { expressionCases } from "./expressions.cases.ts";
import type { Step } from "./steps.ts";

const TABLE = things();

type Json = Record<string, unknown>;
type Call = (operation: string, body: unknown) => Promise<{ status: number; body: Json }>;

/**
 * What does not matter: where an error's type is defined, the wording of a refusal (ours is closer to the service's
 * than DynamoDB Local's is), and the order of fields, of sets and of a batch's answers.
 */
function comparable(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const list = value.map((one) => comparable(one));
    const isUnordered = /^[SNB]S$/.test(key) || key === "things";
    return isUnordered ? list.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)) : list;
  }
  if (key === "__type") return String(value).replace(/^.*#/, "");
  if (value === null || typeof value !== "object") return value;
  const isRefusal =
    "Code" in value || ("__type" in value && !String(value.__type).endsWith("ConditionalCheckFailedException"));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, one]) => one !== undefined && !(isRefusal && /^message$/i.test(name)))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, one]) => [name === "Message" ? "message" : name, comparable(one, name)]),
  );
}

async function play(call: Call, steps: readonly Step[]) {
  const answers: unknown[] = [];
  for (const [operation, body] of steps) {
    const named = /^(?:Batch|Transact)/.test(operation) ? body : { TableName: "things", ...body };
    answers.push(comparable(await call(operation, structuredClone(named))));
  }
  return answers;
}

const reason = whyNoDynamoDbLocal();
if (reason) console.warn(`CONFORMANCE WITH DYNAMODB LOCAL IS NOT TESTED: ${reason}`);

describe.skipIf(reason)(`as Amazon's DynamoDB Local does${reason ? ` (SKIPPED: ${reason})` : ""}`, () => {
  let amazon: Awaited<ReturnType<typeof startDynamoDbLocal>>;
  let ours: LocalDatabase;
  let streamOfAmazon: string;

  beforeAll(async () => {
    [amazon, ours] = await Promise.all([startDynamoDbLocal(), openDatabase({ tables: [TABLE] })]);
    const created = await amazon.call("DynamoDB_20120810.CreateTable", {
      TableName: TABLE.name,
      AttributeDefinitions: TABLE.attributes,
      KeySchema: TABLE.keys,
      GlobalSecondaryIndexes: TABLE.indexes,
      BillingMode: "PAY_PER_REQUEST",
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    });
    streamOfAmazon = (created.body.TableDescription as Json).LatestStreamArn as string;
  });

  afterAll(async () => {
    await Promise.all([amazon.stop(), ours.close()]);
  });

  const callAmazon: Call = (operation, body) => amazon.call(`DynamoDB_20120810.${operation}`, body);
  const callOurs: Call = async (operation, body) => {
    const { status, body: answer } = await ours.handle(operation, body);
    return { status, body: answer as Json };
  };

  test.each(Object.entries({ ...cases, ...expressionCases }))("%s", async (_, steps) => {
    expect(await play(callOurs, steps)).toEqual(await play(callAmazon, steps));
  });

  test("any history of requests is answered alike, and leaves the same items and index entries", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(history("PREFIX"), async (recorded) => {
        const steps = JSON.parse(JSON.stringify(recorded).replaceAll("PREFIX", `run${run++}-`)) as Step[];
        expect(await play(callOurs, steps)).toEqual(await play(callAmazon, steps));
      }),
      { numRuns: 25 },
    );
    const left = async (call: Call) =>
      (await play(call, everything)).map((answer) => {
        const { Items } = (answer as { body: { Items: Json[] } }).body;
        return Items.map((item) => JSON.stringify(item)).toSorted();
      });
    expect(await left(callOurs)).toEqual(await left(callAmazon));
  });

  test("the stream tells of the same changes, in the same order for each item", async () => {
    const view = (record: { eventName: unknown; dynamodb: Json }) =>
      comparable({
        eventName: record.eventName,
        keys: record.dynamodb.Keys,
        before: record.dynamodb.OldImage,
        after: record.dynamodb.NewImage,
        view: record.dynamodb.StreamViewType,
        size: record.dynamodb.SizeBytes,
      });
    const theirs = (await readStream(amazon.call, streamOfAmazon)).map(withEmptyMaps) as Json[];
    const records = await ours.streams.read(streamArn(TABLE.arn), STREAM_START, 10_000);
    expect(theirs.length).toBeGreaterThan(20);
    type Change = Parameters<typeof view>[0];
    const byItem = (all: readonly Change[]) => {
      const items = Map.groupBy(all, ({ dynamodb }) => JSON.stringify(comparable(dynamodb.Keys)));
      return Object.fromEntries([...items].map(([item, list]) => [item, list.map(view)]));
    };
    expect(byItem(records as never)).toEqual(byItem(theirs as never));
    const sequence = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
    expect(sequence).toEqual([...new Set(sequence)].toSorted());
  });
});

/** DynamoDB Local's streams write an empty map as `{}`; the service, like its own GetItem, writes `{"M": {}}`. */
function withEmptyMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withEmptyMaps);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, isEmpty(one) && name !== "M" ? { M: {} } : withEmptyMaps(one)]),
  );
}

const isEmpty = (value: unknown) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0;

async function readStream(call: Call, arn: string): Promise<Json[]> {
  const send = (operation: string, body: Json) => call(`DynamoDBStreams_20120810.${operation}`, body);
  const described = (await send("DescribeStream", { StreamArn: arn })).body.StreamDescription as Json;
  const records: Json[] = [];
  for (const { ShardId } of described.Shards as { ShardId: string }[]) {
    const first = await send("GetShardIterator", { StreamArn: arn, ShardId, ShardIteratorType: "TRIM_HORIZON" });
    let iterator = first.body.ShardIterator as string | undefined;
    while (iterator) {
      const page = (await send("GetRecords", { ShardIterator: iterator })).body;
      records.push(...(page.Records as Json[]));
      if ((page.Records as Json[]).length === 0) break;
      iterator = page.NextShardIterator as string | undefined;
    }
  }
  return records;
}
