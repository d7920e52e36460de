/**
 * `npm run bench -- tables`: processor time of the one-machine stack's tables for each command, on disk and in memory, without
 * HTTP and IAM. LevelDB's threads are counted.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalDatabase, openDatabase } from "../../infra/local/dynamodb/database.ts";
import { things } from "../infra/local/things.ts";

const ITEMS = 2_000;
const ROUNDS = 4_000;

const text = (S: string) => ({ S });
const keyOf = (n: number) => ({ pk: text(`MONITOR#${n % ITEMS}`), sk: text("MONITOR") });

/** About as large as a monitor: 2 KB with nested maps. */
const itemOf = (n: number) => ({
  ...keyOf(n),
  shard: text(`10#${n % 8}`),
  due: text(`DUE#${n % 4}`),
  at: text(`2026-11-27T10:00:${String(n % 60).padStart(2, "0")}Z`),
  name: text(`monitor ${n}`),
  revision: { N: "1" },
  views: { M: { local: { M: { health: text("up"), tick: { N: String(n) }, evidence: text("x".repeat(300)) } } } },
  ...Object.fromEntries(Array.from({ length: 30 }, (_, place) => [`attribute${place}`, text(`value ${place}`)])),
});

const updateOf = (n: number) => ({
  TableName: "things",
  Key: keyOf(n),
  UpdateExpression: "SET #views.#location.tick = :tick, revision = revision + :one",
  ConditionExpression: "attribute_exists(pk) AND revision < :most",
  ExpressionAttributeNames: { "#views": "views", "#location": "local" },
  ExpressionAttributeValues: { ":tick": { N: String(n) }, ":one": { N: "1" }, ":most": { N: "1000000" } },
});

const commands: Readonly<Record<string, (n: number) => readonly [operation: string, body: object]>> = {
  PutItem: (n) => ["PutItem", { TableName: "things", Item: itemOf(n) }],
  GetItem: (n) => ["GetItem", { TableName: "things", Key: keyOf(n) }],
  UpdateItem: (n) => ["UpdateItem", updateOf(n)],
  "UpdateItem, refused": (n) => ["UpdateItem", { ...updateOf(n), ConditionExpression: "revision > :most" }],
  "Query of one item": (n) => [
    "Query",
    { TableName: "things", KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": keyOf(n).pk } },
  ],
  "Query, 25 of an index": (n) => [
    "Query",
    {
      TableName: "things",
      IndexName: "by-shard",
      KeyConditionExpression: "#s = :s",
      ExpressionAttributeNames: { "#s": "shard" },
      ExpressionAttributeValues: { ":s": text(`10#${n % 8}`) },
      Limit: 25,
    },
  ],
  "BatchGetItem of 25": (n) => [
    "BatchGetItem",
    { RequestItems: { things: { Keys: Array.from({ length: 25 }, (_, place) => keyOf(n + place)) } } },
  ],
  "TransactWriteItems of 3": (n) => [
    "TransactWriteItems",
    { TransactItems: [n, n + 1, n + 2].map((one) => ({ Update: updateOf(one) })) },
  ],
};

async function measure(database: LocalDatabase, name: string, rounds: number) {
  const work = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const { status, body } = await database.handle(...commands[name]!(n));
      if (status !== 200 && !name.endsWith("refused")) throw new Error(`${name}: ${JSON.stringify(body)}`);
    }
  };
  await work(rounds / 4);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work(rounds);
  const { user, system } = process.cpuUsage(cpu);
  const wall = ((performance.now() - startedAt) * 1_000) / rounds;
  console.log(
    `${name.padEnd(26)} ${((user + system) / rounds).toFixed(0).padStart(5)} us CPU ${wall.toFixed(0).padStart(6)} us wall`,
  );
}

for (const where of ["on disk", "in memory"]) {
  const dataFolder = mkdtempSync(join(tmpdir(), "harborlight-tables-"));
  const database = await openDatabase({ tables: [things()], ...(where === "on disk" && { dataFolder }) });
  console.log(where);
  for (let n = 0; n < ITEMS; n++) await database.handle(...commands.PutItem!(n));
  for (const name of Object.keys(commands)) await measure(database, name, name.includes("25") ? ROUNDS / 10 : ROUNDS);
  await database.close();
  rmSync(dataFolder, { recursive: true, force: true });
}
