import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalDatabase, openDatabase } from "../../../infra/local/dynamodb/database.ts";
import { STREAM_START, type StreamRecord } from "../../../infra/local/dynamodb/streams.ts";
import { streamArn, type TableDefinition } from "../../../infra/local/dynamodb/table-definition.ts";
import { things } from "./things.ts";

type Item = Record<string, Record<string, string>>;

let dataFolder: string;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), "harborlight-dynamo-"));
});
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }));

const open = (table: TableDefinition = things()) => openDatabase({ dataFolder, tables: [table] });
const ARN = streamArn(things().arn);

const put = async (database: LocalDatabase, pk: string, attributes: Record<string, string> = {}) => {
  const Item = { pk, sk: "x", ...attributes };
  const marshalled = Object.fromEntries(Object.entries(Item).map(([name, text]) => [name, { S: text }]));
  expect(await database.handle("PutItem", { TableName: "things", Item: marshalled })).toMatchObject({ status: 200 });
};

const scan = async (database: LocalDatabase, IndexName?: string): Promise<Item[]> =>
  ((await database.handle("Scan", { TableName: "things", IndexName })).body as { Items: Item[] }).Items;

const readAll = async (database: LocalDatabase): Promise<StreamRecord[]> => {
  const records: StreamRecord[] = [];
  for (let after = STREAM_START; ; after = records.at(-1)!.dynamodb.SequenceNumber) {
    const page = await database.streams.read(ARN, after, 1_000);
    if (page.length === 0) return records;
    records.push(...page);
  }
};

describe("a killed process", () => {
  test("loses no acknowledged write and no stream record, and leaves indexes that agree with the table", async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "crash-writer.ts"), dataFolder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const acknowledged = new Map<string, number>();
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.split("\n").length > 3_000) child.kill("SIGKILL");
    });
    await once(child, "close");
    expect(child.signalCode).toBe("SIGKILL");
    for (const line of text.split("\n").slice(0, -1)) {
      const [item, revision] = line.split(" ");
      acknowledged.set(`item${item}`, Number(revision));
    }
    expect(acknowledged.size).toBe(20);

    const database = await open();
    const items = await scan(database);
    const records = await readAll(database);
    for (const item of items) {
      const [pk, revision] = [item.pk!.S!, Number(item.revision!.N)];
      expect(revision).toBeGreaterThanOrEqual(acknowledged.get(pk)!);
      // One record for every revision that the item had, the newest and unacknowledged one included.
      const told = records.filter(({ dynamodb }) => dynamodb.Keys.pk!.S === pk);
      expect(told.map(({ dynamodb }) => Number(dynamodb.NewImage!.revision!.N))).toEqual(
        Array.from({ length: revision }, (_, index) => index + 1),
      );
    }
    const entries = await scan(database, "by-shard");
    const where = (item: Item) => `${item.pk!.S} ${item.shard!.S}`;
    expect(entries.map(where).toSorted()).toEqual(items.map(where).toSorted());
    await database.close();

    // Everything expires once, at once, and nothing is left behind in the order of expiry.
    const later = await openDatabase({ dataFolder, tables: [things()], now: () => 4_100_000_000_000 });
    expect(await later.sweep()).toBe(20);
    expect(await scan(later)).toEqual([]);
    expect(await later.sweep()).toBe(0);
    await later.close();
  });
});

describe("records of 3 KB, of which LevelDB gives five at a time", () => {
  const writeMany = async (database: LocalDatabase) => {
    for (let index = 0; index < 1_000; index += 1) await put(database, `item${index}`, { filler: "x".repeat(3_000) });
  };

  test("are read up to the limit", async () => {
    const database = await open();
    await writeMany(database);
    expect(await database.streams.read(ARN, STREAM_START, 500)).toHaveLength(500);
    expect(await database.streams.read(ARN, STREAM_START, 2_000)).toHaveLength(1_000);
    await database.close();
  });

  test("are trimmed at one go when they are 24 hours old", async () => {
    let now = Date.now();
    const database = await openDatabase({ dataFolder, tables: [things()], now: () => now });
    await writeMany(database);
    now += 25 * 60 * 60 * 1_000;
    await put(database, "new");
    await database.sweep();
    expect((await readAll(database)).map(({ dynamodb }) => dynamodb.Keys.pk!.S)).toEqual(["new"]);
    await database.close();
  });
});

