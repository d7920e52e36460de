/** Data folders that earlier versions wrote, whose tables were dynalite's. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../../../infra/local/dynamodb/database.ts";
import { STREAM_START } from "../../../../infra/local/dynamodb/streams.ts";
import { streamArn } from "../../../../infra/local/dynamodb/table-definition.ts";
import { createTable, startDynalite } from "../../../support/dynalite.ts";
import { things } from "../things.ts";

type Wire = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

let dataFolder: string;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), "harborlight-earlier-"));
});
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }));

const table = things();
const ARN = streamArn(table.arn);
const n = (value: number) => ({ N: String(value) });
const s = (S: string) => ({ S });

/** Text in all scripts, in the orders of which databases may differ. */
const NAMES = ["a", "ab", "b", "ä", "z/", "~", "日本", "a\u0000b"];
const items: readonly Wire[] = NAMES.flatMap((pk, index) =>
  NAMES.map((sk, place) => ({
    pk: s(`MONITOR#${pk}`),
    sk: s(sk),
    shard: s(`10#${place % 2}`),
    ...(place % 3 === 0 && { due: s("DUE#0"), at: s(`2026-${index}`) }),
    expiresAtSeconds: n(4_000_000_000 + index),
    views: { M: { local: { L: [n(index), { NULL: true }, { BOOL: true }] } } },
  })),
);

/** Writes a folder as the earlier version did: dynalite's items and index entries, and beside them what was our own. */
async function writeEarlierFolder(): Promise<void> {
  const path = join(dataFolder, "dynamodb");
  const dynalite = await startDynalite(path);
  await createTable(dynalite.call, table);
  for (const Item of items) {
    const { status } = await dynalite.call("DynamoDB_20120810.PutItem", { TableName: table.name, Item });
    expect(status).toBe(200);
  }
  await dynalite.stop();
  const description = {
    TableName: table.name,
    TableStatus: "ACTIVE",
    CreationDateTime: 1,
    AttributeDefinitions: table.attributes,
    KeySchema: table.keys,
    GlobalSecondaryIndexes: table.indexes,
  };
  const level = new ClassicLevel<string, unknown>(path, { valueEncoding: "json" });
  await level.batch([
    {
      type: "put",
      key: "table~things",
      value: description,
    },
    { type: "put", key: "expiry-attribute~things", value: "expiresAtSeconds" },
    { type: "put", key: `checkpoint~${ARN}~state-change`, value: "000000000000000000064" },
    {
      type: "put",
      key: "stream~things~000000000000000000065",
      value: { dynamodb: { ApproximateCreationDateTime: 1 } },
    },
  ]);
  await level.close();
}

const open = () => openDatabase({ dataFolder, tables: [table] });
type Database = Awaited<ReturnType<typeof open>>;

const scan = async (database: Database, IndexName?: string) =>
  ((await database.handle("Scan", { TableName: "things", IndexName })).body as { Items: Wire[] }).Items;

const named = (all: readonly Wire[]) => all.map(({ pk, sk }) => `${pk!.S} ${sk!.S}`).toSorted();

test("open with all items, index entries, checkpoints and records; what is written then stays consistent", async () => {
  await writeEarlierFolder();
  let database = await open();
  for (const { pk, sk, ...rest } of items) {
    const { body } = await database.handle("GetItem", { TableName: "things", Key: { pk, sk } });
    expect(body).toEqual({ Item: { pk, sk, ...rest } });
  }
  expect(named(await scan(database))).toEqual(named(items));
  expect(named(await scan(database, "due"))).toEqual(named(items.filter(({ due }) => due)));
  expect(await database.streams.checkpoint("state-change", ARN)).toBe("000000000000000000064");
  expect(await database.streams.read(ARN, STREAM_START, 10)).toHaveLength(1);
  expect(database.streams.latest(ARN)).toBe("000000000000000000065");

  const half = items.filter((_, index) => index % 2 === 0);
  for (const { pk, sk } of half) await database.handle("DeleteItem", { TableName: "things", Key: { pk, sk } });
  const left = items.filter((one) => !half.includes(one));
  for (const index of [undefined, "by-shard"]) expect(named(await scan(database, index))).toEqual(named(left));
  await database.close();
  database = await open();
  expect(named(await scan(database, "by-shard"))).toEqual(named(left));
  await database.close();
});

test("whose order of expiry was never finished get it anew", async () => {
  await writeEarlierFolder();
  const level = new ClassicLevel(join(dataFolder, "dynamodb"));
  await level.del("expiry-attribute~things");
  await level.close();
  await (await open()).close();
  const later = await openDatabase({ dataFolder, tables: [table], now: () => 4_100_000_000_000 });
  expect(await later.sweep()).toBe(items.length);
  expect(await scan(later, "by-shard")).toEqual([]);
  await later.close();
});