test("records go once every consumer is done with them, and those that one has not read stay, however old", async () => {
  let now = Date.now();
  const database = await openDatabase({ dataFolder, tables: [things()], now: () => now });
  const { streams } = database;
  expect(await streams.join("fast", ARN, STREAM_START)).toBe(STREAM_START);
  await streams.join("slow", ARN, STREAM_START);
  for (const pk of ["a", "b", "c"]) await put(database, pk);
  const [a, b, c] = (await readAll(database)).map(({ dynamodb }) => dynamodb.SequenceNumber);
  await streams.commit("fast", ARN, c!);
  await streams.commit("slow", ARN, a!);
  now += 25 * 60 * 60 * 1_000;
  await database.sweep();
  expect((await readAll(database)).map(({ dynamodb }) => dynamodb.SequenceNumber)).toEqual([b, c]);
  await streams.commit("slow", ARN, c!);
  await database.sweep();
  expect(await readAll(database)).toEqual([]);
  expect(await streams.join("slow", ARN, STREAM_START)).toBe(c);
  await database.close();
});

test("damage that shows while reading is repaired by opening anew; indexes agree with what is left of the table", async () => {
  const first = await open();
  for (let index = 0; index < 500; index += 1)
    await put(first, `item${index}`, { shard: "1", filler: randomBytes(2_000).toString("hex") });
  await first.close();
  await (await open()).close(); // what was in the log is in sorted files now
  const folder = join(dataFolder, "dynamodb");
  const files = readdirSync(folder).filter((name) => name.endsWith(".ldb"));
  const [largest] = files.map((name) => join(folder, name)).toSorted((a, b) => statSync(b).size - statSync(a).size);
  const content = readFileSync(largest!);
  const middle = Math.floor(content.length / 2);
  writeFileSync(largest!, content.fill(0, middle, middle + 20_000));

  const [lines, refusals]: [string[], Error[]] = [[], []];
  const database = await openDatabase({
    dataFolder,
    tables: [things()],
    log: (line) => lines.push(line),
    refused: (error) => refusals.push(error),
  });
  const count = async (IndexName?: string) => {
    const found = await database.handle("Scan", { TableName: "things", IndexName, Select: "COUNT" });
    return found.status === 200 ? (found.body as { Count: number }).Count : found.status;
  };
  for (let number = 0; refusals.length === 0 && number < 500; number += 1)
    await database.handle("GetItem", { TableName: "things", Key: { pk: { S: `item${number}` }, sk: { S: "x" } } });
  if (lines.length === 0) {
    expect(refusals).toHaveLength(1);
    await database.reopen();
  }
  expect(lines).toEqual([expect.stringMatching(/tables in .* were damaged and have been repaired/)]);
  const left = await count();
  expect(left).toBeGreaterThan(0);
  expect(await count("by-shard")).toBe(left);
  await put(database, "new", { shard: "1" });
  expect(await count("by-shard")).toBeGreaterThan(0);
  await database.close();
});

describe("at the next start", () => {
  test("items, indexes, checkpoints and the numbering of the stream go on", async () => {
    const first = await open();
    await put(first, "a", { shard: "1" });
    const [record] = await readAll(first);
    await first.streams.commit("state-change", ARN, record!.dynamodb.SequenceNumber);
    await put(first, "b", { shard: "1" });
    await first.close();

    const second = await open();
    const checkpoint = await second.streams.checkpoint("state-change", ARN);
    expect(checkpoint).toBe(record!.dynamodb.SequenceNumber);
    await put(second, "c");
    const rest = await second.streams.read(ARN, checkpoint!, 10);
    expect(rest.map(({ dynamodb }) => dynamodb.Keys.pk!.S)).toEqual(["b", "c"]);
    expect(await scan(second, "by-shard")).toHaveLength(2);
    await second.close();
  });

  test("the numbering goes on behind a checkpoint even when all records were trimmed", async () => {
    let now = Date.now();
    const options = { dataFolder, tables: [things()], now: () => now };
    const first = await openDatabase(options);
    await put(first, "a");
    const last = first.streams.latest(ARN);
    await first.streams.commit("state-change", ARN, last);
    now += 25 * 60 * 60 * 1_000;
    await first.sweep();
    expect(await readAll(first)).toEqual([]);
    await first.close();

    const second = await openDatabase(options);
    await put(second, "b");
    expect(await second.streams.read(ARN, last, 10)).toHaveLength(1);
    await second.close();
  });

  test("indexes that the template added or dropped are as the template says; one that it changed is refused", async () => {
    const first = await open(things({ indexes: [] }));
    await put(first, "a", { shard: "1", name: "A", other: "o" });
    await put(first, "b");
    await first.close();

    const second = await open();
    expect(await scan(second, "by-shard")).toEqual([
      { pk: { S: "a" }, sk: { S: "x" }, shard: { S: "1" }, name: { S: "A" } },
    ]);
    await second.close();

    const [byShard] = things().indexes;
    const all = { ...byShard!, Projection: { ProjectionType: "ALL" } };
    await expect(open(things({ indexes: [all] }))).rejects.toThrow(/by-shard: Cannot update GSI's properties/);
    const third = await open(things({ indexes: [{ ...all, IndexName: "all-by-shard" }] }));
    expect(await scan(third, "all-by-shard")).toMatchObject([{ other: { S: "o" } }]);
    expect(await third.handle("Scan", { TableName: "things", IndexName: "due" })).toMatchObject({ status: 400 });
    await third.close();
  });

  test("a new index passes over items whose key attribute is of another type, then and later", async () => {
    const first = await open(things({ indexes: [] }));
    const Item = { pk: { S: "a" }, sk: { S: "x" }, shard: { NULL: true } };
    await first.handle("PutItem", { TableName: "things", Item });
    await first.close();

    const second = await open();
    expect(await scan(second, "by-shard")).toEqual([]);
    const Key = { pk: Item.pk, sk: Item.sk };
    const set = (UpdateExpression: string, value: object) =>
      second.handle("UpdateItem", {
        TableName: "things",
        Key,
        UpdateExpression,
        ExpressionAttributeNames: UpdateExpression.includes("#") ? { "#s": "shard" } : undefined,
        ExpressionAttributeValues: { ":v": value },
      });
    expect(await set("SET note = :v", { S: "y" })).toMatchObject({ status: 200 });
    expect(await scan(second, "by-shard")).toEqual([]);
    expect(await set("SET #s = :v", { S: "1" })).toMatchObject({ status: 200 });
    expect(await scan(second, "by-shard")).toEqual([{ ...Key, shard: { S: "1" } }]);
    await second.close();
  });

  test("another attribute of expiry holds for the items that are there", async () => {
    const first = await open(things({ expiryAttribute: null }));
    const Item = { pk: { S: "a" }, sk: { S: "x" }, expiresAtSeconds: { N: "1700000000" } };
    await first.handle("PutItem", { TableName: "things", Item });
    expect(await first.sweep()).toBe(0);
    await first.close();

    const second = await openDatabase({ dataFolder, tables: [things()], now: () => 1_700_000_001_000 });
    expect(await second.sweep()).toBe(1);
    await second.close();
  });

  test("a key that the template changed is refused, with both keys named", async () => {
    await (await open()).close();
    const keys = [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "at", KeyType: "RANGE" },
    ];
    await expect(open(things({ keys }))).rejects.toThrow(
      /things has the key pk \(HASH, S\) \+ sk .* wants pk \(HASH, S\) \+ at .*data folder/,
    );
    await (await open()).close();
  });

  test("a folder that is in use is refused", async () => {
    const first = await open();
    await expect(open()).rejects.toThrow("is another Harborlight running on this folder?");
    await first.close();
  });
});
